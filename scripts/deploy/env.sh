# shellcheck shell=bash
# What the scripts of a deployment share. They need bash, kubectl and helm, and nothing that a fresh server lacks.
# shellcheck disable=SC2034  # the names are used by the scripts that source this file
RELEASE=underwriter
SYSTEM=${SYSTEM_NAMESPACE:-underwriter-system}    # of the operator
MODELS=${MODELS_NAMESPACE:-lending}               # where the Secrets for models stand

# On a k3s server, where SSM's shell knows none of these.
export HOME=${HOME:-/root}
[ -n "${KUBECONFIG:-}" ] || [ ! -r /etc/rancher/k3s/k3s.yaml ] || export KUBECONFIG=/etc/rancher/k3s/k3s.yaml
export PATH=$PATH:/usr/local/bin

die() { echo "$(basename "$0"): $*" >&2; exit 1; }
step() { printf '==> %s\n' "$*"; }

# wait_for SECONDS COMMAND...
wait_for() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "not within the time: $*" >&2; return 1; }
    sleep 1
  done
}
