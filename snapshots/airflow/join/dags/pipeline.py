# Rendered by `wurzel render join:pipeline -t airflow` from join:pipeline; do not edit. sha256:b353aa23cd8fa05656f2cce408bb7d5a87e5c0dfa50114645a7f71b8210faadf
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

    join = BashOperator(
        task_id="join",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/join"',
    )

    reverse = BashOperator(
        task_id="reverse",
        doc_md="Write words backwards.\n",
        bash_command='wurzel step steps:Reverse --id reverse -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/reverse"',
    )

    title = BashOperator(
        task_id="title",
        doc_md="Put a title before the words.\n",
        bash_command='wurzel step join:Title --id title -i title="$WURZEL_RUN/join" -i words="$WURZEL_RUN/words" -i words="$WURZEL_RUN/reverse" -o "$WURZEL_RUN/title"',
        outlets=[Asset("pipeline/title")],
    )

    words >> [join, reverse]
    [join, words, reverse] >> title
