#!/bin/bash
# outputs.sh FOLDER REGISTRY VERSION: publishes the images and the chart of FOLDER to REGISTRY, such as ghcr.io/owner, and
# prints lines NAME=DIGEST for $GITHUB_OUTPUT. FOLDER/references is what sign.sh signs, FOLDER/images.yaml the chart's values.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
[ $# = 3 ] || { echo "usage: outputs.sh FOLDER REGISTRY VERSION" >&2; exit 2; }
folder=$1 registry=$2 version=$3

"$HERE/publish.sh" "$folder" "$registry/underwriter-" "$version" >"$folder/references"
"$HERE/values.sh" "$folder/images" "$registry/underwriter-" "$version" >"$folder/images.yaml"
echo "registry=$registry"
sed -E 's|.*/charts/underwriter@|chart=|; s|.*/underwriter-([a-z]+)@|\1=|' "$folder/references"
