#!/bin/bash
# remote.sh GROUP BUCKET CHART IMAGES: roll.sh on the server of an environment, through SSM: no port is open for it, and
# the cluster's credentials never leave the server. CHART and IMAGES as roll.sh takes them.
#   GROUP   the Auto Scaling group of the server
#   BUCKET  where the server may read: takes the scripts, the chart and the loans of the smoke test, below deployments/
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$HERE/env.sh"
[ $# = 4 ] || die "usage: remote.sh GROUP BUCKET CHART IMAGES"
group=$1 bucket=$2 chart=$3 images=$4 minutes=45
place=deployments/$(date -u +%Y%m%dT%H%M%SZ)-$RANDOM instance=''
cd "$HERE/../.."

server() {
  instance=$(aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names "$group" --output text \
    --query "AutoScalingGroups[0].Instances[?LifecycleState=='InService'] | [0].InstanceId")
  [[ $instance == i-* ]] && [ "$(aws ssm describe-instance-information --output text \
    --filters "Key=InstanceIds,Values=$instance" --query 'InstanceInformationList[0].PingStatus')" = Online ]
}

bundle() { # what roll.sh needs, laid out as in the repository
  local folder; folder=$(mktemp -d)
  cp -r scripts examples/consumer-loans "$folder"
  mkdir "$folder/examples"; mv "$folder/consumer-loans" "$folder/examples"
  cp -r "$chart" "$folder/chart"
  cp "$images" "$folder/images.yaml"
  tar -czf "$folder.tgz" -C "$folder" scripts/deploy examples chart images.yaml
  aws s3 cp --only-show-errors "$folder.tgz" "s3://$bucket/$place/bundle.tgz"
  aws s3 cp --only-show-errors examples/data/lending-club-2007-2011.csv.gz "s3://$bucket/$place/loans.csv.gz"
  rm -r "$folder" "$folder.tgz"
}

# Nothing in it comes from outside: the place is made above, and the bucket's name has no character that a shell minds.
commands() {
  cat <<C
set -euo pipefail
folder=\$(mktemp -d)
trap 'rm -r "\$folder"' EXIT
aws s3 cp --only-show-errors 's3://$bucket/$place/bundle.tgz' - | tar -xzC "\$folder"
bash "\$folder/scripts/deploy/roll.sh" "\$folder/chart" "\$folder/images.yaml" 's3://$bucket/$place/loans.csv.gz'
C
}

send() {
  aws ssm send-command --document-name AWS-RunShellScript --instance-ids "$instance" --output text \
    --comment "Underwriter: $place" --query Command.CommandId --parameters "$(commands | jq -Rs --arg s $((minutes * 60)) \
      '{commands: ["bash -c \(@sh)"], executionTimeout: [$s]}')"
}
told() { aws ssm get-command-invocation --command-id "$command" --instance-id "$instance" --output text --query "$1"; }
ended() { status=$(told Status) && [[ $status != Pending && $status != InProgress && $status != Delayed ]]; }

[[ $bucket =~ ^[a-z0-9.-]+$ ]] || die "not the name of a bucket: $bucket"
wait_for "${SERVER_SECONDS:-900}" server || die "no server of $group takes commands"
bundle
command=$(send)
step "$place on $instance, command $command"
# Not within wait_for, which would hide the status that was found.
until ended; do
  [ $SECONDS -lt $((minutes * 60 + 900)) ] || die "still $status after $SECONDS s"
  sleep 5
done
told StandardOutputContent
told StandardErrorContent >&2
[ "$status" = Success ] || die "$status: see above"
