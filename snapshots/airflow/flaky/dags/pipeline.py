# Rendered by `wurzel render flaky:pipeline -t airflow` from flaky:pipeline; do not edit. sha256:439ab8a7e534daff834c1055b05045662288e9d4a4b20eda3450cff4e80e8ff8
import re
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, RetryDecision, RetryPolicy


class RetryUnlessFinal(RetryPolicy):
    """Retry, except after exit code 2 (wrong configuration) or 3 (the step would fail again)."""

    def evaluate(self, exception, try_number, max_tries, context=None):
        final = re.search(r"(?:exit code |'StatusCode': )([23])\b", str(exception))
        if final:
            return RetryDecision.fail(f"exit code {final[1]}")
        return RetryDecision.default()


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
        "retry_policy": RetryUnlessFinal(),
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

    flaky = BashOperator(
        task_id="flaky",
        doc_md="Fail at the first try, work at the second.\n",
        retries=2,
        retry_delay=timedelta(seconds=0),
        bash_command='wurzel step steps:Flaky --id flaky -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/flaky"',
    )

    upper = BashOperator(
        task_id="upper",
        doc_md="Make words upper case.\n",
        bash_command='wurzel step steps:Upper --id upper -i "$WURZEL_RUN/flaky" -o "$WURZEL_RUN/upper"',
        outlets=[Asset("pipeline/upper")],
    )

    words >> flaky
    flaky >> upper
