#!/bin/bash
# chart.sh VERSION FOLDER [OCI]: the chart's archive in FOLDER, of that version, whose images have the same one; with an
# address such as oci://ghcr.io/owner/charts it is pushed there, and printed by its digest.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: chart.sh VERSION FOLDER [OCI]" >&2; exit 2; }
[[ $1 =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || { echo "not a version: $1" >&2; exit 2; }
archive=$2/underwriter-$1.tgz folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
helm package "$(dirname "$0")/../../charts/underwriter" --version "$1" --app-version "$1" --destination "$folder" >/dev/null
tar -xzmf "$folder/underwriter-$1.tgz" -C "$folder"
# No time of packaging in it: the same chart gives the same archive.
mkdir -p "$2"
tar -c --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$folder" underwriter | gzip -n >"$archive"
[ -n "${3:-}" ] || exit 0
digest=$(helm push ${INSECURE:+--plain-http} "$archive" "$3" 2>&1 | sed -n 's/^Digest: //p')
[[ $digest == sha256:* ]] || { echo "the chart was not pushed to $3" >&2; exit 1; }
echo "${3#oci://}/underwriter@$digest"
