#!/bin/bash
# images.sh BINARIES IMAGES: an OCI layout IMAGES/NAME for each program, of both architectures, from the folders
# BINARIES/amd64 and BINARIES/arm64. Nothing of the image runs while it is made, so one machine makes both.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
[ $# = 2 ] || { echo "usage: images.sh BINARIES IMAGES" >&2; exit 2; }
binaries=$1 images=$2 store=$(mktemp -d) roots=/etc/ssl/certs/ca-certificates.crt
trap 'rm -rf "$store"' EXIT
mkdir -p "$images"
buildah() { command buildah --root "$store/root" --runroot "$store/run" --storage-driver vfs "$@"; }

one() { # one NAME ARCHITECTURE
  local folder=$store/build-$1-$2
  mkdir "$folder"
  install -m 755 "$binaries/$2/$1" "$folder/$1"
  cp "$roots" "$folder"
  # No time of building in it: the same binary gives the same digest.
  buildah build --isolation chroot --quiet --platform "linux/$2" --timestamp 0 --target "$1" \
    --file "$HERE/../../cluster/Containerfile" --manifest "$1" "$folder" >/dev/null
}

for name in operator predictor tasks; do
  for architecture in amd64 arm64; do
    # A program of the other architecture would only be found out when its pod starts.
    file --brief "$binaries/$architecture/$name" | grep -Eq "$([ $architecture = amd64 ] && echo x86-64 || echo aarch64)" ||
      { echo "$binaries/$architecture/$name is not for $architecture" >&2; exit 1; }
    one $name $architecture
  done
  buildah manifest push --all --quiet "$name" "oci:$images/$name:image" >/dev/null
  echo "$name"
done
