# Rendered by `wurzel render grouped -t airflow` from grouped:pipeline; do not edit. sha256:70fd24ff85bf785de58bbfa031faee0b10aae81e66246702f7566b8d4404450a
import re
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, Param, RetryDecision, RetryPolicy


class RetryUnlessFinal(RetryPolicy):
    """Retry, except after exit code 2 (wrong configuration) or 3 (the step would fail again)."""

    def evaluate(self, exception, try_number, max_tries, context=None):
        final = re.search(r"(?:exit code |'StatusCode': )([23])\b", str(exception))
        if final:
            return RetryDecision.fail(f"exit code {final[1]}")
        return RetryDecision.default()


ENV = {
    "WURZEL_RUN": "data/grouped/run_{{ run_id | urlencode | replace('/', '%2F') }}",
    "WURZEL_IR": "{{ task.dag.folder }}/grouped.ir.json",
    "WURZEL_IR_SHA256": "b003377c934d65002bdb5aa0e99b59da6edb791dbd67635ef461efb979a7f1c9",
    "WURZEL_RUN_ID": "airflow-{{ dag.dag_id }}-{{ run_id | urlencode | replace('/', '%2F') }}",
    "SUFFIX__SUFFIX": "{{ params.SUFFIX__SUFFIX }}",
}
RUN = 'work=$(mktemp -d) && trap : TERM && trap \'rm -rf "$work"\' EXIT && wurzel run --from-ir "$WURZEL_IR" --data-dir "$WURZEL_RUN" --state-dir "$work"'

with DAG(
    dag_id="grouped",
    doc_md="Data of a run: `data/grouped/run_<run id>/<step>`, on a disk that all workers share\n",
    schedule=None,
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    dagrun_timeout=timedelta(days=1),
    default_args={
        "retries": 1,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": RetryUnlessFinal(),
        "execution_timeout": timedelta(minutes=10),
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
    tags=["wurzel"],
):
    words = BashOperator(
        task_id="words",
        doc_md="Give words.\n",
        bash_command=RUN + " --only words",
    )

    letters = BashOperator(
        task_id="letters",
        doc_md="**upper**\n\nMake words upper case.\n\n**reverse**\n\nWrite words backwards.\n",
        bash_command=RUN + " -j 2 --only upper,reverse",
    )

    suffix = BashOperator(
        task_id="suffix",
        doc_md="Put a suffix behind every word.\n",
        bash_command=RUN + " --only suffix",
    )

    join = BashOperator(
        task_id="join",
        doc_md="Join all words into one.\n",
        bash_command=RUN + " --only join",
    )

    shout = BashOperator(
        task_id="shout",
        doc_md="Map over single words.\n",
        bash_command=RUN + " --only shout",
        outlets=[Asset("grouped/shout")],
    )

    words >> letters
    letters >> suffix
    [suffix, letters] >> join
    join >> shout
