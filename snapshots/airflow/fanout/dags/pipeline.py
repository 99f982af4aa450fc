# Rendered by `wurzel render fanout:pipeline -t airflow` from fanout:pipeline; do not edit. sha256:64326d13543d6aa457e09f0d1cb45d7246c5f1d293c61b812b3391bac5041eb3
import json
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

    portions__slices = BashOperator(
        task_id="portions__slices",
        doc_md="Counts the slices of portions: 2 items each, at most 4 slices.\n",
        bash_command='wurzel step fanout:Portions --id portions -i "$WURZEL_RUN/words" --portion 2 --shards 4 --slices -',
        do_xcom_push=True,
        output_processor=json.loads,
        env=ENV,
    )

    portions = BashOperator.partial(
        task_id="portions",
        doc_md="Treat two words at a time.\n",
        map_index_template="{{ task.bash_command.split()[-1] }}",
        env=ENV,
    ).expand(
        bash_command=portions__slices.output.map(
            lambda shard: " ".join(
                [
                    'wurzel step fanout:Portions --id portions -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/portions" --portion 2 --shard',
                    shard,
                ]
            )
        ),
    )

    join = BashOperator(
        task_id="join",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join -i "$WURZEL_RUN/portions/loud" -o "$WURZEL_RUN/join"',
        env=ENV,
        outlets=[Asset("pipeline/join")],
    )

    count = BashOperator(
        task_id="count",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id count -i "$WURZEL_RUN/portions/count" -o "$WURZEL_RUN/count"',
        env=ENV,
        outlets=[Asset("pipeline/count")],
    )

    words >> portions__slices
    portions >> [join, count]
