# Rendered by `wurzel render fanout:pipeline -t airflow` from fanout:pipeline; do not edit. sha256:cb54c714ee50e00eba886eddb93793baabed298aca1f43c684fa7ae12109ea12
import json
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset

ENV = {
    "WURZEL_RUN": "data/pipeline/run_{{ run_id | urlencode | replace('/', '%2F') }}",
    "WURZEL_IR": "{{ task.dag.folder }}/pipeline.ir.json",
    "WURZEL_IR_SHA256": "39ca33fa3a4865b23c25acc3a4e91f3385edf95b021b690091c014729230f665",
    "WURZEL_RUN_ID": "airflow-{{ dag.dag_id }}-{{ run_id | urlencode | replace('/', '%2F') }}",
}
RUN = 'work=$(mktemp -d) && trap : TERM && trap \'rm -rf "$work"\' EXIT && wurzel run --from-ir "$WURZEL_IR" --data-dir "$WURZEL_RUN" --state-dir "$work" --no-retry'

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
        bash_command=RUN + " --only words --slices portions=-",
        do_xcom_push=True,
        output_processor=json.loads,
    )

    portions = BashOperator.partial(
        task_id="portions",
        doc_md="Treat two words at a time.\n",
        map_index_template="{{ task.bash_command.split()[-1] }}",
    ).expand(
        bash_command=words.output.map(
            lambda shard: RUN + " --only portions --shard " + shard,
        ),
    )

    join = BashOperator(
        task_id="join",
        doc_md="Join all words into one.\n",
        bash_command=RUN + " --only join",
        outlets=[Asset("pipeline/join")],
    )

    count = BashOperator(
        task_id="count",
        doc_md="Join all words into one.\n",
        bash_command=RUN + " --only count",
        outlets=[Asset("pipeline/count")],
    )

    portions >> [join, count]
