#!/bin/bash
# terraform.sh plan|apply ENVIRONMENT [VERSION], terraform.sh record ENVIRONMENT VERSION IMAGES: Terraform in
# terraform/environments/ENVIRONMENT.
#   plan    shows what apply would do
#   apply   changes everything but the release, which stays what it is; a new environment begins with VERSION, and its servers
#           wait until that is in their registry
#   record  writes VERSION down as what servers install, with images by digest (the values file of scripts/release/values.sh)
# A deployment applies, rolls and tries the release, and records it only then: a server that is replaced at any time comes
# up with a version that answers. From the environment: TF_STATE_BUCKET, AWS_REGION, and TF_VAR_… for the rest. TERRAFORM is
# the program.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$HERE/env.sh"
command=${1:-} environment=${2:-} version=${3:-} images=${4:-}
case "$command $#" in
  "plan 2" | "apply 2" | "plan 3" | "apply 3" | "record 4") ;;
  *) die "usage: terraform.sh plan|apply ENVIRONMENT [VERSION] | record ENVIRONMENT VERSION IMAGES" ;;
esac
if ! [[ $environment =~ ^[a-z][a-z0-9-]*$ && -d $HERE/../../terraform/environments/$environment ]]; then
  die "no environment $environment"
fi
# GitHub hands over an empty text for a variable that nobody has set.
for name in TF_STATE_BUCKET AWS_REGION TF_VAR_allowed_cidrs TF_VAR_region; do
  [ -n "${!name-unset}" ] || die "$name is empty: docs/delivery.md says where it is set"
done
tf() { "${TERRAFORM:-terraform}" -chdir="$HERE/../../terraform/environments/$environment" "$@"; }

# A release as the variable wants it: the version alone, whose tags never move, or with the digests that were tried.
first() { [ -n "$version" ] && jq -nc --arg version "$version" '{$version}'; }
tried() {
  sed -nE "s/^  ([a-z]+): \{.*digest: '(sha256:[0-9a-f]{64})'\}$/\1 \2/p" "$images" |
    jq -Rcn --arg version "$version" \
      '{$version, image_digests: [inputs / " " | {key: .[0], value: .[1]}] | from_entries}'
}

# What servers read now; nothing before the first apply.
installed() {
  local parameter
  parameter=$(tf output -json delivery 2>/dev/null | jq -er .release_parameter) || return 1
  aws ssm get-parameter --name "$parameter" --query Parameter.Value --output text |
    jq -c '{chart, version, image_digests: .values.images | map_values(.digest), image_tags: .values.images | map_values(.tag)}' ||
    die "what is installed cannot be read: $parameter"
}

export TF_IN_AUTOMATION=true TF_INPUT=false TF_VAR_release
# With its lock file the provider is the one that was pinned, or none.
lock=(); [ ! -e "$HERE/../../terraform/environments/$environment/.terraform.lock.hcl" ] || lock=(-lockfile=readonly)
tf init -reconfigure "${lock[@]}" -backend-config="bucket=$TF_STATE_BUCKET" -backend-config="region=$AWS_REGION" >&2
case $command in
  plan) TF_VAR_release=$(installed || first) || TF_VAR_release='{"version": "0.0.0"}' ;;
  apply) TF_VAR_release=$(installed || first) || die "a new environment begins with a version: say which" ;;
  record)
    TF_VAR_release=$(tried)
    [ "$(jq '.image_digests | length' <<<"$TF_VAR_release")" = 3 ] || die "three images by digest are needed"
    ;;
esac

# A plan is only read, so it takes no lock. What is applied is what was shown.
case $command in
  plan) tf plan -lock=false -no-color ;;
  *)
    plan=$(mktemp)
    trap 'rm -f "$plan"' EXIT
    tf plan -out="$plan"
    tf apply "$plan"
    ;;
esac
