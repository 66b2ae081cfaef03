#!/bin/bash
# Every stage of `make test`, each timed. A stage that builds or installs must succeed for the next to begin; after a stage
# that tests, the others still run. The cluster is ended again, unless it ran before.
set -uom pipefail    # m: each stage is a process group of its own, so that an interruption ends all of it
cd "$(dirname "$0")/.." || exit
# shellcheck source-path=SCRIPTDIR/.. source=cluster/env.sh
. cluster/env.sh
output=$(mktemp) table="" uncounted=0 started="" commit=$(git describe --always --dirty)

# counts: how many tests passed and failed, by what the test runners have said.
counts() {
  awk '/^test result:/ {passed += $4; failed += $6} /^[0-9]+ passed, [0-9]+ failed$/ {passed += $1; failed += $3}
    END {print passed + 0, failed + 0}' "$output"
}

row() { table+=$(printf '%-13s %3d min %02d s  %s' "$1" $(($2 / 60)) $(($2 % 60)) "${3:-}")$'\n'; }

# stage NAME COMMAND...: a failure that no runner has counted, of a compiler for instance, counts as one.
stage() {
  local name=$1 begun=$SECONDS before after status; shift
  read -r _ before < <(counts)
  printf '\n==> %s\n' "$name"
  "$@" </dev/null 2>&1 | tee -a "$output" &
  wait $!
  status=$?
  read -r _ after < <(counts)
  [ $status = 0 ] || [ "$after" -gt "$before" ] || ((++uncounted))
  row "$name" $((SECONDS - begun)) "$([ $status = 0 ] || echo failed)"
  return $status
}
target() { stage "$1" make -s "$1"; }

what_stands() { # what a person would look at first
  kubectl get underwriter,jobs,pods -A
  kubectl get events -A --sort-by .lastTimestamp | tail -n 30
  kubectl -n underwriter-system logs deployment/underwriter --tail 100
}

# write_down COUNTS: the figures and times of a run in full sizes, in place of those of the last one.
write_down() {
  local page=docs/measurements.md run
  run=$(
    echo "Commit $commit on $(date -u +%F), $(nproc) cores of $(
      sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(awk '/^MemTotal/ {print int($2 / 2 ^ 20 + 0.5)}' /proc/meminfo) GiB: $1."
    printf '\n```\n'
    grep -E '^up to |: ours ' "$output"           # model quality beside the peer's
    sed -n '/^Summary$/,/^$/p' "$output"          # of the story
    grep -E '^(operator,|image) ' "$output"
    printf '%s```\n' "$table"
  )
  awk -v run="$run" '/^<!-- verify -->/ {print; print run; skip = 1} /^<!-- end -->/ {skip = 0} !skip' $page \
    >"$output.page" && mv "$output.page" $page
}

# shellcheck disable=SC2317  # called by the trap
finish() {
  local passed failed job
  trap '' INT TERM
  for job in $(jobs -p); do kill -TERM -- "-$job" 2>/dev/null; done
  [ -z "$started" ] || stage down cluster/down.sh
  read -r passed failed < <(counts)
  ((failed += uncounted))
  row total $SECONDS
  printf '\n%s\n' "$table"
  grep -E '^test result:|^[0-9]+ passed, [0-9]+ failed$' "$output" | tail -n 3
  [ -z "${UNDERWRITER_FULL:-}" ] || write_down "$passed passed, $failed failed"
  rm -f "$output"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
  exit $?
}
trap finish EXIT
trap '((++uncounted)); exit 130' INT TERM

target tools && target build || exit
target lint
pid_of node >/dev/null || started=yes
target up || exit
target smoke
target install || exit
# The next stages mostly wait. What the later ones are made with is built meanwhile, on one processor at most.
GOMAXPROCS=1 GOFLAGS=-p=1 nice -n 19 make -s prepare >/dev/null 2>&1 </dev/null &
preparing=$!
target chart
if target story; then target figures; else what_stands; fi
target faults || what_stands
target delivery || what_stands
target unit
target mlflow
begun=$SECONDS
wait $preparing    # where it failed, the stage that needs it says why
row prepare $((SECONDS - begun))
target boot
target terraform
target peers
if [ -n "${UNDERWRITER_FULL:-}" ]; then for bench in quality recall; do target bench-$bench; done; fi
target workflows
[ -z "${UNDERWRITER_FULL:-}" ] || target arm64
