# Rendered by `wurzel render named -t airflow` from named:pipeline; do not edit. sha256:cea2813e769f4020df27bc4a9146cb40d0549b2f922fffb6bbd682061bbf20a6
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, Param

ENV = {
    "WURZEL_RUN": "data/named/run_{{ run_id | urlencode | replace('/', '%2F') }}",
    "WURZEL_RUN_ID": "{{ run_id }}",
}

with DAG(
    dag_id="named",
    doc_md="Data of a run: `data/named/run_<run id>/<step>`, on a disk that all workers share\n",
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
    params={
        "SUFFIX_EN__SUFFIX": Param(
            "th",
            type="string",
            title="SUFFIX",
            description="put behind every word",
            section="suffix-en",
        ),
    },
    tags=["wurzel"],
):
    words = BashOperator(
        task_id="words",
        doc_md="Give words.\n",
        bash_command='wurzel step steps:Words --id words -o "$WURZEL_RUN/words"',
    )

    suffix_de = BashOperator(
        task_id="suffix_de",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-de -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-de"',
        env={**ENV, "SUFFIX_DE__SUFFIX": "ß", "SUFFIX_DE__TIMES": "2"},
        outlets=[Asset("named/suffix-de")],
    )

    suffix_en = BashOperator(
        task_id="suffix_en",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-en -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-en"',
        env={**ENV, "SUFFIX_EN__SUFFIX": "{{ params.SUFFIX_EN__SUFFIX }}"},
        outlets=[Asset("named/suffix-en")],
    )

    words >> [suffix_de, suffix_en]
