# Rendered by `wurzel render scheduled -t airflow` from scheduled:pipeline; do not edit. sha256:9bb734948ceee344bcaad4e5fdfd5ab3049accccbd92d0118831f9ede7c63454
import re
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    Param,
    RetryDecision,
    RetryPolicy,
    task,
)


class RetryUnlessFinal(RetryPolicy):
    """Retry, except after exit code 2 (wrong configuration) or 3 (the step would fail again)."""

    def evaluate(self, exception, try_number, max_tries, context=None):
        final = re.search(r"(?:exit code |'StatusCode': )([23])\b", str(exception))
        if final:
            return RetryDecision.fail(f"exit code {final[1]}")
        return RetryDecision.default()


ENV = {
    "WURZEL_RUN": "data/scheduled/run_{{ run_id | urlencode | replace('/', '%2F') }}",
    "WURZEL_RUN_ID": "{{ run_id }}",
    "LOG_LEVEL": "info",
}

with DAG(
    dag_id="scheduled",
    description="Words, nightly",
    doc_md="Words, nightly\n\nacme.example/owner: data@acme.example\n\nA POST to /api/v2/dags/scheduled/dagRuns starts it.\n\nData of a run: `data/scheduled/run_<run id>/<step>`, on a disk that all workers share\n",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable(
            "0 4 * * *",
            timezone="Europe/Berlin",
        ),
        assets=[
            Asset(
                "ingest/load",
            ),
            Asset(
                "s3://acme/words",
            ),
        ],
    ),
    start_date=pendulum.datetime(2024, 1, 1, tz="Europe/Berlin"),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=2,
    dagrun_timeout=timedelta(hours=6),
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=10),
        "retry_policy": RetryUnlessFinal(),
        "execution_timeout": timedelta(hours=1),
        "do_xcom_push": False,
        "append_env": True,
        "skip_on_exit_code": None,
        "cwd": "{{ task.dag.folder }}/..",
    },
    params={
        "SUFFIX__SUFFIX": Param(
            "?",
            type="string",
            title="SUFFIX",
            description="put behind every word",
            section="suffix",
        ),
    },
    tags=["wurzel", "team:data"],
):

    @task.short_circuit(task_id="starts_in_time")
    def starts_in_time(dag_run=None) -> bool:
        """Skip a run that starts by the clock, but too late."""
        late = pendulum.now("UTC") - dag_run.run_after
        return dag_run.run_type != "scheduled" or late <= timedelta(minutes=10)

    in_time = starts_in_time()

    words = BashOperator(
        task_id="words",
        doc_md="Give words.\n",
        bash_command='wurzel step steps:Words --id words -o "$WURZEL_RUN/words"',
        env=ENV,
        inlets=[
            Asset(
                "ingest/load",
            ),
            Asset(
                "s3://acme/words",
            ),
        ],
    )

    suffix = BashOperator.partial(
        task_id="suffix",
        doc_md="Put a suffix behind every word.\n\ncomponent: gpu\n",
        map_index_template="{{ task.bash_command.split()[-1] }}",
        env={
            **ENV,
            "SUFFIX__SUFFIX": "{{ params.SUFFIX__SUFFIX }}",
        },
    ).expand(
        bash_command=[
            'wurzel step steps:Suffix --id suffix -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix" --shard 1/3',
            'wurzel step steps:Suffix --id suffix -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix" --shard 2/3',
            'wurzel step steps:Suffix --id suffix -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix" --shard 3/3',
        ],
    )

    join = BashOperator(
        task_id="join",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join -i "$WURZEL_RUN/suffix" -o "$WURZEL_RUN/join"',
        env=ENV,
        outlets=[Asset("scheduled/join")],
    )

    in_time >> words
    words >> suffix
    suffix >> join
