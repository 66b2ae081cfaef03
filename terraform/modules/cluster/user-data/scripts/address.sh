#!/bin/bash
# Takes the cluster's public address, which the server before had. Behind a load balancer there is none.
set -euo pipefail
[ -n "$ADDRESS_ALLOCATION" ] || exit 0
instance=$(cat /var/lib/cloud/data/instance-id)
aws ec2 associate-address --allocation-id "$ADDRESS_ALLOCATION" --instance-id "$instance" --allow-reassociation \
  --output text >/dev/null
