#!/bin/sh
# Rendered by `wurzel render scheduled -t gitlab` from scheduled:pipeline; do not edit. sha256:517d3f0918de13ee9dc0fa80301e19e38c8834427c570fe0588ee120df19a968
# Starts the pipeline scheduled by the clock. Run it once, in a clone of the project, with glab logged in.
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
