"""Run by Airflow's own Python: imports every DAG file below a folder, as its DAG processor does, and says what it saw.

`python airflow_bag.py FOLDER` prints one JSON object: import errors; and for each DAG its file, its serialized form,
its first starts, and the pods its tasks would start, with all templates rendered for one run.
"""

import json
import sys
from types import SimpleNamespace

import pendulum
from airflow.utils.types import DagRunType
from kubernetes.client import ApiClient

try:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization as Serialization
except ImportError:
    from airflow.models.dagbag import DagBag
    from airflow.serialization.serialized_objects import SerializedDAG as Serialization

RUN = "manual__2026-01-01T00:00:00+00:00"


def pods(dag):
    """The pods of every task, one for each instance."""
    context = {"run_id": RUN, "params": dag.params.dump(), "dag": dag}
    found = {}
    for task in dag.tasks:
        kind = getattr(task, "operator_class", type(task)).__name__
        if kind == "KubernetesPodOperator":
            for plain in instances(task):
                plain.render_template_fields(context, dag.get_template_env())
                pod = ApiClient().sanitize_for_serialization(plain.build_pod_request_obj())
                found.setdefault(task.task_id, []).append(pod)
    return found


def instances(task):
    if hasattr(task, "build_pod_request_obj"):
        return [task]
    ((name, values),) = task.expand_input.value.items()
    if hasattr(values, "callables"):  # how many there are, a task says when it runs: here one slice of one
        (made_of,) = values.callables
        values = [made_of("1/1")]
    return [task.unmap({name: value}) for value in values]


def late(dag):
    """What the deadline says of runs: by the clock, early and late, and by hand."""
    if not dag.has_task("starts_in_time"):
        return None
    check = dag.get_task("starts_in_time").python_callable
    answers = []
    for kind, minutes in [(DagRunType.SCHEDULED, 1), (DagRunType.SCHEDULED, 11), (DagRunType.MANUAL, 11)]:
        moment = pendulum.now("UTC").subtract(minutes=minutes)
        answers.append(check(SimpleNamespace(run_type=kind, run_after=moment, data_interval_end=moment)))
    return answers


def starts(dag):
    """The first starts in 2026."""
    from airflow.timetables.base import TimeRestriction

    timetable = dag.timetable
    if not hasattr(timetable, "next_dagrun_info"):
        from airflow.serialization.encoders import coerce_to_core_timetable

        timetable = coerce_to_core_timetable(timetable)
    last, moments = None, []
    restriction = TimeRestriction(earliest=pendulum.datetime(2026, 1, 1, tz="UTC"), latest=None, catchup=True)
    while len(moments) < 3:
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        if info is None:
            return None
        last = info.data_interval
        moments.append(info.run_after.isoformat())
    return moments


bag = DagBag(sys.argv[1])
report = {"errors": bag.import_errors, "dags": {}}
for dag in bag.dags.values():
    serialized = json.dumps(Serialization.to_dict(dag))
    report["dags"][dag.dag_id] = {
        "file": dag.fileloc,
        "serialized": serialized,
        "tasks": [task.task_id for task in dag.topological_sort()],
        "starts": starts(dag),
        "late": late(dag),
        "pods": pods(dag),
    }
print("REPORT" + json.dumps(report))
