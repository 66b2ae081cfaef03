#!/bin/bash
# down.sh [--wipe]: ends the cluster and the servers beside it, and takes away what up.sh put on this machine.
# With --wipe the data of all three too; programs and images stay.
set -euo pipefail
. "$(dirname "$0")/env.sh"

# The namespace's first process: its parent ends when the kernel has ended all that ran below it.
end_node() {
  local pid
  if pid=$(pid_of node); then
    pkill -KILL -P "$pid" || kill -KILL "$pid"
    wait_for 30 gone "$pid"
  fi
  rm -f "$RUN/node.pid"
}

links() {
  local link
  [ -e /sys/class/net/$BRIDGE ] || return 0
  for link in "/sys/class/net/$BRIDGE/brif"/*; do ip link del "${link##*/}" 2>/dev/null || true; done
  ip link del $BRIDGE
}

rules() { # of kube-proxy, kubelet and the portmap plugin
  local table
  for table in iptables ip6tables; do
    if $table-save 2>/dev/null | grep -E 'KUBE-|CNI-' >/dev/null; then
      $table-save | grep -vE 'KUBE-|CNI-' | $table-restore
    fi
  done
}

cgroups() { # version 1 and 2; a process that is just ending keeps its own for a moment
  find /sys/fs/cgroup/*/kubepods /sys/fs/cgroup/kubepods -depth -type d -exec rmdir {} + 2>/dev/null || true
  ! ls -d /sys/fs/cgroup/*/kubepods /sys/fs/cgroup/kubepods
}

lock
"$HERE/s3.sh" stop
"$HERE/postgres.sh" stop
end_node
if grep -qs "$(cat /proc/sys/kernel/random/boot_id)" "$HOST_BEFORE"; then   # else none of this is ours
  links
  rules
  wait_for 10 cgroups
  sysctl -qp "$HOST_BEFORE"
fi
rm -f "$HOST_BEFORE"
rmdir "${MOUNTS[@]}" "$POSTGRES_MOUNT" 2>/dev/null || true
[ "${1:-}" != --wipe ] || rm -rf "$STATE" "$ROOT/postgres" "$ROOT/s3"
echo down
