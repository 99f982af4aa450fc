# Rendered by `wurzel render fanin -t airflow` from fanin:pipeline; do not edit. sha256:346c67ef94c40f8ac7c2f7cfa1f57566ac89653a72b2294715b9fe6c8940c6a8
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset

ENV = {
    "WURZEL_RUN": "data/fanin/run_{{ run_id | urlencode | replace('/', '%2F') }}",
    "WURZEL_RUN_ID": "{{ run_id }}",
}

with DAG(
    dag_id="fanin",
    doc_md="Data of a run: `data/fanin/run_<run id>/<step>`, on a disk that all workers share\n",
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
    words_b = BashOperator(
        task_id="words_b",
        doc_md="Give words.\n",
        bash_command='wurzel step steps:Words --id words-b -o "$WURZEL_RUN/words-b"',
        env={**ENV, "WORDS_B__WORDS": '["beta", "gamma"]'},
    )

    join_b = BashOperator(
        task_id="join_b",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join-b -i "$WURZEL_RUN/words-b" -o "$WURZEL_RUN/join-b"',
    )

    words_a = BashOperator(
        task_id="words_a",
        doc_md="Give words.\n",
        bash_command='wurzel step steps:Words --id words-a -o "$WURZEL_RUN/words-a"',
        env={**ENV, "WORDS_A__WORDS": '["alpha"]'},
    )

    join_a = BashOperator(
        task_id="join_a",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join-a -i "$WURZEL_RUN/words-a" -o "$WURZEL_RUN/join-a"',
    )

    words_c = BashOperator(
        task_id="words_c",
        doc_md="Give words.\n",
        bash_command='wurzel step steps:Words --id words-c -o "$WURZEL_RUN/words-c"',
        env={**ENV, "WORDS_C__WORDS": "[]"},
    )

    join_c = BashOperator(
        task_id="join_c",
        doc_md="Join all words into one.\n",
        bash_command='wurzel step steps:Join --id join-c -i "$WURZEL_RUN/words-c" -o "$WURZEL_RUN/join-c"',
    )

    shout = BashOperator(
        task_id="shout",
        doc_md="Map over single words.\n",
        bash_command='wurzel step steps:Shout --id shout -i "$WURZEL_RUN/join-b" -i "$WURZEL_RUN/join-a" -i "$WURZEL_RUN/join-c" -o "$WURZEL_RUN/shout"',
        outlets=[Asset("fanin/shout")],
    )

    words_b >> join_b
    words_a >> join_a
    words_c >> join_c
    [join_b, join_a, join_c] >> shout
