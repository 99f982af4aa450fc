"""A wurzel.yaml in two versions, which differ in thirty settings of all kinds."""

import re

import yaml

ENTRYPOINT = "scheduled:pipeline"
CHANGED = {
    "description": ("Words, nightly", "Words, at night"),
    "image": ("ghcr.io/acme/words:1.0", "ghcr.io/acme/words:1.1"),
    "schedule.cron": ("0 4 * * *", "30 5 * * *"),
    "schedule.timezone": ("Europe/Berlin", "Europe/Paris"),
    "schedule.deadline": ("10m", "20m"),
    "parallelism": (2, 3),
    "timeout": ("6h", "7h"),
    "env.LOG_LEVEL": ("info", "debug"),
    "env.REGION": ("eu-1", "eu-2"),
    "labels.team": ("data", "search"),
    "annotations.note": ("first", "second"),
    "service_account": ("words", "sentences"),
    "defaults.resources.cpu": ("500m", "250m"),
    "defaults.resources.memory": ("1Gi", "768Mi"),
    "defaults.limits.memory": ("2Gi", "3Gi"),
    "defaults.retry.limit": (3, 4),
    "defaults.retry.backoff": ("30s", "45s"),
    "defaults.retry.max": ("10m", "15m"),
    "defaults.timeout": ("1h", "2h"),
    "steps.suffix.image": ("ghcr.io/acme/suffix:2.1", "ghcr.io/acme/suffix:2.2"),
    "steps.suffix.resources.cpu": ("4", "3"),
    "steps.suffix.shards": (3, 5),
    "steps.suffix.settings.SUFFIX": ("?", "!"),
    "steps.suffix.node_selector.disk": ("ssd", "nvme"),
    "steps.suffix.labels.component": ("gpu", "tpu"),
    "steps.suffix.timeout": ("3h", "4h"),
    "targets.argo.namespace": ("words", "all-words"),
    "targets.github.runs_on": ("ubuntu-24.04", "ubuntu-22.04"),
    "targets.gitlab.stage": ("words", "all-words"),
    "targets.airflow.pool": ("words", "all-words"),
}
"""Dotted path below the pipeline to its value before and after."""
FIELDS = {
    re.sub(r"^(steps\.suffix|defaults)\.", "", path).replace("shards", "shards.max").replace("suffix.", "")
    for path in CHANGED
} - {"steps.suffix.image"}
"""What reasons call these settings, for a step or the pipeline."""
TARGETS = ("dvc", "argo", "gitlab", "github", "airflow", "local", "cronjob")


def config(templates, *, after):
    """The text of one version."""
    pipeline = {"entrypoint": ENTRYPOINT, "targets": {target: {} for target in TARGETS}}
    for path, values in CHANGED.items():
        *above, last = path.split(".")
        place = pipeline
        for key in above:
            place = place.setdefault(key, {})
        place[last] = values[after]
    whole = {"version": 1, "templates": templates, "pipelines": {"scheduled": pipeline}}
    return yaml.safe_dump(whole, sort_keys=False)
