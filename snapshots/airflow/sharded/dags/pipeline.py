# Rendered by `wurzel render sharded:pipeline -t airflow` from sharded:pipeline; do not edit. sha256:1e157a6b60bfc461199f112f7bb57eaeaea1092684b1216225293eacb9a0ecce
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset


def slices(line: str, count: int) -> list[str]:
    """The command of each slice of a step, which ends with 1/count and so on."""
    return [f"{line} {number}/{count}" for number in range(1, count + 1)]


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

    loud = BashOperator.partial(
        task_id="loud",
        doc_md="Upper case, in three slices.\n",
        map_index_template="{{ task.bash_command.split()[-1] }}",
    ).expand(
        bash_command=slices(
            'wurzel step sharded:Loud --id loud -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/loud" --shard',
            3,
        ),
    )

    join = BashOperator(
        task_id="join",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join -i "$WURZEL_RUN/loud" -o "$WURZEL_RUN/join"',
        outlets=[Asset("pipeline/join")],
    )

    words >> loud
    loud >> join
