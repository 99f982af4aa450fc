# Rendered by `wurzel render grouped -t airflow` from grouped:pipeline; do not edit. sha256:1f2435649dd82facdfe57c4f9281c7d14bc78b00d83f462f8f0f0f99efd06010
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, Param

ENV = {
    "WURZEL_RUN": "data/grouped/run_{{ run_id | urlencode | replace('/', '%2F') }}",
    "WURZEL_RUN_ID": "{{ run_id }}",
}

with DAG(
    dag_id="grouped",
    doc_md="Data of a run: `data/grouped/run_<run id>/<step>`\n",
    schedule=None,
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    default_args={
        "retries": 0,
        "execution_timeout": timedelta(minutes=5),
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
    tags=["wurzel"],
):
    words = BashOperator(
        task_id="words",
        doc_md="Give words.\n",
        bash_command='wurzel step steps:Words --id words -o "$WURZEL_RUN/words"',
        env=ENV,
    )

    upper = BashOperator(
        task_id="upper",
        doc_md="Make words upper case.\n",
        bash_command='wurzel step steps:Upper --id upper -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/upper"',
        env=ENV,
    )

    suffix = BashOperator(
        task_id="suffix",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix -i "$WURZEL_RUN/upper" -o "$WURZEL_RUN/suffix"',
        env={
            **ENV,
            "SUFFIX__SUFFIX": "{{ params.SUFFIX__SUFFIX }}",
        },
    )

    reverse = BashOperator(
        task_id="reverse",
        doc_md="Write words backwards.\n",
        bash_command='wurzel step steps:Reverse --id reverse -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/reverse"',
        env=ENV,
    )

    join = BashOperator(
        task_id="join",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join -i "$WURZEL_RUN/suffix" -i "$WURZEL_RUN/reverse" -o "$WURZEL_RUN/join"',
        env=ENV,
    )

    shout = BashOperator(
        task_id="shout",
        doc_md="Map over single words.\n",
        bash_command='wurzel step steps:Shout --id shout -i "$WURZEL_RUN/join" -o "$WURZEL_RUN/shout"',
        env=ENV,
        outlets=[Asset("grouped/shout")],
    )

    words >> [upper, reverse]
    upper >> suffix
    [suffix, reverse] >> join
    join >> shout
