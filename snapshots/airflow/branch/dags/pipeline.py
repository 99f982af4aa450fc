# Rendered by `wurzel render branch:pipeline -t airflow` from branch:pipeline; do not edit. sha256:9cac701b2ad4371d0b3918c9525affc16a088547daffc341df29e722d8c8004c
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

    many = BashOperator(
        task_id="many",
        doc_md="Upper case, if there are many words.\n\nDecides at run time whether it runs; if not, it writes an empty dataset.\n",
        bash_command='wurzel step branch:Many --id many -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/many"',
    )

    few = BashOperator(
        task_id="few",
        doc_md="Backwards, if there are few words.\n\nDecides at run time whether it runs; if not, it writes an empty dataset.\n",
        bash_command='wurzel step branch:Few --id few -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/few"',
    )

    after = BashOperator(
        task_id="after",
        doc_md="Backwards; skipped with the step before it.\n",
        bash_command='wurzel step branch:After --id after -i "$WURZEL_RUN/few" -o "$WURZEL_RUN/after"',
    )

    join = BashOperator(
        task_id="join",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join -i "$WURZEL_RUN/many" -i "$WURZEL_RUN/after" -o "$WURZEL_RUN/join"',
        outlets=[Asset("pipeline/join")],
    )

    words >> [many, few]
    few >> after
    [many, after] >> join
