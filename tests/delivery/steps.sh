#!/bin/bash
# What deploy.yml does around a cluster: Terraform's plan, apply and record, its outputs, and the comment. Terraform, AWS and
# GitHub are played by functions that note how they were called; the environments are those of the repository, or one of the
# test where there are none.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
passed=0 failed=0 folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder"/{bin,terraform/environments/development}
cp -r scripts "$folder"
cd "$folder" || exit
export PATH=$folder/bin:$PATH FOLDER=$folder TF_STATE_BUCKET=state AWS_REGION=eu-central-1 GITHUB_REPOSITORY=owner/name
sum=sha256:$(printf %064d 7) old=sha256:$(printf %064d 6)

check() { # check WHAT EXPECTED COMMAND...: whether its output has that text
  local what=$1 want=$2 got; shift 2
  got=$("$@" 2>&1)
  if [[ $got == *"$want"* ]]; then echo "ok    $what"; ((++passed)); return; fi
  echo "FAIL  $what: wanted «$want», got «$got»"; ((++failed))
}
program() { cat >"bin/$1"; chmod +x "bin/$1"; }
shorter() { [ "$(wc -c <"$1")" -lt "$2" ] && echo shorter; }
lacks() { ! grep -F "$1" "$2" && echo "it is not there"; }

program terraform <<'P'
#!/bin/bash
shift   # -chdir
echo "$1 ${*:2}" >>"$FOLDER/calls"
case $1 in
  output) cat "$FOLDER/delivery.json" ;;
  plan) echo "$TF_VAR_release" >"$FOLDER/release"; echo "Plan: 1 to add, 0 to change, 0 to destroy." ;;
esac
P
program aws <<'P'
#!/bin/bash
cat "$FOLDER/parameter"
P
program gh <<'P'
#!/bin/bash
echo "$*" >>"$FOLDER/gh"
case "$*" in *--paginate*) cat "$FOLDER/comments" 2>/dev/null ;; *body=@*) cat "$(sed 's/.*body=@\([^ ]*\).*/\1/' <<<"$*")" >"$FOLDER/body" ;; esac
exit 0
P
{ echo images:; for name in operator predictor tasks; do
  echo "  $name: {repository: r/$name, tag: 2.0.0, digest: '$sum'}"; done; } >images.yaml
new=(2.0.0 images.yaml)
tf() { scripts/deploy/terraform.sh "$@"; echo "ended with $?"; }
release() { jq -c "$1" release; }

check "nothing is applied before a release is named" "a new environment begins with a version" tf apply development
check "a plan is, of a new environment" "Plan: 1 to add" tf plan development
check "a plan takes no lock" "plan -lock=false" cat calls
check "a new environment begins with the version given" "ended with 0" tf apply development 2.0.0
check "and no other" '{"version":"2.0.0"}' release .
check "the state is in the bucket named" "-backend-config=bucket=state" cat calls

jq -n '{autoscaling_group: "group", artifacts_bucket: "artifacts", registry_host: "host", release_parameter: "/u/release",
  repository_urls: {operator: "host/u-dev/operator"}, publish_role_arn: "p", deploy_role_arn: "d"}' >delivery.json
jq -n --arg digest "$old" '{chart: "oci://old", version: "1.0.0", values: {images: ({operator: {}, predictor: {}, tasks: {}} |
  map_values({repository: "r", tag: "", digest: $digest}))}}' >parameter
check "what is installed stays while the rest is applied" "ended with 0" tf apply development 2.0.0
check "with its digests" "\"$old\"" release .image_digests.operator
check "and its chart" '["oci://old","1.0.0"]' release '[.chart, .version]'
mv parameter away
check "where it cannot be read, nothing is applied" "cannot be read" tf apply development 2.0.0
mv away parameter
check "a release that worked is written down" "ended with 0" tf record development "${new[@]}"
check "with its digests" "\"$sum\"" release .image_digests.operator
check "and the version of its chart, which is in the registry" '[null,"2.0.0"]' release '[.chart, .version]'
sed -i "s/digest: .*tasks/&/; /tasks/s/sha256:[0-9a-f]*//" images.yaml
check "one without its digests is not" "three images by digest" tf record development "${new[@]}"
check "what was planned is what is applied" "apply /tmp/" cat calls
check "a variable that nobody set is named" "TF_VAR_allowed_cidrs is empty" env TF_VAR_allowed_cidrs= scripts/deploy/terraform.sh plan development
check "an environment that is none is refused" "no environment" tf plan ../development
check "the next steps are told" "prefix=host/u-dev/" scripts/deploy/outputs.sh development
check "and the bucket" "bucket=artifacts" scripts/deploy/outputs.sh development

# shellcheck disable=SC2016  # not to be expanded
printf 'Plan: 1 to add\n````\n$(touch pwned) `touch pwned` <b>\n' >plan.txt
scripts/deploy/comment.sh 12 development plan.txt
check "a plan becomes a comment" "repos/owner/name/issues/12/comments" tail -n 1 gh
check "with its summary first" "**Terraform, development:** Plan: 1 to add" cat body
# shellcheck disable=SC2016  # not to be expanded
check "its text is shown as it is" '$(touch pwned)' cat body
check "and cannot end the block it is shown in" "2" grep -c '^````' body
echo 345 >comments
scripts/deploy/comment.sh 12 development plan.txt
check "the next one takes its place" "PATCH repos/owner/name/issues/comments/345" tail -n 1 gh
yes 0123456789 | head -c 100000 >plan.txt
scripts/deploy/comment.sh 12 development plan.txt
check "a long plan is cut to what GitHub takes" "shorter" shorter body 65000
check "a number that is none is refused" "not a pull request" scripts/deploy/comment.sh '12; id' development plan.txt
check "nothing of it was run" "it is not there" lacks pwned <(ls)

echo "$passed passed, $failed failed"
[ $failed = 0 ]
