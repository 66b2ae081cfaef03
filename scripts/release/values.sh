#!/bin/bash
# values.sh IMAGES PREFIX TAG: the chart's values for the images that publish.sh has copied, by digest.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
[ $# = 3 ] || { echo "usage: values.sh IMAGES PREFIX TAG" >&2; exit 2; }
echo images:
for name in operator predictor tasks; do
  echo "  $name: {repository: $2$name, tag: $3, digest: '$("$HERE/digest.sh" "$1" $name)'}"
done
