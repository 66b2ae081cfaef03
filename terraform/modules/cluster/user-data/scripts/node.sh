#!/bin/bash
# The node's name: of the one server always the same, so that its pods are there again when it has been replaced; of any
# other machine its instance id, by which forget_nodes.sh knows it.
set -euo pipefail
config=/etc/rancher/k3s/config.yaml.d
mkdir -p $config
echo "node-name: ${NODE_NAME:-$(cat /var/lib/cloud/data/instance-id)}" >$config/node.yaml
