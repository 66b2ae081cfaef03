#!/bin/bash
# tools.sh FOLDER: what PyPI does not have, built by Go into FOLDER (actionlint, and a registry for the tests), and skopeo of
# Debian's.
set -euo pipefail
[ $# = 1 ] || { echo "usage: tools.sh FOLDER" >&2; exit 2; }
export GOBIN=$1 CGO_ENABLED=0
go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
go install github.com/google/go-containerregistry/cmd/registry@v0.22.1
command -v skopeo >/dev/null || {
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends skopeo
} >/dev/null
