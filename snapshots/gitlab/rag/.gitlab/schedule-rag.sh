#!/bin/sh
# Rendered by `wurzel render rag -t gitlab` from rag_pipeline:rag; do not edit. sha256:d39048c1df1443daea83142ed629ebb61ab845f46953af673fbd1e5f64e67b7d
# Creates the schedule of the pipeline rag. Run it once, in a clone of the project, with glab logged in.
set -eu

if glab schedule list --per-page 100 | grep -qF 'wurzel: rag'; then
  echo "The schedule is there already; take its ID from 'glab schedule list' and change it like this:" >&2
  printf '  glab schedule update ID --cron "%s" --cronTimeZone "%s"\n' '0 4 * * *' Europe/Berlin >&2
  exit 1
fi
glab schedule create \
  --description 'wurzel: rag' \
  --ref main \
  --cron '0 4 * * *' \
  --cronTimeZone Europe/Berlin \
  --active
