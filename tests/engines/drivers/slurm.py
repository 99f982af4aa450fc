"""Slurm on this machine: munged, slurmctld and slurmd, started for the run with a configuration of their own.

The target is the third-party package of docs/examples/slurm-backend, installed by pip into a scratch folder.
"""

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from wurzel.engines.driver import Driver, Outcome, collected
from wurzel.engines.process import said_version

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "slurm-backend"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "sinfo")
PATIENCE = 120.0
"""Seconds for the node to come up, and for the jobs of one case."""
CONFIGURATION = """ClusterName=wurzel
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={home}/munge.socket
CredType=cred/munge
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=0,bf_interval=1
MpiDefault=none
MailProg=/bin/true
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def install(folder):
    """Install the package of the example into a folder by pip, from a copy, so that the checkout stays clean."""
    source = folder / "source"
    shutil.copytree(EXAMPLE, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(folder / "site"), str(source)], check=True, capture_output=True)
    return folder / "site"


class Cluster:
    """One node; `environment` is what the commands of Slurm need."""

    def __init__(self, home):
        self.home = home
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(home / "slurm.conf"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def begin(self):
        """The three daemons as processes, once the node is idle."""
        for name in ("state", "spool"):
            (self.home / name).mkdir()
        (self.home / "munge.key").write_bytes(os.urandom(1024))
        (self.home / "munge.key").chmod(0o600)
        controller, daemon = free_ports()
        text = CONFIGURATION.format(
            host=socket.gethostname().partition(".")[0],
            controller=controller,
            daemon=daemon,
            home=self.home,
            cpus=os.cpu_count(),
        )
        (self.home / "slurm.conf").write_text(text)
        munge = [f"--{name}={self.home}/munge.{name.partition('-')[0]}" for name in ("key-file", "socket", "seed-file")]
        pid = [f"--pid-file={self.home}/munged.pid", f"--log-file={self.home}/munged.log"]
        started = [self._start("munged", "--foreground", "--force", *munge, *pid)]
        self._until((self.home / "munge.socket").exists, "munged")
        started += [self._start("slurmctld", "-D", "-c"), self._start("slurmd", "-D")]
        self._until(lambda: "idle" in self("sinfo", "--noheader", "--format=%T").stdout, "the node")
        return started

    def __call__(self, *words, cwd=None):
        return subprocess.run(
            words, cwd=cwd or self.home, env=self.environment, capture_output=True, text=True, check=False
        )

    def wait(self, jobs):
        """The state of each job, by its name, when none waits or runs any more."""
        self._until(lambda: not self("squeue", "--noheader").stdout.strip(), "the queue")
        found = {}
        for number, name in jobs:
            record = self("scontrol", "--oneliner", "show", "job", number).stdout
            states = set(re.findall(r"\bJobState=(\S+)", record))  # of an array, one for each task
            found[name] = "COMPLETED" if states == {"COMPLETED"} else "/".join(sorted(states - {"COMPLETED"}))
        return found

    def _start(self, *words):
        with (self.home / f"{words[0]}.out").open("wb") as log:
            return subprocess.Popen(words, cwd=self.home, env=self.environment, stdout=log, stderr=log)

    def _until(self, is_true, what):
        end = time.monotonic() + PATIENCE
        while not is_true():
            if time.monotonic() > end:
                logs = "\n".join(path.read_text()[-2000:] for path in sorted(self.home.glob("*.out")))
                raise TimeoutError(f"{what} took longer than {PATIENCE:.0f} s:\n{logs}")
            time.sleep(0.1)


def free_ports():
    """Two ports that nobody listens on."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@contextmanager
def running():
    """A cluster of this machine alone; its folder has a short name, since it holds a socket."""
    with tempfile.TemporaryDirectory(prefix="slurm-") as name:
        cluster, started = Cluster(Path(name)), []
        try:
            started = cluster.begin()
            yield cluster
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()


class Slurm(Driver):
    """The rendered `submit-*.sh` in a Slurm of one node."""

    target = "slurm"
    name = "Slurm"
    how = "`sh submit-*.sh` in a Slurm of one node, by the package of docs/examples/slurm-backend"

    def missing(self):
        if os.geteuid():
            return "slurmctld and slurmd need root"
        return "" if all(map(shutil.which, PROGRAMS)) else "not installed: `make engines`"

    def version(self):
        return said_version("slurmctld", "-V")

    def backend(self):
        spec = importlib.util.spec_from_file_location("acme_slurm_backend", EXAMPLE / "acme_slurm" / "backend.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up
        spec.loader.exec_module(module)
        return module.SlurmBackend()

    def run_all(self, cases, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.site = install(folder)
        with running() as self.cluster:
            return super().run_all(cases, folder)

    def run(self, case, folder):
        project = case.project(folder)
        case.render(project, "slurm", env={"PYTHONPATH": str(self.site)})
        (script,) = project.glob("submit-*.sh")
        done = self.cluster("sh", script.name, cwd=project)
        jobs = [line.split() for line in done.stdout.splitlines()]
        states = self.cluster.wait(jobs)
        failed = {name: state for name, state in states.items() if state != "COMPLETED"}
        logs = "".join(path.read_text() for path in sorted(project.glob(".wurzel/*/slurm/*.log")))
        log = f"{done.stdout}{done.stderr}{states}\n{logs}"
        return Outcome(done.returncode or int(bool(failed)), collected(project / case.data_dir), log)
