#!/bin/bash
# Everything from nothing: Debian packages (the Rust build's too), tools, the programs in $BIN, the cluster's own images.
# About 12 minutes on two cores the first time; a second when nothing has changed.
set -euo pipefail
. "$(dirname "$0")/env.sh"
export CGO_ENABLED=0
flags=(-trimpath -buildvcs=false -ldflags "-s -w")   # no trace of folder or commit: same source, same image

packages() {
  local all=(buildah busybox-static ca-certificates containerd containernetworking-plugins curl g++ gcc iproute2
    iptables libc6-dev libclang-14-dev openssl postgresql-15 procps runc shellcheck)
  python3 -c "import ensurepip" 2>/dev/null || all+=(python3-venv)
  # shellcheck disable=SC2016  # dpkg's own variable
  [ "$(dpkg-query -Wf '${db:Status-Status}\n' "${all[@]}" 2>/dev/null | grep -cx installed)" = ${#all[@]} ] && return
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  # Debian would make and start a database server at once; ours is postgres.sh's.
  apt-get install -yq --no-install-recommends postgresql-common
  grep -q '^create_main_cluster' /etc/postgresql-common/createcluster.conf ||
    echo "create_main_cluster = false" >>/etc/postgresql-common/createcluster.conf
  apt-get install -yq --no-install-recommends "${all[@]}"
}

kubernetes() { # etcd and the programs named by the tool lines of go.mod
  cd "$HERE/kubernetes"
  local version major minor package stamps=""
  version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
  IFS=. read -r major minor _ <<<"${version#v}"
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    stamps+=" -X $package.gitVersion=$version -X $package.gitMajor=$major -X $package.gitMinor=$minor"
    stamps+=" -X $package.gitTreeState=clean"
  done
  go build -trimpath -buildvcs=false -ldflags "-s -w$stamps" -o "$BIN/" tool
  mv -f "$BIN/server" "$BIN/etcd"      # go names a program after the last part of its path
  gcc -Os -static -DVERSION=1 -s -o "$BIN/pause" \
    "$(go list -m -f '{{.Dir}}' k8s.io/kubernetes)/build/pause/linux/pause.c"
}

coredns() { cd "$HERE/coredns" && go build "${flags[@]}" -o "$BIN/coredns" .; }
helm() { GOBIN=$BIN go install "${flags[@]}" helm.sh/helm/v3/cmd/helm@v3.22.0; }

lock
packages
"$HERE/tools.sh"
stamp=$(cat "$HERE/build.sh" "$HERE"/{kubernetes,coredns}/* | sha256sum)
if [ "$(cat "$BIN/.stamp" 2>/dev/null)" != "$stamp" ]; then
  for part in kubernetes coredns helm; do echo "building $part"; ($part); done
  echo "$stamp" >"$BIN/.stamp"
fi
for name in pause coredns; do "$HERE/image.sh" $name "$BIN/$name"; done
