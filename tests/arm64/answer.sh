#!/bin/bash
# answer.sh ARM64 BUILT: whether the predictor for arm64 answers a real request just as this machine's own does, to the last
# digit: both serve the same version, which the tasks program of BUILT trains first. Runs under qemu's user emulation.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
arm64=$1 built=$2 folder=$(mktemp -d) passed=0 failed=0
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -r "$folder"' EXIT

check() { # check WHAT EXPECTED COMMAND...: whether its output has that text
  local what=$1 want=$2 got; shift 2
  got=$("$@" 2>&1)
  if [[ $got == *"$want"* ]]; then echo "ok    $what"; ((++passed)); return; fi
  echo "FAIL  $what: wanted «$want», got «$got»"; ((++failed))
}

serve() { # serve NAME PORT PROGRAM...
  local name=$1 port=$2; shift 2
  "$@" --model "$folder/model" --spool "$folder/$name.spool" --listen "127.0.0.1:$port" \
    --admin-listen "127.0.0.1:$((port + 1))" --drain 0s >"$folder/$name.log" 2>&1 &
  curl -s -o /dev/null --retry 60 --retry-connrefused --retry-delay 1 --retry-all-errors --fail \
    "http://127.0.0.1:$((port + 1))/readyz" || cat "$folder/$name.log"
}
ask() { # ask PORT: its answer, but for the id that each decision has of its own
  curl -sS -m 60 -H content-type:application/json -d @examples/consumer-loans/application.json "http://127.0.0.1:$1/predict" |
    jq -c 'del(.decisionId)'
}

train() {
  "$built/underwriter-tasks" train --data examples/data/lending-club-2007-2011.csv.gz \
    --model examples/consumer-loans/loan-model.yaml --out "$folder/model"
}

check "the operator is a program for arm64" "ARM aarch64" file "$arm64/operator"
check "and needs no library of the system" "static" file "$arm64/operator"
check "the operator for arm64 starts" Usage qemu-aarch64-static "$arm64/operator" --help
train >"$folder/train.log" 2>&1 || { cat "$folder/train.log"; exit 1; }
serve arm64 29696 qemu-aarch64-static "$arm64/predictor"
serve native 29698 "$built/underwriter-predictor"
check "the predictor for arm64 answers" '"probability":0.' ask 29696
check "just as the one for this machine" "$(ask 29698)" ask 29696

echo "$passed passed, $failed failed"
[ $failed = 0 ]
