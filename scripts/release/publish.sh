#!/bin/bash
# publish.sh IMAGES PREFIX TAG [NAME...]: copies layouts, those of images.sh where none is named, to a registry, as they are, so
# that digests are the same in every registry. PREFIX is what stands before a name, as in ghcr.io/owner/underwriter- or <registry>/underwriter-prod/;
# the login is that of login.sh. INSECURE=1 is for the registry of the tests.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 3 ] || { echo "usage: publish.sh IMAGES PREFIX TAG [NAME...]" >&2; exit 2; }
images=$1 prefix=$2 tag=$3 names=("${@:4}") tls=true
[ $# -gt 3 ] || names=(operator predictor tasks)
[ -z "${INSECURE:-}" ] || tls=false
# What a registry has under the tag; the digest of nothing where it has nothing.
there() { skopeo inspect --raw --tls-verify=$tls "docker://$prefix$1:$tag" 2>/dev/null | sha256sum | cut -d ' ' -f 1; }

for name in "${names[@]}"; do
  digest=$("$HERE/digest.sh" "$images" "$name")
  # A tag stands for one image for ever: a second run finds its own, and another's stays.
  [ "sha256:$(there "$name")" = "$digest" ] ||
    skopeo copy --quiet --all --preserve-digests --dest-tls-verify=$tls "oci:$images/$name:image" "docker://$prefix$name:$tag"
  echo "$prefix$name@$digest"
done
