#!/bin/bash
# chart.sh VERSION FOLDER: the chart's archive in FOLDER, of that version, whose images have the same one; prints where.
set -euo pipefail
[ $# = 2 ] || { echo "usage: chart.sh VERSION FOLDER" >&2; exit 2; }
[[ $1 =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || { echo "not a version: $1" >&2; exit 2; }
archive=$2/underwriter-$1.tgz folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
helm package "$(dirname "$0")/../../charts/underwriter" --version "$1" --app-version "$1" --destination "$folder" >/dev/null
tar -xzmf "$folder/underwriter-$1.tgz" -C "$folder"
# No time of packaging in it: the same chart gives the same archive.
mkdir -p "$2"
tar -c --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$folder" underwriter | gzip -n >"$archive"
echo "$archive"
