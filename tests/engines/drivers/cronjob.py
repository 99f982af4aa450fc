"""A rendered CronJob of a project of tests, in containers that have neither network nor an image of a registry."""

from tests.engines.containers import Containers
from wurzel.engines import cronjob

SETS = ('schedule={cron: "0 4 * * *", timezone: UTC}', "image=acme/words:1.0")


class CronJobPod(cronjob.CronJobPod):
    """`docker` gives a running docker, or a text that says why there is none."""

    def __init__(self, mode, docker):
        super().__init__(sets=(*SETS, f"targets.cronjob.layout={mode}"))
        self.start = docker
        self.name = f"CronJob, {mode}, containers"

    def missing(self):
        self.docker = self.start()
        return self.docker if isinstance(self.docker, str) else ""

    def runner(self, project):
        return Containers.of(self.docker, project), ()
