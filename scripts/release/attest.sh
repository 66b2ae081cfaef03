#!/bin/bash
# attest.sh FOLDER: puts beside each published image what it is made of, for both architectures, signed as sign.sh signs.
#   cosign verify-attestation --type cyclonedx … shows it
set -euo pipefail
[ $# = 1 ] || { echo "usage: attest.sh FOLDER" >&2; exit 2; }
while read -r reference; do
  [[ $reference =~ /underwriter-([a-z]+)@sha256: ]] || continue   # the chart is what it contains
  for architecture in amd64 arm64; do
    cosign attest --yes --type cyclonedx --predicate "$1/sbom/$architecture-${BASH_REMATCH[1]}.cdx.json" "$reference"
  done
done <"$1/references"
