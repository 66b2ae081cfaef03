#!/bin/bash
# verify.sh VALUES TAG FOLDER: pulls the chart that stands beside the images of a values file into FOLDER, if all of them are
# signed by this repository's release of that tag. Nothing else gets into production.
set -euo pipefail
[ $# = 3 ] || { echo "usage: verify.sh VALUES TAG FOLDER" >&2; exit 2; }
version=${2#v}
mapfile -t references < <(sed -nE "s/^  [a-z]+: \{repository: ([^,]+), tag: [^,]+, digest: '(sha256:[0-9a-f]{64})'\}$/\1@\2/p" "$1")
[ ${#references[@]} = 3 ] || { echo "$1 does not name three images by digest" >&2; exit 1; }
chart=${references[0]%/*}/charts/underwriter
for reference in "${references[@]}" "$chart:$version"; do # nobody moves a tag in ECR
  cosign verify --output text "$reference" \
    --certificate-oidc-issuer https://token.actions.githubusercontent.com \
    --certificate-identity "https://github.com/$GITHUB_REPOSITORY/.github/workflows/release.yml@refs/tags/$2" >/dev/null
  echo "signed: $reference"
done
helm pull ${INSECURE:+--plain-http} "oci://$chart" --version "$version" --destination "$3"
