#!/bin/bash
# mlflow.sh build FOLDER: MLflow's image (terraform/mlflow) as a layout FOLDER/<architecture>. Programs of the image run while
# it is made, so that each architecture wants a machine of its own.
# mlflow.sh publish FOLDER PREFIX: those of FOLDER as one image to PREFIXmlflow; prints it by the digest that Terraform is told.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
source=$HERE/../../terraform/mlflow store=$(mktemp -d)
trap 'buildah rmi --all --force >/dev/null; rm -rf "$store"' EXIT
buildah() { command buildah --root "$store/root" --runroot "$store/run" --storage-driver vfs "$@"; }

build() { # build FOLDER
  grep -qE '^FROM [^ ]+@sha256:[0-9a-f]{64}$' "$source/Containerfile" ||
    { echo "what MLflow's image is built upon is not pinned: scripts/pin/pins.py fill" >&2; exit 1; }
  buildah build --isolation chroot --tag mlflow "$source" >&2
  mkdir -p "$1"
  buildah push --quiet mlflow "oci:$1/$(uname -m):image" >&2
}

publish() { # publish FOLDER PREFIX: under a tag that is its content, for a tag stands for one image for ever
  local layout digest image tls=true
  [ -z "${INSECURE:-}" ] || tls=false
  buildah manifest create mlflow >/dev/null
  for layout in "$1"/*/; do buildah manifest add mlflow "oci:${layout%/}:image" >/dev/null; done
  buildah manifest push --all --quiet mlflow "oci:$store/mlflow:image" >/dev/null
  digest=$("$HERE/digest.sh" "$store" mlflow)
  image=docker://$2mlflow:${digest:7:12}
  skopeo inspect --raw --tls-verify=$tls "$image" >/dev/null 2>&1 ||
    skopeo copy --quiet --all --preserve-digests --dest-tls-verify=$tls "oci:$store/mlflow:image" "$image"
  echo "$2mlflow@$digest"
}

case "${1:-} $#" in
  "build 2" | "publish 3") "$@" ;;
  *) echo "usage: mlflow.sh build FOLDER | publish FOLDER PREFIX" >&2; exit 2 ;;
esac
