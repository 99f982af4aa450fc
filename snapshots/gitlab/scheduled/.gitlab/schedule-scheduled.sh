#!/bin/sh
# Rendered by `wurzel render scheduled -t gitlab` from scheduled:pipeline; do not edit. sha256:17124e35253d1b276cfb7fad5157b7625cb10a6d17d6e19d6815e2aa4bbdc639
# Creates the schedule of the pipeline scheduled. Run it once, in a clone of the project, with glab logged in.
set -eu

if glab schedule list --per-page 100 | grep -qF 'wurzel: scheduled'; then
  echo "The schedule is there already; take its ID from 'glab schedule list' and change it like this:" >&2
  printf '  glab schedule update ID --cron "%s" --cronTimeZone "%s"\n' '0 4 * * *' Europe/Berlin >&2
  exit 1
fi
glab schedule create \
  --description 'wurzel: scheduled' \
  --ref main \
  --cron '0 4 * * *' \
  --cronTimeZone Europe/Berlin \
  --active
