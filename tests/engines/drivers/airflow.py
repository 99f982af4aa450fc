"""Apache Airflow 3 and 2: `airflow dags test` for many DAGs in one process, which saves its start for each."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.engines.drivers.base import Driver, Outcome, collected, no_program

HERE = Path(__file__).parents[1]
ENGINES = HERE.parents[1] / ".engines"
HOMES = {"3": ENGINES / "airflow", "2.11": ENGINES / "airflow-2"}
SECRET = "hunter2 {{ x }}"
"""Value of a secret that a connection holds."""
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: nobody, user: {}}]
contexts: [{name: none, context: {cluster: none, user: nobody}}]
current-context: none
"""


class Airflow:
    """One version of Airflow with a home of its own."""

    def __init__(self, version, home):
        self.version = version
        self.bin = HOMES[version] / "bin"
        (home / "kubeconfig").write_text(KUBECONFIG)
        self.env = {
            **os.environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "SCARF_ANALYTICS": "false",
            "KUBECONFIG": str(home / "kubeconfig"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "AIRFLOW_CONN_SUFFIX": json.dumps({"conn_type": "generic", "extra": {"api-token": SECRET}}),
            "AIRFLOW_CONN_SHARED": json.dumps({"conn_type": "generic", "password": "x", "extra": {"token": "t"}}),
        }

    def __call__(self, *arguments, folder=None, check=True):
        env = self.env | ({"AIRFLOW__CORE__DAGS_FOLDER": str(folder)} if folder else {})
        done = subprocess.run(
            [str(self.bin / arguments[0]), *map(str, arguments[1:])],
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert not check or done.returncode == 0, done.stdout[-20000:] + done.stderr[-20000:]
        return done

    def bag(self, folder):
        """What Airflow sees in a folder of DAG files."""
        return report(self("python", HERE / "airflow_bag.py", folder, folder=folder))

    def runs(self, root, asked):
        """`airflow dags test` for each [DAG file, DAG id, conf], one after the other; also all that was printed."""
        self("airflow", "db", "migrate")
        (root / "asked.json").write_text(json.dumps(asked))
        done = self("python", HERE / "airflow_run.py", root / "asked.json", folder=root)
        return report(done), done.stdout + done.stderr


def report(done):
    """What our program in Airflow's Python has found."""
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("REPORT")]
    return json.loads(line.removeprefix("REPORT"))


class AirflowDags(Driver):
    """The rendered DAG files with the bash operator."""

    target = "airflow"

    def __init__(self, version):
        self.wanted = version
        self.name = f"Airflow {version}"
        self.how = "`airflow dags test` with bash tasks, all DAGs in one process; times are without its start"

    def missing(self):
        return no_program(HOMES[self.wanted] / "bin" / "airflow")

    def version(self):
        code = "from importlib.metadata import version; print(version('apache-airflow'))"
        done = subprocess.run(
            [HOMES[self.wanted] / "bin" / "python", "-c", code], capture_output=True, text=True, check=True
        )
        return f"Apache Airflow {done.stdout.strip()}"

    def run(self, case, folder):
        return self.run_all([case], folder)[case.label]

    def run_all(self, cases, folder):
        home, root = folder / "home", folder / "it's a {{ project }}"
        home.mkdir(parents=True)
        asked = []
        for case in cases:
            project = case.project(root / case.label)
            case.render(
                project, "airflow", f"targets.airflow.version={self.wanted}", f"targets.airflow.dag_id={case.label}"
            )
            (file,) = (project / "dags").glob("*.py")
            asked.append([str(file), case.label, {}])
        results, log = Airflow(self.wanted, home).runs(root, asked)
        return {
            case.label: Outcome(
                result["code"], self._data(root / case.label / case.data_dir / case.label), log, "", result["seconds"]
            )
            for case, result in zip(cases, results, strict=True)
        }

    def _data(self, folder):
        """Datasets of the one run of a DAG."""
        (run,) = folder.glob("run_*")
        return collected(run)
