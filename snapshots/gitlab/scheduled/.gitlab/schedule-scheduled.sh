#!/bin/sh
# Rendered by `wurzel render scheduled -t gitlab` from scheduled:pipeline; do not edit. sha256:888bb69a7f679e2b8a406395cbba43613545b2cf55c381dfb9bfcb512c398d7d
# Creates the schedule of the pipeline scheduled. Run it once, in a clone of the project, with glab logged in.
set -eu

name='wurzel: scheduled'
if glab api 'projects/:id/pipeline_schedules?per_page=100' --paginate | grep -qF "\"description\":\"${name}\""; then
  echo "The schedule is there already; take its ID from 'glab schedule list' and change it like this:" >&2
  printf '  glab schedule update ID --cron "%s" --cronTimeZone "%s"\n' '0 4 * * *' Europe/Berlin >&2
  exit 1
fi
glab schedule create \
  --description "${name}" \
  --ref main \
  --cron '0 4 * * *' \
  --cronTimeZone Europe/Berlin \
  --active
# Runs wait for each other in the order in which they were started. GitLab knows the group once a run has used it.
set -- --method PUT projects/:id/resource_groups/scheduled --field process_mode=oldest_first
if ! glab api "$@" > /dev/null; then
  echo "After the first run, run: glab api $*" >&2
fi
