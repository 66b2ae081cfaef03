#!/bin/bash
# MLflow's image as terraform/mlflow says, but upon Debian's Python in the place of the official image, which cannot be had
# everywhere: imports it into the local cluster and prints its reference.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../../cluster/env.sh
. "$(dirname "$0")/../../cluster/env.sh"
source=$HERE/../terraform/mlflow roots=/etc/ssl/certs/ca-certificates.crt
IMAGES=$ROOT/mlflow-image   # a gigabyte, which up.sh need not import

buildah() { command buildah --root "$ROOT/buildah" --runroot "$ROOT/buildah/run" --storage-driver overlay "$@"; }

python() { # python REF: Debian's, and nothing that it does not need
  local container folder
  buildah rm --all >/dev/null   # what an interrupted run has left
  command -v debootstrap >/dev/null || {
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends debootstrap
  } >&2
  container=$(buildah from scratch)
  folder=$(buildah mount "$container")
  debootstrap --variant=minbase --include=python3-venv bookworm "$folder" >&2
  rm -rf "$folder"/var/{cache,lib}/apt
  buildah commit -q "$container" "$1" >/dev/null
  buildah rm "$container" >/dev/null
}

build() { # build REF TAR, from where this machine's pip takes its packages
  local base=localhost/underwriter-python
  python $base
  echo '[global]' >"$IMAGES/pip.conf"
  "$TOOLS/bin/pip" config list | sed -nE "s/.*\.(index-url)='(.*)'/\1 = \2/p" | head -n 1 >>"$IMAGES/pip.conf"
  buildah build --isolation chroot --from $base --volume "$roots:$roots:ro" --volume "$IMAGES/pip.conf:/etc/pip.conf:ro" \
    -t "$1" "$source" >&2
  rm -f "$IMAGES"/mlflow-*.tar
  buildah push -q "$1" "docker-archive:$IMAGES/new:$1"
  buildah rmi -f "$1" $base >/dev/null
  mv "$IMAGES/new" "$2"
}

lock
mkdir -p "$IMAGES"
digest=$(cat "$0" "$source/Containerfile" "$source/requirements.txt" | sha256sum | cut -c-12)
[ -s "$IMAGES/mlflow-$digest.tar" ] || build "localhost/underwriter-mlflow:$digest" "$IMAGES/mlflow-$digest.tar"
import_image mlflow
image_ref mlflow
