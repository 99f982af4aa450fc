# Rendered by `wurzel render hostile -t airflow` from hostile:pipeline; do not edit. sha256:543575dc4185d0223ccb4c442b90a1ea90f2263a23dec025666fd6de77a811f6
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, literal

ENV = {
    "WURZEL_RUN": "da ta/$HOME it's/hostile/run_{{ run_id | urlencode | replace('/', '%2F') }}",
    "WURZEL_RUN_ID": "{{ run_id }}",
    "PLAIN": "yes",
    "SPACES": "  two  ",
    "SHELL_TEXT": "$(touch pwned); `touch pwned`; \"'\\",
    "LINES": literal("one\ntwo\n"),
    "EMPTY": "",
    "PERCENT": literal("100% {{ workflow.uid }} ${{ secrets.X }} {% raw %}"),
    "UNICODE": "ünï 🌱 \u2028",
}

with DAG(
    dag_id="hostile",
    description="# not a comment: {{ no }} ${{ expression }} ${HOME} `id` $(id) 'quoted' \"twice\" \\ end",
    doc_md="# not a comment: {{ no }} ${{ expression }} ${HOME} `id` $(id) 'quoted' \"twice\" \\ end\n\nData of a run: `da ta/$HOME it's/hostile/run_<run id>/<step>`, on a disk that all workers share\n",
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
        env={
            **ENV,
            "WORDS__WORDS": literal(
                '["", "no", "1e3", "{{ x }}", "${y}", "a: b", "- c", "#d", "\'", "\\"", "\\\\", "\\n", " "]',
            ),
        },
    )

    suffix_0 = BashOperator(
        task_id="suffix_0",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-0 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-0"',
        env={**ENV, "SUFFIX_0__SUFFIX": "yes"},
        outlets=[Asset("hostile/suffix-0")],
    )

    suffix_1 = BashOperator(
        task_id="suffix_1",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-1 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-1"',
        env={**ENV, "SUFFIX_1__SUFFIX": "0123"},
        outlets=[Asset("hostile/suffix-1")],
    )

    suffix_2 = BashOperator(
        task_id="suffix_2",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-2 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-2"',
        env={**ENV, "SUFFIX_2__SUFFIX": "1:30"},
        outlets=[Asset("hostile/suffix-2")],
    )

    suffix_3 = BashOperator(
        task_id="suffix_3",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-3 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-3"',
        env={**ENV, "SUFFIX_3__SUFFIX": literal("${{ github.actor }} {{item}} ${X}")},
        outlets=[Asset("hostile/suffix-3")],
    )

    suffix_4 = BashOperator(
        task_id="suffix_4",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-4 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-4"',
        env={**ENV, "SUFFIX_4__SUFFIX": literal("line one\nline two\n\n")},
        outlets=[Asset("hostile/suffix-4")],
    )

    suffix_5 = BashOperator(
        task_id="suffix_5",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-5 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-5"',
        env={**ENV, "SUFFIX_5__SUFFIX": "'; touch pwned #"},
        outlets=[Asset("hostile/suffix-5")],
    )

    suffix_6 = BashOperator(
        task_id="suffix_6",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-6 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-6"',
        env={**ENV, "SUFFIX_6__SUFFIX": "$(touch pwned)`touch pwned`"},
        outlets=[Asset("hostile/suffix-6")],
    )

    suffix_7 = BashOperator(
        task_id="suffix_7",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-7 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-7"',
        env={**ENV, "SUFFIX_7__SUFFIX": "\\"},
        outlets=[Asset("hostile/suffix-7")],
    )

    suffix_8 = BashOperator(
        task_id="suffix_8",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-8 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-8"',
        env={**ENV, "SUFFIX_8__SUFFIX": "- a: [b, {c: d}] # e"},
        outlets=[Asset("hostile/suffix-8")],
    )

    suffix_9 = BashOperator(
        task_id="suffix_9",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-9 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-9"',
        env={**ENV, "SUFFIX_9__SUFFIX": literal("ends in.sh")},
        outlets=[Asset("hostile/suffix-9")],
    )

    suffix_10 = BashOperator(
        task_id="suffix_10",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-10 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-10"',
        env={**ENV, "SUFFIX_10__SUFFIX": "\ttab\xa0nbsp\u2028"},
        outlets=[Asset("hostile/suffix-10")],
    )

    suffix_11 = BashOperator(
        task_id="suffix_11",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-11 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-11"',
        env={**ENV, "SUFFIX_11__SUFFIX": " lead and trail "},
        outlets=[Asset("hostile/suffix-11")],
    )

    suffix_12 = BashOperator(
        task_id="suffix_12",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-12 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-12"',
        env={**ENV, "SUFFIX_12__SUFFIX": "null"},
        outlets=[Asset("hostile/suffix-12")],
    )

    suffix_13 = BashOperator(
        task_id="suffix_13",
        doc_md="Put a suffix behind every word.\n",
        bash_command='wurzel step steps:Suffix --id suffix-13 -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/suffix-13"',
        env={**ENV, "SUFFIX_13__SUFFIX": ""},
        outlets=[Asset("hostile/suffix-13")],
    )

    file_words = BashOperator(
        task_id="file_words",
        doc_md="Read words from a file.\n",
        bash_command='wurzel step steps:FileWords --id file-words -o "$WURZEL_RUN/file-words"',
        env={**ENV, "FILE_WORDS__FILE": "in put/it's $HOME.txt"},
        outlets=[Asset("hostile/file-words")],
    )

    words >> [
        suffix_0,
        suffix_1,
        suffix_2,
        suffix_3,
        suffix_4,
        suffix_5,
        suffix_6,
        suffix_7,
        suffix_8,
        suffix_9,
        suffix_10,
        suffix_11,
        suffix_12,
        suffix_13,
    ]
