# Rendered by `wurzel render flaky:pipeline -t airflow` from flaky:pipeline; do not edit. sha256:ead563533345ccf6211f8de68ce03a88f5208a51743bcfd9e9d436e5f0e9a034
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
    doc_md="Data of a run: `data/pipeline/run_<run id>/<step>`\n",
    schedule=None,
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
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

    flaky = BashOperator(
        task_id="flaky",
        doc_md="Fail at the first try, work at the second.\n",
        retries=2,
        retry_delay=timedelta(seconds=0),
        bash_command='wurzel step steps:Flaky --id flaky -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/flaky"',
        env=ENV,
    )

    upper = BashOperator(
        task_id="upper",
        doc_md="Make words upper case.\n",
        bash_command='wurzel step steps:Upper --id upper -i "$WURZEL_RUN/flaky" -o "$WURZEL_RUN/upper"',
        env=ENV,
        outlets=[Asset("pipeline/upper")],
    )

    words >> flaky
    flaky >> upper
