# Rendered by `wurzel render stream:pipeline -t airflow` from stream:pipeline; do not edit. sha256:940607b1b92a56b24accc803e1f76d1a8cc0c5b2afd76c53418af00975b8bf64
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset

ENV = {
    "WURZEL_RUN": "data/pipeline/run_{{ run_id | urlencode | replace('/', '%2F') }}",
    "WURZEL_RUN_ID": "{{ run_id }}",
}

with DAG(
    dag_id="pipeline",
    doc_md="Data of a run: `data/pipeline/run_<run id>/<step>`, on a disk that all workers share\n",
    schedule=None,
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    dagrun_timeout=timedelta(days=1),
    default_args={
        "retries": 0,
        "do_xcom_push": False,
        "env": ENV,
        "append_env": True,
        "skip_on_exit_code": None,
        "cwd": "{{ task.dag.folder }}/..",
    },
    tags=["wurzel"],
):
    words = BashOperator(
        task_id="words",
        doc_md="Give words.\n",
        bash_command='wurzel step steps:Words --id words -o "$WURZEL_RUN/words"',
    )

    count = BashOperator(
        task_id="count",
        doc_md="Count up to the number of letters of each word.\n",
        bash_command='wurzel step stream:Count --id count -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/count"',
    )

    even = BashOperator(
        task_id="even",
        doc_md="Keep every second item.\n",
        bash_command='wurzel step stream:Even --id even -i "$WURZEL_RUN/count" -o "$WURZEL_RUN/even"',
    )

    share = BashOperator(
        task_id="share",
        doc_md="Read the items twice: once for their number, once for themselves.\n",
        bash_command='wurzel step stream:Share --id share -i "$WURZEL_RUN/even" -o "$WURZEL_RUN/share"',
    )

    join = BashOperator(
        task_id="join",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join -i "$WURZEL_RUN/share" -o "$WURZEL_RUN/join"',
        outlets=[Asset("pipeline/join")],
    )

    words >> count
    count >> even
    even >> share
    share >> join
