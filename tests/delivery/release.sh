#!/bin/bash
# release.sh BUILT PYTHON: what release.yml publishes, made by the same scripts into a registry of its own: images of both
# architectures, the chart, and what they are made of. The programs are those of BUILT, which for arm64 only say that they
# are: nothing of an image runs. PYTHON has the schema of CycloneDX.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source-path=SCRIPTDIR/../.. source=cluster/env.sh
. cluster/env.sh
built=$1 python=$2 port=$((20000 + RANDOM % 10000)) passed=0 failed=0 folder=$(mktemp -d) archive=underwriter-1.2.3.tgz
export INSECURE=1
registry=127.0.0.1:$port
trap 'kill %% 2>/dev/null; rm -rf "$folder"' EXIT

check() { # check WHAT EXPECTED COMMAND...: whether its output has that text
  local what=$1 want=$2 got; shift 2
  got=$("$@" 2>&1)
  if [[ $got == *"$want"* ]]; then echo "ok    $what"; ((++passed)); return; fi
  echo "FAIL  $what: wanted «$want», got «$got»"; ((++failed))
}

programs() {
  local name
  mkdir -p "$folder"/binaries/{amd64,arm64}
  for name in operator predictor tasks; do
    cp "$built/underwriter-$name" "$folder/binaries/amd64/$name"
    cp "$built/underwriter-$name" "$folder/binaries/arm64/$name"
    printf '\xb7' | dd conv=notrunc bs=1 seek=18 of="$folder/binaries/arm64/$name" status=none   # the machine, in ELF's head
  done
}
digest() { scripts/release/digest.sh "$folder/images" "$1"; }
inspect() { skopeo inspect --tls-verify=false "$@"; }
valid() { # valid PACKAGE: against CycloneDX's own schema
  scripts/release/sbom.py "$1" aarch64-unknown-linux-gnu >"$folder/$1.json" && "$python" - "$folder/$1.json" <<'P'
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
print(JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read()) or "passes")
P
}
parts() { jq -r '.components[].name' "$folder/$1.json"; }
signed() { # signed VALUES TAG [UNSIGNED]: by a cosign that notes what it is asked, and finds no signature of UNSIGNED
  rm -rf "$folder/pulled"
  mkdir -p "$folder"/{bin,pulled}
  cat >"$folder/bin/cosign" <<P
#!/bin/sh
echo "\$*" >>"$folder/cosign"
case "\$*" in *${3:-nothing}*) exit 1 ;; esac
P
  chmod +x "$folder/bin/cosign"
  PATH=$folder/bin:$PATH GITHUB_REPOSITORY=owner/name scripts/release/verify.sh "$1" "$2" "$folder/pulled"
  echo "ended with $?"
}
pulled() { find "$folder/pulled" -type f | wc -l; }
last_push() { grep 'PUT /v2/.*/manifests/' "$folder/log" | tail -n 1; }
small() { # small ARCHITECTURE: in the place of MLflow's image, which has a gigabyte
  local to=$folder/mlflow/$1; mkdir -p "$to"
  printf 'FROM scratch\nCOPY amd64/tasks /\n' | command buildah --root "$folder/store" --runroot "$folder/run" --storage-driver vfs build \
    --quiet --platform "linux/$1" --file - --tag small "$folder/binaries" >/dev/null &&
    command buildah --root "$folder/store" --runroot "$folder/run" --storage-driver vfs push --quiet small "oci:$to:image"
}
unpinned() {
  mkdir -p "$folder/copy/terraform"
  cp -r scripts "$folder/copy"; cp -r terraform/mlflow "$folder/copy/terraform"
  sed -i 's/@sha256:[0-9a-f]*//' "$folder/copy/terraform/mlflow/Containerfile"
  "$folder/copy/scripts/release/mlflow.sh" build "$folder/none"
}
version() { env "$@" scripts/release/version.sh; }

registry -port $port >"$folder/log" 2>&1 &
wait_for 20 curl -sf "http://$registry/v2/"

programs
check "the chart is packed" $archive scripts/release/chart.sh 1.2.3 "$folder"
packed=$(sha256sum <"$folder/$archive")
check "images are made" tasks scripts/release/images.sh "$folder/binaries" "$folder/images"
first=$(digest operator)
check "again, they are the same" operator scripts/release/images.sh "$folder/binaries" "$folder/images"
check "to the digest" "$first" digest operator
check "the chart, too" $archive scripts/release/chart.sh 1.2.3 "$folder"
check "to the byte" "${packed%-}" sha256sum "$folder/$archive"
mv "$folder/binaries/arm64" "$folder/arm64"; cp -r "$folder/binaries/amd64" "$folder/binaries/arm64"
check "a program of the wrong architecture is refused" "is not for arm64" scripts/release/images.sh "$folder/binaries" "$folder/wrong"

