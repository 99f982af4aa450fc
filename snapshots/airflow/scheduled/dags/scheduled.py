# Rendered by `wurzel render scheduled -t airflow` from scheduled:pipeline; do not edit. sha256:dd977b89cdfb94879c84ec3d77e6085f866fc3764bcc5fd415f044df51683a24
import json
import os
import re
import subprocess
import time
import urllib.request
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetOrTimeSchedule,
    BaseHook,
    CronTriggerTimetable,
    Param,
    RetryDecision,
    RetryPolicy,
    task,
)
from airflow.sdk.log import mask_secret


class RetryUnlessFinal(RetryPolicy):
    """Retry, except after exit code 2 (wrong configuration) or 3 (the step would fail again)."""

    def evaluate(self, exception, try_number, max_tries, context=None):
        final = re.search(r"(?:exit code |'StatusCode': )([23])\b", str(exception))
        if final:
            return RetryDecision.fail(f"exit code {final[1]}")
        return RetryDecision.default()


def secret(connection: str, key: str) -> str:
    """An entry of an Airflow connection; hidden in logs and in the UI."""
    found = BaseHook.get_connection(connection)
    extra = found.extra_dejson
    value = str(extra[key] if key in extra else getattr(found, key))
    mask_secret(value)
    return value


def tell(context) -> None:
    """Tell of a failed run; Airflow calls this once a run, where it parses DAGs."""
    failed = [context["ti"]] if "ti" in context else []
    facts = {
        "pipeline": "scheduled",
        "step": ", ".join(sorted({ti.task_id.replace("_", "-") for ti in failed})),
        "reason": context["reason"],
        "link": failed[0].log_url if failed else "",
        "run": context["run_id"],
    }
    try:
        where = f" in {facts['step']}" if failed else ""
        text = f"{facts['pipeline']} failed{where}: {facts['reason']} ({facts['link']})"
        request = urllib.request.Request(
            secret("chat", "url"),
            json.dumps({"text": text, **facts}).encode(),
            {"Content-Type": "application/json"},
        )
        for last in (False, False, True):
            try:
                urllib.request.urlopen(request, timeout=10).close()
                break
            except OSError:
                if last:
                    raise
                time.sleep(1)
    finally:
        subprocess.run(
            ["notify-owner", "--of", "words"],
            env={
                **os.environ,
                **{f"WURZEL_{name.upper()}": value for name, value in facts.items()},
            },
            cwd=Path(__file__).parents[1],
            check=True,
        )


def slices(line: str, count: int) -> list[str]:
    """The command of each slice of a step, which ends with 1/count and so on."""
    return [f"{line} {number}/{count}" for number in range(1, count + 1)]


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
        timetable=CronTriggerTimetable("0 4 * * *", timezone="Europe/Berlin"),
        assets=[Asset("ingest/load"), Asset("s3://acme/words")],
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
        "env": ENV,
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
    on_failure_callback=tell,
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
        inlets=[Asset("ingest/load"), Asset("s3://acme/words")],
    )

    suffix = BashOperator.partial(
        task_id="suffix",
        doc_md="Put a suffix behind every word.\n\ncomponent: gpu\n",
        map_index_template="{{ task.bash_command.split()[-1] }}",
        env={**ENV, "SUFFIX__SUFFIX": "{{ params.SUFFIX__SUFFIX }}"},
    ).expand(
        bash_command=slices(
            'wurzel step steps:Suffix --id suffix -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix" --shard',
            3,
        ),
    )

    join = BashOperator(
        task_id="join",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join -i "$WURZEL_RUN/suffix" -o "$WURZEL_RUN/join"',
        outlets=[Asset("scheduled/join")],
    )

    in_time >> words
    words >> suffix
    suffix >> join
