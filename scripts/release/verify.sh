#!/bin/bash
# verify.sh VALUES TAG: whether the images of a values file are signed by this repository's release of that tag. Nothing else
# gets into production.
set -euo pipefail
[ $# = 2 ] || { echo "usage: verify.sh VALUES TAG" >&2; exit 2; }
mapfile -t references < <(sed -nE "s/^  [a-z]+: \{repository: ([^,]+), tag: [^,]+, digest: '(sha256:[0-9a-f]{64})'\}$/\1@\2/p" "$1")
[ ${#references[@]} = 3 ] || { echo "$1 does not name three images by digest" >&2; exit 1; }
for reference in "${references[@]}"; do
  cosign verify --output text "$reference" \
    --certificate-oidc-issuer https://token.actions.githubusercontent.com \
    --certificate-identity "https://github.com/$GITHUB_REPOSITORY/.github/workflows/release.yml@refs/tags/$2" >/dev/null
  echo "signed: $reference"
done
