#!/bin/bash
# fetch.sh URL SHA256 FILE: downloads, and keeps the file only if its content has this checksum. A file that is there
# already, and is right, is left alone.
set -euo pipefail
[ $# = 3 ] || { echo "usage: fetch.sh URL SHA256 FILE" >&2; exit 2; }
url=$1 checksum=$2 file=$3
[[ $checksum =~ ^[0-9a-f]{64}$ ]] || { echo "$url: no checksum is known for it, so it is not installed" >&2; exit 2; }

is_right() { [ -f "$1" ] && [ "$(sha256sum <"$1")" = "$checksum  -" ]; }

is_right "$file" && exit
mkdir -p "$(dirname "$file")"
new=$(mktemp "$file.XXXXXX")
trap 'rm -f "$new"' EXIT
curl --fail --silent --show-error --location --retry 5 --retry-connrefused --max-time 600 --output "$new" "$url"
is_right "$new" || { echo "$url: its checksum is $(sha256sum <"$new" | cut -c1-64), expected $checksum" >&2; exit 1; }
chmod 755 "$new"
mv "$new" "$file"
