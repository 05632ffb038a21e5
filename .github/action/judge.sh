#!/usr/bin/env bash
# Runs what the action's inputs ask for, adds the summary to the job's, and tells later steps the exit code and where
# the results are. Written for bash 3.2, which runners with macOS have.
set -eo pipefail

folder="$(mktemp -d "$RUNNER_TEMP/convsim.XXXXXX")"
summary="$folder/summary.md"
# What is printed holds strangers' words: GitHub obeys no command in it until it sees a word that nobody can guess.
unguessable="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
code=0
wrong=""
asked=("$COMMAND" "--out=$folder/report" "--summary=$summary" "--junit=$folder/junit.xml")

case "$COMMAND" in
  validate | counterfactual)
    [ -z "$STUDY" ] || wrong="the input study belongs to the command study"
    [ -z "$GATE" ] || asked+=("--gate=$GATE")
    [ -z "$BASELINE" ] || asked+=("--baseline=$BASELINE")
    [ -z "$FAIL_ON" ] || asked+=("--fail-on=$FAIL_ON")
    files=("$REAL" "$SIMULATED")
    ;;
  study)
    [ -n "$STUDY" ] || wrong="the command study needs the input study"
    [ -z "$REAL$SIMULATED$GATE$BASELINE$FAIL_ON" ] ||
      wrong="a study names its people and its gate itself, in [judge]: leave the inputs real, simulated, gate, baseline and fail-on empty"
    files=("$STUDY")
    ;;
  *)
    wrong="the input command must be validate, counterfactual or study"
    ;;
esac

further=()
while IFS= read -r argument || [ -n "$argument" ]; do
  argument="${argument%$'\r'}"
  case "$argument" in
    "") continue ;;
    --out | --out=* | --summary | --summary=* | --junit | --junit=*)
      wrong="leave ${argument%%=*} out of the input arguments: the action writes these files, and the output folder says where"
      ;;
  esac
  further+=("$argument")
done <<<"$ARGUMENTS"

if [ -n "$wrong" ]; then
  printf '::error::%s\n' "$wrong"
  code=2
else
  # An empty array is an unset variable to bash 3.2, where these are looked for.
  [ "${#further[@]}" -eq 0 ] || asked+=("${further[@]}")
  asked+=(--)
  for file in "${files[@]}"; do
    [ -z "$file" ] || asked+=("$file")
  done
  printf '::stop-commands::%s\n' "$unguessable"
  python -m convsim "${asked[@]}" || code=$?
  printf '\n::%s::\n' "$unguessable"
fi

if [ ! -s "$summary" ]; then
  printf '### convsim: no verdict\n\nIt ended with exit code %s; the log of this job says why.\n' "$code" >"$summary"
fi
cat "$summary" >>"$GITHUB_STEP_SUMMARY"
printf 'exit-code=%s\nfolder=%s\n' "$code" "$folder" >>"$GITHUB_OUTPUT"
