#!/bin/bash
# image.sh NAME BINARY: makes the image of the Containerfile's stage NAME from a static binary, imports it where the
# cluster runs, and prints its reference. The tag is the content, so what has not changed is neither built nor imported.
set -euo pipefail
. "$(dirname "$0")/env.sh"
[ $# = 2 ] || die "usage: image.sh NAME BINARY"
name=$1 binary=$2 roots=/etc/ssl/certs/ca-certificates.crt

buildah() { command buildah --root "$ROOT/buildah" --runroot "$ROOT/buildah/run" --storage-driver overlay "$@"; }

build() { # build REF TAR
  local folder=$IMAGES/build
  rm -rf "$folder"; mkdir "$folder"
  cp "$binary" "$folder/$name"; chmod 755 "$folder/$name"
  cp "$roots" "$folder"
  buildah build --isolation chroot -q --target "$name" -f "$HERE/Containerfile" -t "$1" "$folder" >/dev/null
  buildah push -q "$1" "docker-archive:$folder/image.tar:$1"
  buildah rmi -f "$1" >/dev/null       # the archive is all that is kept
  rm -f "$IMAGES/$name"-*.tar
  mv "$folder/image.tar" "$2"
  rm -r "$folder"
}

lock
digest=$(cat "$HERE/Containerfile" "$roots" "$binary" | sha256sum | cut -c-12)
tar=$IMAGES/$name-$digest.tar
[ -s "$tar" ] || build "localhost/underwriter-$name:$digest" "$tar"
if [ -S "$SOCK" ] && ctr version >/dev/null 2>&1; then import_image "$name"; fi
image_ref "$name"
