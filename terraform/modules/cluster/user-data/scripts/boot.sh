#!/bin/bash
# From a bare Amazon Linux to a server or an agent. Every step is a program of its own beside this one, and may run again
# at any time: systemd starts this at every boot, and again half a minute after a failure.
set -euo pipefail
cd "$(dirname "$0")"

case $ROLE in
  server)
    steps=(registry.sh address.sh authority.sh state_volume.sh cluster_token.py node.sh datastore.py restore.py k3s.sh helm.sh
      cluster.sh sync_secrets.py databases.py "release.py --unless-installed" objects.sh timers.sh)
    ;;
  agent) steps=(registry.sh cluster_token.py node.sh join.sh k3s.sh timers.sh) ;;
  *) echo "no such role: $ROLE" >&2; exit 1 ;;
esac

for step in "${steps[@]}"; do
  echo "==> $step"
  # shellcheck disable=SC2086  # a program and its argument
  ./$step
done
echo "==> done: $ROLE $CLUSTER"
