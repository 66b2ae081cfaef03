#!/bin/bash
# publish.sh FOLDER PREFIX VERSION: copies the layouts of images.sh in FOLDER/images, and then the archive of chart.sh in FOLDER,
# to a registry as they are, and prints each by its digest; an image's is the same in every registry. PREFIX is what stands
# before an image's name, as in ghcr.io/owner/underwriter- or <registry>/underwriter-prod/; the chart is charts/underwriter
# beside them. The login is that of login.sh. INSECURE=1 is for the registry of the tests.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
[ $# = 3 ] || { echo "usage: publish.sh FOLDER PREFIX VERSION" >&2; exit 2; }
folder=$1 prefix=$2 version=$3 chart=${2%/*}/charts/underwriter archive=$1/underwriter-$3.tgz tls=true
[ -z "${INSECURE:-}" ] || tls=false
# What a registry has under the version.
there() { skopeo inspect --raw --tls-verify=$tls "docker://$1:$version"; }
digest() { echo "sha256:$(sha256sum | cut -d ' ' -f 1)"; }

# A tag stands for one thing for ever: a second run finds its own, and another's stays.
for name in operator predictor tasks; do
  image=$("$HERE/digest.sh" "$folder/images" $name)
  [ "$(there "$prefix$name" 2>/dev/null | digest)" = "$image" ] ||
    skopeo copy --quiet --all --preserve-digests --dest-tls-verify=$tls "oci:$folder/images/$name:image" \
      "docker://$prefix$name:$version"
  echo "$prefix$name@$image"
done

# helm writes the time into what it pushes, so that only the archive says whether the chart is there.
[ "$(there "$chart" 2>/dev/null | jq -r '.layers[0].digest')" = "$(digest <"$archive")" ] ||
  helm push ${INSECURE:+--plain-http} "$archive" "oci://${chart%/*}" >&2
pushed=$(there "$chart" | digest)
echo "$chart@$pushed"
