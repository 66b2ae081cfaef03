#!/bin/bash
# Installs k3s, the pinned version and nothing unless its checksum is right, and starts it with /etc/rancher/k3s/config.yaml;
# before it what its pods get their role from.
set -euo pipefail
"$(dirname "$0")/fetch.sh" "$K3S_DOWNLOAD" "$K3S_CHECKSUM" /usr/local/bin/k3s
ln -sf k3s /usr/local/bin/kubectl
systemctl daemon-reload
systemctl start underwriter-pod-role k3s
[ "$ROLE" = server ] || exit 0

for _ in {1..150}; do
  if kubectl get --raw /readyz >/dev/null 2>&1; then exit 0; fi
  sleep 2
done
echo "k3s is not ready after five minutes; see journalctl -u k3s" >&2
exit 1
