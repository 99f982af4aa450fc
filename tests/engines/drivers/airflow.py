"""Airflow with what tests ask of it besides runs: connections, and pods without a cluster."""

import json
from pathlib import Path

from wurzel.engines import airflow
from wurzel.engines.airflow import report

HERE = Path(__file__).parents[1]
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


class Airflow(airflow.Airflow):
    """One version, with two connections and a cluster that is nowhere."""

    def __init__(self, version, home):
        (home / "kubeconfig").write_text(KUBECONFIG)
        variables = {
            "KUBECONFIG": str(home / "kubeconfig"),
            "AIRFLOW_CONN_SUFFIX": json.dumps({"conn_type": "generic", "extra": {"api-token": SECRET}}),
            "AIRFLOW_CONN_SHARED": json.dumps({"conn_type": "generic", "password": "x", "extra": {"token": "t"}}),
        }
        super().__init__(version, home, variables)
        self.version = version

    def bag(self, folder):
        """What Airflow sees in a folder of DAG files."""
        return report(self("python", HERE / "airflow_bag.py", folder, folder=folder))
