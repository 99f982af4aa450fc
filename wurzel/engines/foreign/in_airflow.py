"""Run by Airflow's own Python: `airflow dags test` for many DAGs in one process, which saves its start for each.

`python in_airflow.py FILE` reads a JSON list of [DAG file, DAG id, conf] and prints one JSON object: for each run its
exit code and seconds, and for each task instance its state and how often it was tried.
"""

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from airflow import __version__
from airflow.cli.cli_parser import get_parser
from airflow.models.taskinstance import TaskInstance
from airflow.utils.db import upgradedb
from airflow.utils.session import create_session

PLACE = "--dagfile-path" if __version__.startswith("3") else "--subdir"


def run(file: str, dag_id: str, conf: dict[str, Any]) -> object:
    """The exit code of one `airflow dags test`."""
    words = ["dags", "test", dag_id, PLACE, file, "--conf", json.dumps(conf)]
    args = get_parser().parse_args(words)
    try:
        args.func(args)
    except SystemExit as end:
        return end.code
    except Exception:  # noqa: BLE001 - whatever Airflow raises is the result of this run
        traceback.print_exc()
        return "error"
    return 0


def tasks(dag_id: str, known: set[str]) -> list[Any]:
    """State and tries of the instances that are new, by run, task and map index."""
    with create_session() as session:
        found = session.query(TaskInstance).filter(TaskInstance.dag_id == dag_id)
        rows = [(item.run_id, item.task_id, item.map_index, str(item.state), item.try_number) for item in found]
    new = [row for row in rows if row[0] not in known]
    known.update(row[0] for row in rows)
    return [[task, index, state, tries] for _, task, index, state, tries in sorted(new)]


upgradedb()
report: list[dict[str, Any]] = []
known: set[str] = set()
for file, dag_id, conf in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
    sys.stdout.write(f"=== {dag_id}\n")
    sys.stdout.flush()
    started = time.monotonic()
    code = run(file, dag_id, conf)
    seconds = time.monotonic() - started
    report.append({"code": code, "tasks": tasks(dag_id, known), "seconds": seconds})
sys.stdout.write(f"\nREPORT{json.dumps(report)}\n")
