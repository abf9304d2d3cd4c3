#!/usr/bin/env bash
# Before a merge: are this branch's streams right, and no slower than those of the branch it goes into?
#
#   START='uvicorn myapp.main:app --port' examples/ci/pre-merge.sh [BASE] [PROFILE]
#
# START   starts the app; the port is added at its end         [ssegauge serve --pace 0.1 --port]
# BASE    what is merged into                                  [main]
# PROFILE which streams; its base_url is that of this branch   [sse-target.toml]
# PORT and BASE_PORT, WORSE_BY, USERS and LOAD_SECONDS may be set, too. Whatever is started here is stopped here.
#
# Exit codes: 0 held; 1 a rule or a gate did not hold, or this branch is slower; 2 something is wrong with the command;
# 3 this machine was too noisy to tell.
set -euo pipefail

base=${1:-main}
profile=${2:-sse-target.toml}
start=${START:-ssegauge serve --pace 0.1 --port}
port=${PORT:-8000}
base_port=${BASE_PORT:-8001}
out=${OUT:-sse-out}

mkdir -p "$out"
before=$(mktemp -d)
pids=()

clean_up() {
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  git worktree remove --force "$before/tree" 2>/dev/null || true
  rm -rf "$before"
}
trap clean_up EXIT

serve() { # FOLDER PORT
  # START is a command with its arguments: it is meant to be split
  # shellcheck disable=SC2086
  (cd "$1" && exec $start "$2") >"$out/app-$2.log" 2>&1 &
  pids+=($!)
  local tries=0
  until (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 150 ] || ! kill -0 "${pids[-1]}" 2>/dev/null; then
      echo "the app did not start on port $2; see $out/app-$2.log" >&2
      exit 2
    fi
    sleep 0.2
  done
}

worst=0
note() { # EXIT CODE: a 1 outweighs a 3
  if [ "$1" -eq 2 ]; then exit 2; fi
  if [ "$worst" -ne 1 ] && [ "$1" -ne 0 ]; then worst=$1; fi
}

git worktree add --quiet --detach "$before/tree" "$base"
serve "$PWD" "$port"
serve "$before/tree" "$base_port"

code=0
ssegauge check "$profile" --results "$out/check.json" || code=$?
note "$code"

code=0
ssegauge compare "http://127.0.0.1:$base_port" "$profile" --worse-by "${WORSE_BY:-10%}" --users "${USERS:-10}" \
  --seconds "${LOAD_SECONDS:-30}" --results "$out/pair.json" || code=$?
note "$code"

code=0
ssegauge report "$out/check.json" "$out/pair.json" -o "$out/report.html" || code=$?
note "$code"

case $worst in
  0) echo "may be merged; the report is $out/report.html" ;;
  3) echo "could not be said: see above, and run it again on a quieter machine" >&2 ;;
  *) echo "may not be merged: see above, and $out/report.html" >&2 ;;
esac
exit "$worst"
