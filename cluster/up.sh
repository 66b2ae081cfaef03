#!/bin/bash
# Brings up the one-node cluster, PostgreSQL and S3 beside it, or what of them does not run.
# Needs what build.sh makes. The kubeconfig is $STATE/admin.conf.
set -euo pipefail
. "$(dirname "$0")/env.sh"; . "$HERE/pki.sh"

healthy() { pid_of node && kubectl get --raw /readyz --request-timeout=5s; } >/dev/null 2>&1

services() {
  "$HERE/postgres.sh" start
  "$HERE/s3.sh" start
}

# down.sh removes the bridge and every KUBE- and CNI- rule: so there must be none of another Kubernetes.
refuse_another_kubernetes() {
  local net
  require_free 2379 2380 6443 10249 10250 10256 10257 10259
  [ ! -e /sys/class/net/$BRIDGE ] || die "an interface $BRIDGE is there already; remove it: ip link del $BRIDGE"
  for net in $POD_NET $SVC_NET; do
    [ -z "$(ip -4 route show table all root "$net")" ] ||
      die "another network uses $net (see ip route); stop that Kubernetes, k3s for instance, first"
  done
  ! { iptables-save; ip6tables-save; } 2>/dev/null | grep -E '^:(KUBE|CNI)-' >/dev/null ||
    die "firewall rules of another Kubernetes are there (KUBE-, CNI-); stop it and remove them first"
}

# The boot's id tells whether the traces that the file stands for are still there.
remember_host() {
  { echo "# $(cat /proc/sys/kernel/random/boot_id)"
    sysctl net.ipv4.ip_forward net.ipv4.conf.all.route_localnet vm.overcommit_memory \
      kernel.panic kernel.panic_on_oops
  } >"$HOST_BEFORE.new"
  mv "$HOST_BEFORE.new" "$HOST_BEFORE"
}

certificates() {
  authority
  certificate apiserver /CN=kube-apiserver IP:$NODE_IP IP:$API_SVC IP:127.0.0.1 DNS:localhost \
    DNS:kubernetes DNS:kubernetes.default DNS:kubernetes.default.svc DNS:kubernetes.default.svc.cluster.local
  certificate kubelet /O=system:nodes/CN=system:node:local IP:$NODE_IP DNS:local
  certificate admin /O=system:masters/CN=admin
  certificate controller /CN=system:kube-controller-manager
  certificate scheduler /CN=system:kube-scheduler
  certificate proxy /CN=system:kube-proxy
  [ -s "$PKI/sa.key" ] || openssl genrsa -out "$PKI/sa.key" 2048 2>/dev/null
  kubeconfig admin "$KUBECONFIG"
  for name in kubelet controller scheduler proxy; do kubeconfig $name "$PKI/$name.conf"; done
}

bridge() { # whose address is the node's, so that nothing depends on eth0
  ip link add $BRIDGE type bridge
  ip addr add $NODE_IP/24 dev $BRIDGE
  ip link set $BRIDGE up
  sysctl -qw net.ipv4.ip_forward=1
}

# A process and a mount namespace of its own: when its first process ends, the kernel ends every pod and shim
# and drops every mount. The state folder among the arguments is how pid_of knows the process again.
launch_node() {
  daemon node unshare --pid --fork --kill-child --mount --mount-proc --propagation private \
    "$HERE/node.sh" "$STATE"
}

within() { # within SECONDS COMMAND...
  wait_for "$@" || die "see $LOG/node.log and $STATE/log"
}
import_images() {
  local tar name
  for tar in "$IMAGES"/*.tar; do name=$(basename "$tar"); import_image "${name%-*}"; done
}
step() { echo "$SECONDS s: $*"; }

start_node() {
  "$HERE/down.sh" >/dev/null          # what an unclean end of ours has left
  refuse_another_kubernetes
  mkdir -p "$STATE"/{log,etcd,cni,kubelet,containerd}
  remember_host
  certificates
  bridge
  launch_node
}

# An interrupted run may have left any of this undone, so each step is taken even on a healthy node.
lock
[ -s "$BIN/.stamp" ] || die "run build.sh first"
healthy || start_node
services
within 60 ctr version
import_images;                                                             step images imported
within 90 kubectl get --raw /readyz;                                       step API server ready
within 30 kubectl get serviceaccount -n default default
sed "s|IMAGE|$(image_ref coredns)|" "$HERE"/manifests/*.yaml | kubectl apply -f - >/dev/null
within 60 kubectl wait --for=condition=Ready node/local --timeout=1s;      step node ready
within 90 kubectl -n kube-system rollout status deploy/coredns --timeout=1s
echo "up in $SECONDS s: export KUBECONFIG=$KUBECONFIG PATH=$BIN:\$PATH"
