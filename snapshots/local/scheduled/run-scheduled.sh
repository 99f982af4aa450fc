#!/bin/sh
# Rendered by `wurzel render scheduled -t local` from scheduled:pipeline; do not edit. sha256:17e6beb010300f8ba92261f07082bae0770a557a1e1b3566d691a314efbb091b
#
# Runs the pipeline scheduled on this machine; each step starts as soon as its inputs are ready.
# Requires a POSIX shell, and `wurzel` on the PATH.
# Words, nightly
# labels: team=data
# annotations: acme.example/owner=data@acme.example
# shellcheck disable=SC1003,SC2016,SC2209 # values are quoted literally, whatever they look like

set -u

name=scheduled
data=data
root=.
jobs=2
limit=21600

# Sets a variable, unless the caller has set it for this run.
parameter() {
  eval "[ -n \"\${$1+given}\" ]" || export "$1=$2"
}

# Notes what is missing if the caller has set none of these variables.
required() {
  for variable in "$@"; do
    if eval "[ -n \"\${${variable}+given}\" ]"; then
      return
    fi
  done
  missing="${missing} $1"
}

# Sets and checks the environment variables that all steps get.
environment() {
  missing=''
  export 'LOG_LEVEL=info'
  parameter SUFFIX__SUFFIX '?'
}

# Prints what a step needs and what follows it, or replaces the process with the step's command.
step() {
  action=$2
  case "$1" in
    # Give words.
    words)
      needs=''
      followers=suffix
      secrets=''
      set -- \
        wurzel step steps:Words --id words \
        -o data/words \
        --retries 2 \
        --backoff 30s \
        --backoff-factor 2 \
        --backoff-max 10m \
        --timeout 1h
      ;;
    # Put a suffix behind every word.
    # labels: component=gpu
    suffix)
      needs=words
      followers=join
      secrets=''
      set -- \
        wurzel step steps:Suffix --id suffix \
        -i data/words \
        -o data/suffix \
        --retries 2 \
        --backoff 30s \
        --backoff-factor 2 \
        --backoff-max 10m \
        --timeout 1h \
        --shards 3
      ;;
    # Join all words into one.
    join)
      needs=suffix
      followers=''
      secrets=''
      set -- \
        wurzel step steps:Join --id join \
        -i data/suffix \
        -o data/join \
        --retries 2 \
        --backoff 30s \
        --backoff-factor 2 \
        --backoff-max 10m \
        --timeout 1h
      ;;
    *)
      exit 2
      ;;
  esac
  if [ "${action}" = run ]; then
    # shellcheck disable=SC2043  # the only secret so far
    for variable in WURZEL_WEBHOOK; do
      case " ${secrets} " in
        *" ${variable} "*) ;;
        *) unset "${variable}" ;;
      esac
    done
    exec "$@" --own-group
  fi
}

usage() {
  cat <<'END'
Runs a pipeline: a step starts as soon as what it needs is done. When a step fails, what does not need it still runs.

  -j N        run N steps at a time
  -h, --help  show this text

Exit codes: 0 fine, 1 a step failed or time ran out, 2 the user must act: usage, settings, what is missing,
3 data broke a contract, so another try would not help.
END
}

say() {
  printf '%s\n' "$*" >&2
}

# Asks a step and its child processes to stop.
end() {
  kill -s TERM -- "-$1" 2>/dev/null || kill "$1" 2>/dev/null
}

# Runs a step in the background and reports its end; passes a request to stop on to the step.
watch() {
  child=''
  asked=''
  trap 'asked=yes; [ -z "${child}" ] || end "${child}"' TERM
  step "$1" run >"${logs}/$1.log" 2>&1 3>&- &
  child=$!
  [ -z "${asked}" ] || end "${child}"
  status=''
  while [ -z "${status}" ] || kill -0 "${child}" 2>/dev/null; do
    wait "${child}" 2>/dev/null
    status=$?
  done
  printf '%s %s\n' "$1" "${status}" >&3
}

# Stops the run when its time is up.
clock() {
  child=''
  trap 'kill "${child}" 2>/dev/null' TERM
  sleep "${limit}" 3>&- &
  child=$!
  wait "${child}" 2>/dev/null && kill -s ALRM "$$"
}

