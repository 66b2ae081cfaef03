#!/bin/bash
# An image with Debian's psql and the libraries that it needs, and nothing else, in the place of an official image of
# Postgres: imports it into the local cluster and prints its reference.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../../cluster/env.sh
. "$(dirname "$0")/../../cluster/env.sh"
psql=/usr/lib/postgresql/15/bin/psql

buildah() { command buildah --root "$ROOT/buildah" --runroot "$ROOT/buildah/run" --storage-driver overlay "$@"; }
libraries() { ldd $psql | grep -o '/[^ ]*'; }

build() { # build REF TAR
  local folder library; folder=$(mktemp -d)
  # shellcheck disable=SC2064  # the folder of now
  trap "rm -rf '$folder'" EXIT
  mkdir -p "$folder/root/usr/bin"
  cp $psql "$folder/root/usr/bin"
  for library in $(libraries); do install -D "$library" "$folder/root$library"; done
  printf 'FROM scratch\nCOPY root /\nENV PATH=/usr/bin\n' >"$folder/Containerfile"
  buildah build --isolation chroot -q -f "$folder/Containerfile" -t "$1" "$folder" >/dev/null
  rm -f "$IMAGES"/psql-*.tar
  buildah push -q "$1" "docker-archive:$folder/image.tar:$1"
  buildah rmi -f "$1" >/dev/null
  mv "$folder/image.tar" "$2"
}

lock
digest=$(libraries | xargs cat "$0" $psql | sha256sum | cut -c-12)
[ -s "$IMAGES/psql-$digest.tar" ] || build "localhost/underwriter-psql:$digest" "$IMAGES/psql-$digest.tar"
import_image psql
image_ref psql
