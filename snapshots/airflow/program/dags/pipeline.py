# Rendered by `wurzel render program:pipeline -t airflow` from program:pipeline; do not edit. sha256:33fd70f86f8b7bbe8fa2e681ebdd5a7add09ac77b05f43a59e4f35d141feae9e
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

    write = BashOperator(
        task_id="write",
        doc_md="Write the words into a file, one a line.\n",
        bash_command='wurzel step program:Write --id write -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/write"',
    )

    sort = BashOperator(
        task_id="sort",
        doc_md="Sort the lines; `sort` writes into the file that it is given.\n",
        bash_command='wurzel step program:Sort --id sort -i "$WURZEL_RUN/write" -o "$WURZEL_RUN/sort"',
    )

    first = BashOperator(
        task_id="first",
        doc_md="Keep three lines; what `head` prints is the file.\n",
        bash_command='wurzel step program:First --id first -i "$WURZEL_RUN/sort" -o "$WURZEL_RUN/first"',
    )

    lines = BashOperator(
        task_id="lines",
        doc_md="Read the lines of a file.\n",
        bash_command='wurzel step program:Lines --id lines -i "$WURZEL_RUN/first" -o "$WURZEL_RUN/lines"',
        outlets=[Asset("pipeline/lines")],
    )

    words >> write
    write >> sort
    sort >> first
    first >> lines
