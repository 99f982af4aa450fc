# Rendered by `wurzel render files:pipeline -t airflow` from files:pipeline; do not edit. sha256:beffda06e5f8873b3ed9cd42c53a8044025535f3e9fba72b08541772c47576e4
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
        doc_md="Write a file for each word, with names that need care; the first can be executed.\n",
        bash_command='wurzel step files:Write --id write -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/write"',
    )

    sort = BashOperator(
        task_id="sort",
        doc_md="Put the files into a folder, by their first letter; one folder stays empty, and one file is hidden.\n",
        bash_command='wurzel step files:Sort --id sort -i "$WURZEL_RUN/write" -o "$WURZEL_RUN/sort"',
    )

    whole = BashOperator(
        task_id="whole",
        doc_md="List all there is in the folder.\n",
        bash_command='wurzel step files:Whole --id whole -i "$WURZEL_RUN/sort" -o "$WURZEL_RUN/whole"',
    )

    lines = BashOperator(
        task_id="lines",
        doc_md="Read the lines of a file.\n",
        bash_command='wurzel step files:Lines --id lines -i "$WURZEL_RUN/whole" -o "$WURZEL_RUN/lines"',
        outlets=[Asset("pipeline/lines")],
    )

    words >> write
    write >> sort
    sort >> whole
    whole >> lines
