# Rendered by `wurzel render diamond:pipeline -t airflow` from diamond:pipeline; do not edit. sha256:824ebe63273a6bd803477cbe403c54368afba88e59c68ae9fea2bdbe457952df
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

    upper = BashOperator(
        task_id="upper",
        doc_md="Make words upper case.\n",
        bash_command='wurzel step steps:Upper --id upper -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/upper"',
    )

    reverse = BashOperator(
        task_id="reverse",
        doc_md="Write words backwards.\n",
        bash_command='wurzel step steps:Reverse --id reverse -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/reverse"',
    )

    join = BashOperator(
        task_id="join",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join -i "$WURZEL_RUN/upper" -i "$WURZEL_RUN/reverse" -o "$WURZEL_RUN/join"',
        outlets=[Asset("pipeline/join")],
    )

    words >> [upper, reverse]
    [upper, reverse] >> join
