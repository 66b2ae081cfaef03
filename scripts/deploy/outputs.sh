#!/bin/bash
# outputs.sh ENVIRONMENT: what the next steps of a job need to know of an environment, as lines NAME=VALUE for
# $GITHUB_OUTPUT; terraform.sh must have run before.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$HERE/env.sh"
[[ ${1:-} =~ ^[a-z][a-z0-9-]*$ ]] || die "usage: outputs.sh ENVIRONMENT"
"${TERRAFORM:-terraform}" -chdir="$HERE/../../terraform/environments/$1" output -json delivery | jq -r '
  "group=\(.autoscaling_group)", "bucket=\(.artifacts_bucket | .name? // .)", "registry=\(.registry_host)",
  "prefix=\(.repository_urls.operator | rtrimstr("operator"))",
  "publish_role=\(.publish_role_arn)", "deploy_role=\(.deploy_role_arn)"'
