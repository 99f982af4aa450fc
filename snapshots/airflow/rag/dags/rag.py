# Rendered by `wurzel render rag -t airflow` from rag_pipeline:rag; do not edit. sha256:5b5804d6ca56a714c864fcae9719b5a58e3081817ae6754a268d20ae788defc1
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, CronTriggerTimetable, Param

ENV = {
    "WURZEL_RUN": "data/rag/run_{{ run_id | urlencode | replace('/', '%2F') }}",
    "WURZEL_RUN_ID": "{{ run_id }}",
}

with DAG(
    dag_id="rag",
    description="The documentation of wurzel, cut into passages for retrieval",
    doc_md="The documentation of wurzel, cut into passages for retrieval\n\nData of a run: `data/rag/run_<run id>/<step>`\n",
    schedule=CronTriggerTimetable("0 4 * * *", timezone="Europe/Berlin"),
    start_date=pendulum.datetime(2024, 1, 1, tz="Europe/Berlin"),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=10),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=1),
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
            title="TOKEN_COUNT_MAX",
            description="most tokens of a chunk",
            section="split",
        ),
    },
    tags=["wurzel"],
):
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
        doc_md="Turn chunks into passages for a search index.\n",
        bash_command='wurzel step rag_pipeline:ExportStep --id export -i "$WURZEL_RUN/drop-duplication" -o "$WURZEL_RUN/export"',
        env=ENV,
        outlets=[Asset("rag/export")],
    )

    documents = BashOperator(
        task_id="documents",
        doc_md="Count the chunks of each document.\n",
        bash_command='wurzel step rag_pipeline:DocumentsStep --id documents -i "$WURZEL_RUN/drop-duplication" -o "$WURZEL_RUN/documents"',
        env=ENV,
    )

    keywords = BashOperator(
        task_id="keywords",
        doc_md="Find the words that occur in the most chunks.\n",
        bash_command='wurzel step rag_pipeline:KeywordsStep --id keywords -i "$WURZEL_RUN/drop-duplication" -o "$WURZEL_RUN/keywords"',
        env=ENV,
    )

    report = BashOperator(
        task_id="report",
        doc_md="Write what was counted as a page of Markdown.\n",
        bash_command='wurzel step rag_pipeline:ReportStep --id report -i "$WURZEL_RUN/documents" -i "$WURZEL_RUN/keywords" -o "$WURZEL_RUN/report"',
        env=ENV,
        outlets=[Asset("rag/report")],
    )

    [guides, decisions] >> split
    split >> drop_duplication
    drop_duplication >> [export, documents, keywords]
    [documents, keywords] >> report
