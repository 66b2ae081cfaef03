#!/bin/bash
# The first process of the node's own process and mount namespaces (see up.sh). When it ends, the node ends.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$STATE"

mounts() {
  local place
  rm -rf run at/run; mkdir run    # as after a reboot: what was there told of processes that are gone
  for place in "${MOUNTS[@]}"; do
    mkdir -p "$place" "at$place"
    mount --bind "at$place" "$place"
  done
  mount --make-rshared /          # for pods that ask for two-way mounts
}

containerd_config() {
  cat >containerd.toml <<T
version = 2
root = "$STATE/containerd"
state = "$STATE/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "$SOCK"
[plugins."io.containerd.internal.v1.opt"]
  path = "$STATE/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$(image_ref pause)"
  disable_apparmor = true
  restrict_oom_score_adj = true   # where root has no CAP_SYS_RESOURCE no sandbox would start
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$STATE/cni"
T
  cat >cni/10-bridge.conflist <<J
{"cniVersion": "1.0.0", "name": "bridge", "plugins": [
  {"type": "bridge", "bridge": "$BRIDGE", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.42.0.0/24", "gateway": "$NODE_IP"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
J
}

kubelet_config() {
  cat >kubelet.yaml <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_IP
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $STATE/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $STATE/pki/kubelet.crt
tlsPrivateKeyFile: $STATE/pki/kubelet.key
containerRuntimeEndpoint: unix://$SOCK
cgroupDriver: cgroupfs
failCgroupV1: false             # from 1.35 kubelet refuses cgroup v1 unless told
failSwapOn: false
syncFrequency: 5s               # a changed ConfigMap reaches its pods soon
oomScoreAdj: 0                  # the default needs CAP_SYS_RESOURCE
clusterDNS: [$DNS_SVC]
clusterDomain: cluster.local
imageGCHighThresholdPercent: 100  # images are imported, not pulled: never collect them
evictionHard: {nodefs.available: "1%", imagefs.available: "1%", memory.available: 100Mi}
Y
}

proxy_config() {
  cat >proxy.yaml <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $STATE/pki/proxy.conf}
hostnameOverride: local
clusterCIDR: $POD_NET
mode: iptables
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
conntrack: {maxPerCore: 0}
oomScoreAdj: 0
Y
}

run() { local log=$1; shift; "$@" >"log/$log.log" 2>&1 & }

# etcd need not survive a power cut, and a kill costs nothing without fsync.
# PodSecurity and ValidatingAdmissionPolicy are among the default admission plugins.
api() {
  run etcd etcd --data-dir etcd --unsafe-no-fsync \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380
  run apiserver kube-apiserver --etcd-servers http://127.0.0.1:2379 \
    --bind-address $NODE_IP --advertise-address $NODE_IP --service-cluster-ip-range $SVC_NET \
    --tls-cert-file pki/apiserver.crt --tls-private-key-file pki/apiserver.key \
    --client-ca-file pki/ca.crt --authorization-mode Node,RBAC \
    --kubelet-certificate-authority pki/ca.crt --kubelet-preferred-address-types InternalIP \
    --kubelet-client-certificate pki/admin.crt --kubelet-client-key pki/admin.key \
    --service-account-issuer https://kubernetes.default.svc \
    --service-account-key-file pki/sa.key --service-account-signing-key-file pki/sa.key \
    --enable-admission-plugins NodeRestriction --allow-privileged
}

controllers_and_kubelet() {
  run controller-manager kube-controller-manager --kubeconfig pki/controller.conf --leader-elect=false \
    --kube-api-qps 200 --kube-api-burst 400 \
    --bind-address 127.0.0.1 --use-service-account-credentials --root-ca-file pki/ca.crt \
    --service-account-private-key-file pki/sa.key \
    --cluster-signing-cert-file pki/ca.crt --cluster-signing-key-file pki/ca.key
  run scheduler kube-scheduler --kubeconfig pki/scheduler.conf --leader-elect=false --bind-address 127.0.0.1
  run proxy kube-proxy --config proxy.yaml
  run kubelet kubelet --config kubelet.yaml --kubeconfig pki/kubelet.conf --hostname-override local --node-ip $NODE_IP
}

mounts
containerd_config
kubelet_config
proxy_config
run containerd containerd --config containerd.toml
api
# The rest only now: each would else wait out its own growing pauses. The socket is there before containerd answers.
wait_for 60 ctr version
wait_for 60 kubectl get --raw /readyz
controllers_and_kubelet
wait -n -p ended || true
echo "a component ended, pid $ended; see $STATE/log"
exit 1
