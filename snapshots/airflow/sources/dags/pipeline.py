# Rendered by `wurzel render sources:pipeline -t airflow` from sources:pipeline; do not edit. sha256:c83a93450379d1af05b6d6a9224b077e178ebc1457e25c3faf49e57a961119b6
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset

ENV = {
    "WURZEL_RUN": "data/pipeline/run_{{ run_id | urlencode | replace('/', '%2F') }}",
    "WURZEL_DATA": "data/pipeline",
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
    polling = BashOperator(
        task_id="polling",
        doc_md="Read something outside that may change at any time.\n\nReads an outside source in every run.\n",
        bash_command='wurzel step steps:Polling --id polling -o "$WURZEL_RUN/polling"',
    )

    upper = BashOperator(
        task_id="upper",
        doc_md="Make words upper case.\n",
        bash_command='wurzel step steps:Upper --id upper -i "$WURZEL_RUN/polling" -o "$WURZEL_RUN/upper"',
        outlets=[Asset("pipeline/upper")],
    )

    memory = BashOperator(
        task_id="memory",
        doc_md="Remember how often it has run.\n",
        max_active_tis_per_dag=1,
        bash_command='wurzel step steps:Memory --id memory -o "$WURZEL_DATA/state/memory"',
        outlets=[Asset("pipeline/memory")],
    )

    polling >> upper
