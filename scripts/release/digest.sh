#!/bin/bash
# digest.sh IMAGES NAME: the digest that a layout of images.sh has in every registry, of both architectures together.
set -euo pipefail
[ $# = 2 ] || { echo "usage: digest.sh IMAGES NAME" >&2; exit 2; }
echo "sha256:$(skopeo inspect --raw "oci:$1/$2:image" | sha256sum | cut -d ' ' -f 1)"
