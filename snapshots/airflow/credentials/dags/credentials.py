# Rendered by `wurzel render credentials -t airflow` from credentials:pipeline; do not edit. sha256:854d9ca8a4cec96cf061ccc7e8b0940811b6029b753dabcfd99cb6b1fc7f6039
from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, BaseHook
from airflow.sdk.log import mask_secret


def secret(connection: str, key: str) -> str:
    """An entry of an Airflow connection; hidden in logs and in the UI."""
    found = BaseHook.get_connection(connection)
    extra = found.extra_dejson
    value = str(extra[key] if key in extra else getattr(found, key))
    mask_secret(value)
    return value


ENV = {
    "WURZEL_RUN": "data/credentials/run_{{ run_id | urlencode | replace('/', '%2F') }}",
    "WURZEL_RUN_ID": "{{ run_id }}",
    "SHARED_TOKEN": "{{ secret('shared', 'token') }}",
}

with DAG(
    dag_id="credentials",
    doc_md="Data of a run: `data/credentials/run_<run id>/<step>`, on a disk that all workers share\n",
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
    user_defined_macros={"secret": secret},
):
    words = BashOperator(
        task_id="words",
        doc_md="Give words.\n",
        bash_command='wurzel step steps:Words --id words -o "$WURZEL_RUN/words"',
    )

    secret_suffix = BashOperator(
        task_id="secret_suffix",
        doc_md="Put the length of a secret behind every word.\n",
        bash_command='wurzel step steps:SecretSuffix --id secret-suffix -i "$WURZEL_RUN/words" -o "$WURZEL_RUN/secret-suffix"',
        env={**ENV, "SECRET_SUFFIX__TOKEN": "{{ secret('suffix', 'api-token') }}"},
        outlets=[Asset("credentials/secret-suffix")],
    )

    words >> secret_suffix
