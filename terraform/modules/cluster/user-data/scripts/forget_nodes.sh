#!/bin/bash
# Removes the nodes whose machine is gone for good: those named by an instance id that AWS no longer has, or has ended.
set -euo pipefail
for node in $(kubectl get nodes --output name); do
  instance=${node#node/}
  [[ $instance =~ ^i-[0-9a-f]+$ ]] || continue
  # By a filter: for an id that is long forgotten there is then an empty answer, and no error.
  state=$(aws ec2 describe-instances --filters "Name=instance-id,Values=$instance" \
    --query 'Reservations[].Instances[].State.Name' --output text)
  case $state in
    "" | terminated) kubectl delete "$node" --wait=false ;;
  esac
done
