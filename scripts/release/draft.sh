#!/bin/bash
# draft.sh TAG ARTIFACTS: a draft of the release, with the chart, the images by digest, and what they are made of.
set -euo pipefail
[ $# = 2 ] || { echo "usage: draft.sh TAG ARTIFACTS" >&2; exit 2; }
tag=$1 artifacts=$2 notes=$(mktemp)
trap 'rm -f "$notes"' EXIT
cd "$(dirname "$0")/../.."
# What the change log says of this version, if it does.
awk -v head="## [${tag#v}]" 'index($0, "## ") == 1 {in_it = index($0, head) == 1; next} in_it' CHANGELOG.md >"$notes"
files=("$artifacts"/images/underwriter-*.tgz "$artifacts"/images/sbom/*.cdx.json)
[ ! -e "$artifacts/production/images.yaml" ] || files+=("$artifacts/production/images.yaml")
gh release create "$tag" --draft --verify-tag --title "$tag" --notes-file "$notes" "${files[@]}"