# Removes the watcher of a finished step from the list of running ones.
forget() {
  kept=''
  for watcher in ${watchers}; do
    case "${watcher}" in
      "$1="*) wait "${watcher#*=}" ;;
      *) kept="${kept} ${watcher}" ;;
    esac
  done
  watchers=${kept}
}

# Whether all steps that a step needs are done.
due() {
  step "$1" tell
  for need in ${needs}; do
    [ -e "${work}/${need}.done" ] || return 1
  done
}

# Asks all running steps to stop, and waits for them.
clear() {
  trap - INT TERM HUP ALRM
  for watcher in ${watchers}; do
    kill "${watcher#*=}" 2>/dev/null
  done
  wait
  rm -rf "${work}"
}

# Tells of a failed run: the steps that failed, and why.
notify() {
  set -- "${1-}" "${2-time for the whole run is over}"
  wurzel notify --step "$1" --reason "$2" scheduled --webhook -- notify-owner --of words || :
}

while [ "$#" -gt 0 ]; do
  case "$1" in
    -h | --help)
      usage
      exit 0
      ;;
    -j)
      jobs=${2-}
      [ "$#" -eq 1 ] || shift
      ;;
    -j*)
      jobs=${1#-j}
      ;;
    *)
      say "unknown argument: $1"
      usage >&2
      exit 2
      ;;
  esac
  shift
done
case "${jobs}" in
  '' | 0* | *[!0-9]*)
    say "-j needs a number, 1 or more"
    exit 2
    ;;
  *) ;;
esac

environment
if [ -n "${missing}" ]; then
  say "${name}: set these environment variables:${missing}"
  exit 2
fi
if ! command -v wurzel >/dev/null; then
  say "${name}: wurzel is not on the path; install it, or activate the environment it is in"
  exit 2
fi
case "$0" in
  */*) here=${0%/*} ;;
  *) here=. ;;
esac
CDPATH='' cd -- "${here}/${root}" || exit 2

logs=".wurzel/${name}/logs"
if ! mkdir -p "${logs}" || ! printf '*\n' >.wurzel/.gitignore || ! work=$(mktemp -d) || ! mkfifo "${work}/events"; then
  say "${name}: cannot write to .wurzel in the project folder, or to the folder for temporary files"
  exit 1
fi
exec 3<>"${work}/events"

watchers=''
running=0
failed=''
code=2
trap 'clear; say "${name}: interrupted"; kill -s INT "$$"' INT
trap 'clear; say "${name}: interrupted"; kill -s TERM "$$"' TERM
trap 'clear; say "${name}: interrupted"; kill -s HUP "$$"' HUP
trap 'clear; say "${name}: time for the whole run is over"; notify; exit 1' ALRM
if [ -n "${limit}" ]; then
  clock &
  watchers="-=$!"
fi

# The positional parameters are the steps that may start.
set -- words
while true; do
  while [ "$#" -gt 0 ] && [ "${running}" -lt "${jobs}" ]; do
    say "$1: started"
    watch "$1" &
    watchers="${watchers} $1=$!"
    running=$((running + 1))
    shift
  done
  [ "${running}" -gt 0 ] || break
  read -r id status <&3
  running=$((running - 1))
  forget "${id}"
  if [ "${status}" -eq 0 ]; then
    say "${id}: done"
    : >"${work}/${id}.done"
    step "${id}" tell
    for id in ${followers}; do
      if due "${id}"; then
        set -- "$@" "${id}"
      fi
    done
  else
    failed="${failed} ${id}"
    case "${status}" in
      2) ;;
      3) [ "${code}" -eq 1 ] || code=3 ;;
      *) code=1 ;;
    esac
    say "${id}: failed with exit code ${status}; the end of ${logs}/${id}.log:"
    tail -n 20 "${logs}/${id}.log" | sed 's/^/  | /' >&2
  fi
done
clear

if [ -n "${failed}" ]; then
  say "${name}: failed:${failed}; what needs them was not run"
  notify "${failed# }" "see ${logs}"
  exit "${code}"
fi
say "${name}: done; datasets are in ${data}"
