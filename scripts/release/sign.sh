#!/bin/bash
# sign.sh FILE: signs what was published, one NAME@DIGEST a line, keyless: the certificate names the workflow and the tag that
# made it. verify.sh asks for just that.
set -euo pipefail
[ $# = 1 ] || { echo "usage: sign.sh FILE" >&2; exit 2; }
mapfile -t references <"$1"
for reference in "${references[@]}"; do
  [[ $reference == *@sha256:* ]] || { echo "not by digest: $reference" >&2; exit 1; }
done
cosign sign --yes "${references[@]}"
