#!/bin/sh
# Rendered by `wurzel render rag -t local` from rag_pipeline:rag; do not edit. sha256:4a02d96ed72a1aa3b8d6340d90e826d48a8230a44423608e572aea8ed135d284
#
# Runs the pipeline rag on this machine; each step starts as soon as its inputs are ready.
# Requires a POSIX shell, and `wurzel` on the PATH.
# Questions about wurzel, answered from its documentation
# shellcheck disable=SC1003,SC2016,SC2209 # values are quoted literally, whatever they look like

set -u

name=rag
data=data
root=.
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null) || jobs=1
limit=''

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
  parameter SPLIT__TOKEN_COUNT_MAX 256
}

# Prints what a step needs and what follows it, or replaces the process with the step's command.
step() {
  action=$2
  case "$1" in
    # Read the questions.
    questions)
      needs=''
      followers='answer evaluate'
      set -- \
        env 'QUESTIONS__FILE_PATH=questions.json' \
        wurzel step rag_pipeline:QuestionsStep --id questions \
        -o data/questions \
        --retries 2 \
        --backoff 10s \
        --backoff-factor 2 \
        --backoff-max 1m \
        --timeout 10m
      ;;
    # Read a folder of Markdown files with front matter.
    guides)
      needs=''
      followers=split
      set -- \
        env 'GUIDES__FOLDER_PATH=../../backends' 'GUIDES__URL_PREFIX=docs/backends/' \
        wurzel step wurzel.steps.manual_markdown:ManualMarkdownStep --id guides \
        -o data/guides \
        --retries 2 \
        --backoff 10s \
        --backoff-factor 2 \
        --backoff-max 1m \
        --timeout 10m
      ;;
    # Read a folder of Markdown files with front matter.
    decisions)
      needs=''
      followers=split
      set -- \
        env 'DECISIONS__FOLDER_PATH=../../decisions' 'DECISIONS__URL_PREFIX=docs/decisions/' \
        wurzel step wurzel.steps.manual_markdown:ManualMarkdownStep --id decisions \
        -o data/decisions \
        --retries 2 \
        --backoff 10s \
        --backoff-factor 2 \
        --backoff-max 1m \
        --timeout 10m
      ;;
    # Split Markdown documents into chunks of limited size, by their structure.
    split)
      needs='decisions guides'
      followers=drop-duplication
      set -- \
        wurzel step wurzel.steps.splitter:SimpleSplitterStep --id split \
        -i data/guides \
        -i data/decisions \
        -o data/split \
        --retries 2 \
        --backoff 10s \
        --backoff-factor 2 \
        --backoff-max 1m \
        --timeout 10m
      ;;
    # Keep only the first of equal documents.
    drop-duplication)
      needs=split
      followers=export
      set -- \
        wurzel step wurzel.steps.duplication:DropDuplicationStep --id drop-duplication \
        -i data/split \
        -o data/drop-duplication \
        --retries 2 \
        --backoff 10s \
        --backoff-factor 2 \
        --backoff-max 1m \
        --timeout 10m
      ;;
    # Turn chunks into passages, one after the other.
    export)
      needs=drop-duplication
      followers='embed answer'
      set -- \
        wurzel step rag_pipeline:ExportStep --id export \
        -i data/drop-duplication \
        -o data/export \
        --retries 2 \
        --backoff 10s \
        --backoff-factor 2 \
        --backoff-max 1m \
        --timeout 10m
      ;;
    # Turn passages into vectors, a portion at a time.
    embed)
      needs=export
      followers=index
      set -- \
        wurzel step rag_pipeline:EmbedStep --id embed \
        -i data/export \
        -o data/embed \
        --portion 100 \
        --retries 2 \
        --backoff 10s \
        --backoff-factor 2 \
        --backoff-max 1m \
        --timeout 10m \
        --shards 4
      ;;
    # Write all vectors to a file.
    index)
      needs=embed
      followers=answer
      set -- \
        wurzel step rag_pipeline:IndexStep --id index \
        -i data/embed \
        -o data/index \
        --retries 2 \
        --backoff 10s \
        --backoff-factor 2 \
        --backoff-max 1m \
        --timeout 10m
      ;;
    # Find the passages closest to each question, and the sentence closest to it. A language model would go here.
    answer)
      needs='index export questions'
      followers='evaluate report'
      set -- \
        wurzel step rag_pipeline:AnswerStep --id answer \
        -i 'index=data/index' \
        -i 'passages=data/export' \
        -i 'questions=data/questions' \
        -o data/answer \
        --retries 2 \
        --backoff 10s \
        --backoff-factor 2 \
        --backoff-max 1m \
        --timeout 10m
      ;;
    # Count the questions whose source was found; skipped if no source is known.
    # Decides at run time whether it runs; if not, it writes an empty dataset.
    evaluate)
      needs='answer questions'
      followers=report
      set -- \
        wurzel step rag_pipeline:EvaluateStep --id evaluate \
        -i 'questions=data/questions' \
        -i 'answers=data/answer' \
        -o data/evaluate \
        --retries 2 \
        --backoff 10s \
        --backoff-factor 2 \
        --backoff-max 1m \
        --timeout 10m
      ;;
    # Write the answers and their score as a page of Markdown.
    report)
      needs='evaluate answer'
      followers=''
      set -- \
        wurzel step rag_pipeline:ReportStep --id report \
        -i 'score=data/evaluate' \
        -i 'answers=data/answer' \
        -o data/report \
        --retries 2 \
        --backoff 10s \
        --backoff-factor 2 \
        --backoff-max 1m \
        --timeout 10m
      ;;
    *)
      exit 2
      ;;
  esac
  if [ "${action}" = run ]; then
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
trap 'clear; say "${name}: time for the whole run is over"; exit 1' ALRM
if [ -n "${limit}" ]; then
  clock &
  watchers="-=$!"
fi

# The positional parameters are the steps that may start.
set -- questions guides decisions
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
  exit "${code}"
fi
say "${name}: done; datasets are in ${data}"
