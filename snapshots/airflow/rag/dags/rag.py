# Rendered by `wurzel render rag -t airflow` from rag_pipeline:rag; do not edit. sha256:e15223af1d7210103039aea5c99d3a53563100a4864a0264949ab8aa426c31f4
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
    literal,
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
    "WURZEL_RUN_ID": "{{ run_id }}",
}

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
        "execution_timeout": timedelta(minutes=10),
        "do_xcom_push": False,
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
        bash_command='wurzel step rag_pipeline:QuestionsStep --id questions -o "$WURZEL_RUN/questions"',
        env={
            **ENV,
            "QUESTIONS__FILE_PATH": literal(
                "questions.json",
            ),
        },
    )

    guides = BashOperator(
        task_id="guides",
        doc_md="Read a folder of Markdown files with front matter.\n",
        bash_command='wurzel step wurzel.steps.manual_markdown:ManualMarkdownStep --id guides -o "$WURZEL_RUN/guides"',
        env={
            **ENV,
            "GUIDES__FOLDER_PATH": "../../backends",
            "GUIDES__URL_PREFIX": "docs/backends/",
        },
    )

    decisions = BashOperator(
        task_id="decisions",
        doc_md="Read a folder of Markdown files with front matter.\n",
        bash_command='wurzel step wurzel.steps.manual_markdown:ManualMarkdownStep --id decisions -o "$WURZEL_RUN/decisions"',
        env={
            **ENV,
            "DECISIONS__FOLDER_PATH": "../../decisions",
            "DECISIONS__URL_PREFIX": "docs/decisions/",
        },
    )

    split = BashOperator(
        task_id="split",
        doc_md="Split Markdown documents into chunks of limited size, by their structure.\n",
        bash_command='wurzel step wurzel.steps.splitter:SimpleSplitterStep --id split -i "$WURZEL_RUN/guides" -i "$WURZEL_RUN/decisions" -o "$WURZEL_RUN/split"',
        env={
            **ENV,
            "SPLIT__TOKEN_COUNT_MAX": "{{ params.SPLIT__TOKEN_COUNT_MAX | tojson }}",
        },
    )

    drop_duplication = BashOperator(
        task_id="drop_duplication",
        doc_md="Keep only the first of equal documents.\n",
        bash_command='wurzel step wurzel.steps.duplication:DropDuplicationStep --id drop-duplication -i "$WURZEL_RUN/split" -o "$WURZEL_RUN/drop-duplication"',
        env=ENV,
    )

    export = BashOperator(
        task_id="export",
        doc_md="Turn chunks into passages, one after the other.\n",
        bash_command='wurzel step rag_pipeline:ExportStep --id export -i "$WURZEL_RUN/drop-duplication" -o "$WURZEL_RUN/export"',
        env=ENV,
    )

    embed__slices = BashOperator(
        task_id="embed__slices",
        doc_md="Counts the slices of embed: 100 items each, at most 4 slices.\n",
        bash_command='wurzel step rag_pipeline:EmbedStep --id embed -i "$WURZEL_RUN/export" --portion 100 --shards 4 --slices -',
        do_xcom_push=True,
        output_processor=json.loads,
        env=ENV,
    )

    embed = BashOperator.partial(
        task_id="embed",
        doc_md="Turn passages into vectors, a portion at a time.\n",
        map_index_template="{{ task.bash_command.split()[-1] }}",
        env=ENV,
    ).expand(
        bash_command=embed__slices.output.map(
            lambda shard: " ".join(
                [
                    'wurzel step rag_pipeline:EmbedStep --id embed -i "$WURZEL_RUN/export" -o "$WURZEL_RUN/embed" --portion 100 --shard',
                    shard,
                ]
            )
        ),
    )

    index = BashOperator(
        task_id="index",
        doc_md="Write all vectors to a file.\n",
        bash_command='wurzel step rag_pipeline:IndexStep --id index -i "$WURZEL_RUN/embed" -o "$WURZEL_RUN/index"',
        env=ENV,
    )

    answer = BashOperator(
        task_id="answer",
        doc_md="Find the passages closest to each question, and the sentence closest to it. A language model would go here.\n",
        bash_command='wurzel step rag_pipeline:AnswerStep --id answer -i index="$WURZEL_RUN/index" -i passages="$WURZEL_RUN/export" -i questions="$WURZEL_RUN/questions" -o "$WURZEL_RUN/answer"',
        env=ENV,
    )

    evaluate = BashOperator(
        task_id="evaluate",
        doc_md="Count the questions whose source was found; skipped if no source is known.\n\nDecides by its input whether it runs; if not, what it writes is empty.\n",
        bash_command='wurzel step rag_pipeline:EvaluateStep --id evaluate -i questions="$WURZEL_RUN/questions" -i answers="$WURZEL_RUN/answer" -o "$WURZEL_RUN/evaluate"',
        env=ENV,
    )

    report = BashOperator(
        task_id="report",
        doc_md="Write the answers and their score as a page of Markdown.\n",
        bash_command='wurzel step rag_pipeline:ReportStep --id report -i score="$WURZEL_RUN/evaluate" -i answers="$WURZEL_RUN/answer" -o "$WURZEL_RUN/report"',
        env=ENV,
        outlets=[Asset("rag/report")],
    )

    [guides, decisions] >> split
    split >> drop_duplication
    drop_duplication >> export
    export >> embed__slices
    embed >> index
    [index, export, questions] >> answer
    [questions, answer] >> evaluate
    [evaluate, answer] >> report