check "images and chart are published" "operator=$first" scripts/release/outputs.sh "$folder" $registry/owner 1.2.3
check "the chart after its images, for whoever finds it wants them" /owner/charts/underwriter/ last_push
for architecture in amd64 arm64; do
  check "the predictor is there for $architecture" "\"Architecture\": \"$architecture\"" \
    inspect --override-arch $architecture docker://$registry/owner/underwriter-predictor:1.2.3
done
check "by the digest that the chart is told" "$first" inspect docker://$registry/owner/underwriter-operator:1.2.3
check "in another registry the digest is the same" "other/prod/operator@$first" \
  scripts/release/publish.sh "$folder" $registry/other/prod/ 1.2.3
check "with the chart beside the images" "version: 1.2.3" \
  helm show chart --plain-http oci://$registry/other/prod/charts/underwriter --version 1.2.3
touch --date tomorrow "$folder/$archive"   # which helm would push as another one
check "a second run finds its own" "$(cat "$folder/references")" \
  scripts/release/publish.sh "$folder" $registry/owner/underwriter- 1.2.3
check "and pushes nothing" /other/prod/charts/ last_push
check "it does not run as root" 65532:65532 inspect --config docker://$registry/owner/underwriter-operator:1.2.3
check "the chart has the release's version" "appVersion: 1.2.3" helm show chart --plain-http oci://$registry/owner/charts/underwriter --version 1.2.3
check "the values are those of the chart" "@$first" helm template u charts/underwriter --kube-version 1.33.0 \
  --set artifacts.uri=s3://b/p/ --values "$folder/images.yaml"
small amd64; small arm64
check "MLflow's image is one of both architectures" "prod/mlflow@sha256:" scripts/release/mlflow.sh publish "$folder/mlflow" $registry/other/prod/
tag=$(skopeo list-tags --tls-verify=false docker://$registry/other/prod/mlflow | jq -r '.Tags[0]')
for architecture in amd64 arm64; do
  check "it is there for $architecture" "\"Architecture\": \"$architecture\"" \
    inspect --override-arch $architecture "docker://$registry/other/prod/mlflow:$tag"
done
check "and again the same" "prod/mlflow@sha256:$tag" scripts/release/mlflow.sh publish "$folder/mlflow" $registry/other/prod/
check "it is built upon nothing unpinned" "is not pinned" unpinned

check "four things are signed" 4 grep -c @sha256: "$folder/references"
check "a release that is signed may go on" "ended with 0" signed "$folder/images.yaml" v1.2.3
check "with the chart that was published" "${packed%-}" sha256sum "$folder/pulled/$archive"
check "a signature counts only of this release's workflow" "owner/name/.github/workflows/release.yml@refs/tags/v1.2.3" \
  cat "$folder/cosign"
echo 'images: {}' >"$folder/none.yaml"
check "values without images are never signed" "does not name three images" signed "$folder/none.yaml" v1.2.3
for unsigned in underwriter-tasks charts/underwriter; do
  check "without the signature of $unsigned nothing goes on" "ended with 1" signed "$folder/images.yaml" v1.2.3 $unsigned
  check "and no chart is there" 0 pulled
done

check "the predictor's bill of materials is valid" passes valid underwriter-predictor
check "the tasks' too" passes valid underwriter-tasks
check "it has what is linked" ring parts underwriter-predictor
check "with LightGBM in the tasks alone" lightgbm3-sys parts underwriter-tasks
check "and nothing of the tests" 0 grep -c '"proptest"' "$folder/underwriter-predictor.json"

check "a tag is its version" 1.2.3 version GITHUB_REF=refs/tags/v1.2.3
check "a branch counts its runs" -dev.17.2 version GITHUB_REF=refs/heads/develop GITHUB_RUN_NUMBER=17 GITHUB_RUN_ATTEMPT=2
# shellcheck disable=SC2016  # not to be expanded
check "a tag that is no version is refused" "not the tag of a release" version 'GITHUB_REF=refs/tags/v1;$(id)'

echo "$passed passed, $failed failed"
[ $failed = 0 ]
