#!/bin/bash
# smoke.sh DATA: whether the system that is installed does its work: trains a small model on the loans at DATA (an s3://
# or https:// address), serves it, and asks it for a real prediction. Each of the three images is needed for that.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
EXAMPLE=$HERE/../../examples/consumer-loans
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$HERE/env.sh"
[ $# = 1 ] || die "usage: smoke.sh DATA"
data=$1 seconds=${SMOKE_SECONDS:-600} forward=
k() { kubectl --namespace "$MODELS" "$@"; }

# The example's model and service under a name of their own, of the family that is learnt fastest.
objects() {
  k patch --local -f "$EXAMPLE/loan-model.yaml" --type merge -o yaml -p '{"metadata": {"name": "smoke"}, "spec": {
    "data": {"uri": "'"$data"'"}, "training": {"algorithm": "Scorecard", "deadline": "10m", "retries": 0},
    "deletionPolicy": "Delete"}}'
  echo ---
  k patch --local -f "$EXAMPLE/prediction-service.yaml" --type merge -o yaml -p '{"metadata": {"name": "smoke"},
    "spec": {"modelRef": {"name": "smoke"}}}'
}
clean() { k delete predictionservice,loanmodel smoke --ignore-not-found --timeout=60s; }

what_stands() { # what a person would look at first
  k get loanmodels,modelversions,predictionservices,jobs,pods
  k get events --sort-by .lastTimestamp | tail -n 15
  kubectl --namespace "$SYSTEM" logs "deployment/$RELEASE" --tail 30
}

finish() {
  local status=$?
  [ $status = 0 ] || what_stands >&2 || true
  [ -z "$forward" ] || kill "$forward" || true
  clean >/dev/null || true
  rm -r "$folder"
  exit $status
}

# Through the API server, so that no port has to be open to whoever deploys.
ask() {
  local door
  kubectl --namespace "$MODELS" port-forward service/smoke :9696 >"$folder/door" 2>&1 &
  forward=$!
  wait_for 30 grep -q '^Forwarding from 127' "$folder/door" || { cat "$folder/door" >&2; return 1; }
  door=$(sed -n 's/^Forwarding from \(127[^ ]*\) .*/\1/p' "$folder/door")
  curl -sS --fail-with-body --max-time 30 --header content-type:application/json --data "@$1" "http://$door/predict"
}

folder=$(mktemp -d)
trap finish EXIT
clean >/dev/null
objects | k apply -f - >/dev/null
k wait loanmodel/smoke --for=condition=Ready --timeout="${seconds}s" >/dev/null || die "no model was trained"
k wait predictionservice/smoke --for=condition=Ready --timeout="${seconds}s" >/dev/null || die "the model is not served"
ask "$EXAMPLE/application.json" >"$folder/answer" || die "no answer: $(cat "$folder/answer")"
answer=$(cat "$folder/answer")
grep -Eq '"probability": ?(0|1|0\.[0-9]+)[,}]' <<<"$answer" || die "not a prediction: $answer"
echo "trained, served and asked in $SECONDS s: $answer"
