# Rendered by `wurzel render outputs:pipeline -t airflow` from outputs:pipeline; do not edit. sha256:0ec236db0081b41f3a8c61ddc3a657a399957df1051eb1d038e2ad7793dfdb8f
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

    cut = BashOperator(
        task_id="cut",
        doc_md="Keep the first word for the test.\n",
        bash_command='wurzel step outputs:Cut --id cut -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/cut"',
    )

    upper = BashOperator(
        task_id="upper",
        doc_md="Make words upper case.\n",
        bash_command='wurzel step steps:Upper --id upper -i "$WURZEL_RUN/cut/train" -o "$WURZEL_RUN/upper"',
    )

    reverse = BashOperator(
        task_id="reverse",
        doc_md="Write words backwards.\n",
        bash_command='wurzel step steps:Reverse --id reverse -i "$WURZEL_RUN/cut/test" -o "$WURZEL_RUN/reverse"',
    )

    compare = BashOperator(
        task_id="compare",
        doc_md="Count the words of both sides.\n",
        bash_command='wurzel step outputs:Compare --id compare -i left="$WURZEL_RUN/upper" -i right="$WURZEL_RUN/reverse" -i left="$WURZEL_RUN/cut/test" -o "$WURZEL_RUN/compare"',
        outlets=[Asset("pipeline/compare")],
    )

    words >> cut
    cut >> [upper, reverse]
    [upper, reverse, cut] >> compare
