"""What Airflow calls when a run has failed; the pack is installed there as well."""

from typing import Any


def notify(context: dict[str, Any]) -> None:
    """Say it in the log that Acme's alerting reads."""
    print(f"ACME-ALERT {context['dag'].dag_id} {context['run_id']}")
