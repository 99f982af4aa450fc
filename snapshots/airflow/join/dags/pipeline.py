# Rendered by `wurzel render join:pipeline -t airflow` from join:pipeline; do not edit. sha256:8a3e5d3f85baae9112fa4ce5678ad5290d88b0cf097b366589f0d6e4bcd4966b
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
        env=ENV,
    )

    join = BashOperator(
        task_id="join",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/join"',
        env=ENV,
    )

    reverse = BashOperator(
        task_id="reverse",
        doc_md="Write words backwards.\n",
        bash_command='wurzel step steps:Reverse --id reverse -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/reverse"',
        env=ENV,
    )

    title = BashOperator(
        task_id="title",
        doc_md="Put a title before the words.\n",
        bash_command='wurzel step join:Title --id title -i title="$WURZEL_RUN/join" -i words="$WURZEL_RUN/words" -i words="$WURZEL_RUN/reverse" -o "$WURZEL_RUN/title"',
        env=ENV,
        outlets=[Asset("pipeline/title")],
    )

    words >> [join, reverse]
    [join, words, reverse] >> title
