#!/bin/bash
# What deploy.yml does to a cluster, done to the local one by the same scripts; only `aws` is another (see there). The
# operator must be installed. Versions that do not work are made of good images in the wrong place.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source-path=SCRIPTDIR/../.. source=cluster/env.sh
. cluster/env.sh
set -a
# shellcheck source=/dev/null
. "$ROOT/s3/secret.env"
set +a
passed=0 failed=0 folder=$(mktemp -d)
export PATH=$PWD/tests/delivery:$PATH SERVER_SECONDS=5 CALLS=$folder SMOKE_SECONDS=60 HELM_TIMEOUT=60s RELEASE_SECONDS=5
trap 'rm -r "$folder"' EXIT
h() { helm --namespace underwriter-system "$@"; }

check() { # check WHAT EXPECTED COMMAND...: whether its output has that text
  local what=$1 want=$2 got; shift 2
  got=$("$@" 2>&1)
  if [[ $got == *"$want"* ]]; then echo "ok    $what"; ((++passed)); return; fi
  echo "FAIL  $what: wanted «$want», got «$got»"; ((++failed))
}

# images OPERATOR PREDICTOR TASKS: a values file as the build writes it, with the image that each is to be
images() {
  local name ref file=$folder/images-$RANDOM.yaml
  echo images: >"$file"
  for name in operator predictor tasks; do
    ref=$(image_ref "$1"); shift
    echo "  $name: {repository: ${ref%:*}, tag: ${ref##*:}, digest: ''}" >>"$file"
  done
  echo "$file"
}
deploy() { scripts/deploy/remote.sh group artifacts "${2:-charts/underwriter}" "$1"; echo "ended with $?"; }
used() { h get values underwriter -o json | jq -r ".images.$1.repository"; }
smoke_left() { kubectl -n lending get loanmodels,predictionservices,jobs -o name | grep -c /smoke; }

cut_off() { # an upgrade whose helm is killed, as with a runner that vanishes
  h upgrade underwriter charts/underwriter --reset-then-reuse-values --wait --set images.operator.tag=missing >/dev/null 2>&1 &
  local helm=$!
  wait_for 20 pending
  kill -KILL $helm
  pending
}
pending() { h list --pending --short | grep .; }

good=$(images operator predictor tasks)
scripts/release/chart.sh 99.0.0-test "$folder" >/dev/null
check "a version that works is deployed, by a real prediction" "ended with 0" deploy "$good" "$folder/underwriter-99.0.0-test.tgz"
check "with the chart given" underwriter-99.0.0-test h list
check "the prediction is shown" '"probability":0.' cat "$folder/stdout"
check "through SSM, to the server of the group" "--auto-scaling-group-names group" cat "$folder/log"

bad=$(images operator busybox tasks)
export SMOKE_SECONDS=20
check "a predictor that does not answer fails the deployment" "ended with 1" deploy "$bad"
check "and says what was done" "the smoke test failed; revision" cat "$folder/stderr"
check "the version before answers again" "runs again and answers" cat "$folder/stderr"
check "its image is the one in use" "underwriter-predictor" used predictor
export SMOKE_SECONDS=60 HELM_TIMEOUT=15s
check "an operator that does not start fails the deployment" "ended with 1" deploy "$(images busybox predictor tasks)"
check "the operator before is back" "the upgrade failed; revision" cat "$folder/stderr"
check "its image is the one in use" "underwriter-operator" used operator
export HELM_TIMEOUT=60s
echo 'replicas: none' >"$folder/refused.yaml"
check "values that the chart refuses fail it" "ended with 1" deploy "$folder/refused.yaml"
check "and what ran runs on" "runs again and answers" cat "$folder/stderr"
check "an upgrade is cut off" underwriter cut_off
check "the next deployment is not held up by it" "ended with 0" deploy "$good"
check "nothing of the smoke test is left" 0 smoke_left
check "a bucket's name is no way into the server's shell" "not the name of a bucket" \
  scripts/deploy/remote.sh group "a'; id; '" charts/underwriter "$good"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
