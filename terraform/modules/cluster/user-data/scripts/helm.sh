#!/bin/bash
# Installs helm, the pinned version and nothing unless its checksum is right.
set -euo pipefail
archive=/var/cache/underwriter/helm-$HELM_VERSION.tar.gz
"$(dirname "$0")/fetch.sh" "$HELM_DOWNLOAD" "$HELM_CHECKSUM" "$archive"
tar --extract --gzip --file "$archive" --directory /usr/local/bin --strip-components 1 --no-same-owner --wildcards '*/helm'
