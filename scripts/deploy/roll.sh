#!/bin/bash
# roll.sh CHART IMAGES DATA: brings the installed release to another version, and back again where that does not work.
#   CHART   a chart's folder or archive
#   IMAGES  a values file with repository and digest of each image, as the build writes it
#   DATA    the loans of the smoke test (smoke.sh)
# The environment's own values stay as they are. It ends with 0 where the new version answers; else with 1, and the
# version before it runs again.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$HERE/env.sh"
[ $# = 3 ] || die "usage: roll.sh CHART IMAGES DATA"
chart=$1 images=$2 data=$3 patience=${HELM_TIMEOUT:-5m}
h() { helm --namespace "$SYSTEM" "$@"; }

# The newest revision that was deployed as a whole: an interrupted upgrade leaves a later one behind it.
deployed() { h history "$RELEASE" --max 20 2>/dev/null | awk -F '\t' '$3 ~ /^deployed/ {gsub(/ /, "", $1); print $1}' | tail -n 1; }
present() { [ -n "$(deployed)" ]; }

upgrade() {
  h upgrade "$RELEASE" "$chart" --reset-then-reuse-values --values "$images" --wait --timeout "$patience" >/dev/null
}

# Told apart for whoever reads the run: is the new version at fault, or what both of them need?
roll_back() {
  step "back to revision $before"
  h rollback "$RELEASE" "$before" --wait --timeout "$patience" >/dev/null || die "$1, and the rollback failed: look at the cluster"
  "$HERE/smoke.sh" "$data" || die "$1; revision $before runs again, but does not work either"
  die "$1; revision $before runs again and answers"
}

# A new server installs the chart itself (cloud-init), with the values that only it knows.
wait_for "${RELEASE_SECONDS:-900}" present || die "no release $RELEASE in $SYSTEM: the server's first boot installs it"
before=$(deployed)
# An upgrade that was cut off leaves the release locked.
[ -z "$(h list --pending --short)" ] || h rollback "$RELEASE" "$before" --wait --timeout "$patience" >/dev/null
before=$(deployed)
step "upgrade from revision $before"
upgrade || roll_back "the upgrade failed"
step "smoke test"
"$HERE/smoke.sh" "$data" || roll_back "the smoke test failed"
