#!/bin/bash
# kubeconfig.sh GROUP REGION [FILE]: fetches the cluster's kubeconfig from its server through SSM, and opens a way to the
# Kubernetes API on 127.0.0.1:6443 for as long as it runs. Needs the aws command line and its session-manager-plugin.
#   GROUP   the Auto Scaling group of the servers
#   FILE    ./kubeconfig unless another is named; only its owner can read it
set -euo pipefail
[ $# = 2 ] || [ $# = 3 ] || { echo "usage: kubeconfig.sh GROUP REGION [FILE]" >&2; exit 2; }
group=$1 file=${3:-kubeconfig}
export AWS_REGION=$2 AWS_DEFAULT_REGION=$2

instance=$(aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names "$group" --output text \
  --query "AutoScalingGroups[0].Instances[?LifecycleState=='InService'] | [0].InstanceId")
[[ $instance == i-* ]] || { echo "$group has no server in service" >&2; exit 1; }

session() { aws ssm start-session --target "$instance" --document-name "$1" --parameters "$2"; }

# The session says a line of its own before and after. Nothing of it is in the history of SSM's commands.
umask 077
session AWS-StartNonInteractiveCommand '{"command": ["sudo cat /etc/rancher/k3s/k3s.yaml"]}' |
  tr -d '\r' | sed -n '/^apiVersion:/,/^ *client-key-data:/p' >"$file.new"
grep -q '^ *client-key-data:' "$file.new" || { rm "$file.new"; echo "$instance has given no kubeconfig: has it booted?" >&2; exit 1; }
mv "$file.new" "$file"

echo "In another shell: export KUBECONFIG=$(realpath "$file")   (this one holds the way open; end it with Ctrl-C)"
session AWS-StartPortForwardingSession '{"portNumber": ["6443"], "localPortNumber": ["6443"]}'
