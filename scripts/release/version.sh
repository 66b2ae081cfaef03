#!/bin/bash
# version.sh: the version that a run of GitHub's builds: of a tag v1.2.3 that one, else the chart's with the run's number,
# such as 0.1.0-dev.17.
set -euo pipefail
cd "$(dirname "$0")/../.."
ref=${GITHUB_REF:-} number=${GITHUB_RUN_NUMBER:-0}.${GITHUB_RUN_ATTEMPT:-1} form='^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$'
if [[ $ref == refs/tags/* ]]; then
  [[ ${ref#refs/tags/} =~ $form ]] || { echo "not the tag of a release: $ref" >&2; exit 1; }
  echo "${ref#refs/tags/v}"
else
  echo "$(sed -n 's/^version: //p' charts/underwriter/Chart.yaml)-dev.$number"
fi
