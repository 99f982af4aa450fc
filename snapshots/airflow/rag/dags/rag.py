# Rendered by `wurzel render rag -t airflow` from rag_pipeline:rag; do not edit. sha256:2cc6d161ee61b5975d2518ffdc80b8ca239be09285a147dc3ac9152f2773ed79
import json
import re
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import (
    DAG,
    Asset,
    CronTriggerTimetable,
    Param,
    RetryDecision,
    RetryPolicy,
)


class RetryUnlessFinal(RetryPolicy):
    """Retry, except after exit code 2 (wrong configuration) or 3 (the step would fail again)."""

    def evaluate(self, exception, try_number, max_tries, context=None):
        final = re.search(r"(?:exit code |'StatusCode': )([23])\b", str(exception))
        if final:
            return RetryDecision.fail(f"exit code {final[1]}")
        return RetryDecision.default()


ENV = {
    "WURZEL_RUN": "data/rag/run_{{ run_id | urlencode | replace('/', '%2F') }}",
    "WURZEL_IR": "{{ task.dag.folder }}/rag.ir.json",
    "WURZEL_IR_SHA256": "f1becec5dfb6938e0bc6ef24485eae85c40f39c506df3b38d424aad8af47c334",
    "WURZEL_RUN_ID": "airflow-{{ dag.dag_id }}-{{ run_id | urlencode | replace('/', '%2F') }}",
    "SPLIT__TOKEN_COUNT_MAX": "{{ params.SPLIT__TOKEN_COUNT_MAX | tojson }}",
}
RUN = 'work=$(mktemp -d) && trap : TERM && trap \'rm -rf "$work"\' EXIT && wurzel run --from-ir "$WURZEL_IR" --data-dir "$WURZEL_RUN" --state-dir "$work" --no-retry'

with DAG(
    dag_id="rag",
    description="Questions about wurzel, answered from its documentation",
    doc_md="Questions about wurzel, answered from its documentation\n\nData of a run: `data/rag/run_<run id>/<step>`, on a disk that all workers share\n",
    schedule=CronTriggerTimetable("0 4 * * *", timezone="Europe/Berlin"),
    start_date=pendulum.datetime(2024, 1, 1, tz="Europe/Berlin"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(days=1),
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=10),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=1),
        "retry_policy": RetryUnlessFinal(),
        "execution_timeout": timedelta(minutes=15),
        "do_xcom_push": False,
        "env": ENV,
        "append_env": True,
        "skip_on_exit_code": None,
        "cwd": "{{ task.dag.folder }}/..",
    },
    params={
        "SPLIT__TOKEN_COUNT_MAX": Param(
            256,
            type="integer",
            exclusiveMinimum=1,
            title="TOKEN_COUNT_MAX",
            description="most tokens of a chunk",
            section="split",
        ),
    },
    tags=["wurzel"],
):
    questions = BashOperator(
        task_id="questions",
        doc_md="Read the questions.\n",
        bash_command=RUN + " --only questions",
    )

    guides = BashOperator(
        task_id="guides",
        doc_md="Read a folder of Markdown files with front matter.\n",
        bash_command=RUN + " --only guides",
    )

    decisions = BashOperator(
        task_id="decisions",
        doc_md="Read a folder of Markdown files with front matter.\n",
        bash_command=RUN + " --only decisions",
    )

    split = BashOperator(
        task_id="split",
        doc_md="Split Markdown documents into chunks of limited size, by their structure.\n",
        bash_command=RUN + " --only split",
    )

    drop_duplication = BashOperator(
        task_id="drop_duplication",
        doc_md="Keep only the first of equal documents.\n",
        bash_command=RUN + " --only drop-duplication",
    )

    export = BashOperator(
        task_id="export",
        doc_md="Turn chunks into passages, one after the other.\n",
        bash_command=RUN + " --only export --slices embed=-",
        do_xcom_push=True,
        output_processor=json.loads,
    )

    embed = BashOperator.partial(
        task_id="embed",
        doc_md="Turn passages into vectors, a portion at a time.\n",
        map_index_template="{{ task.bash_command.split()[-1] }}",
    ).expand(
        bash_command=export.output.map(
            lambda shard: RUN + " --only embed --shard " + shard,
        ),
    )

    index = BashOperator(
        task_id="index",
        doc_md="Write all vectors to a file.\n",
        bash_command=RUN + " --only index",
    )

    answer = BashOperator(
        task_id="answer",
        doc_md="Find the passages closest to each question, and the sentence closest to it. A language model would go here.\n",
        bash_command=RUN + " --only answer",
    )

    evaluate = BashOperator(
        task_id="evaluate",
        doc_md="Count the questions whose source was found; skipped if no source is known.\n\nDecides at run time whether it runs; if not, it writes an empty dataset.\n",
        bash_command=RUN + " --only evaluate",
    )

    report = BashOperator(
        task_id="report",
        doc_md="Write the answers and their score as a page of Markdown.\n",
        bash_command=RUN + " --only report",
        outlets=[Asset("rag/report")],
    )

    [guides, decisions] >> split
    split >> drop_duplication
    drop_duplication >> export
    embed >> index
    [index, export, questions] >> answer
    [questions, answer] >> evaluate
    [evaluate, answer] >> report
