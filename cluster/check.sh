#!/bin/bash
# Whether this machine can build and carry everything: says all that is missing at once, and changes nothing.
set -euo pipefail
. "$(dirname "$0")/env.sh"
missing=()
lacks() { missing+=("$*"); }
newer() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n1)" = "$1" ]; }   # newer LEAST FOUND

[ "$(uname -sm)" = "Linux x86_64" ] || lacks "Linux on x86_64; this is $(uname -sm)"
[ "$(id -u)" = 0 ] || lacks "root, for mounts, a bridge and firewall rules: become root with sudo -i and try again"
command -v apt-get >/dev/null || lacks "a Debian 12, from whose packages the rest is installed"
command -v cargo >/dev/null || lacks "cargo: install Rust from https://rustup.rs; its version follows by itself"
found=$(go env GOVERSION 2>/dev/null || true)
newer 1.21 "${found#go}" || lacks "Go 1.21 or newer, which fetches the version it needs: https://go.dev/dl"
found=$(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null || true)
newer 3.11 "$found" || lacks "Python 3.11 or newer: apt-get install python3"
[ "$(nproc)" -ge 2 ] || lacks "two cores; there is one"
memory=$(awk '/^MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
[ "$memory" -ge 4000 ] || lacks "4 GB of free memory; there are $memory MB"
mkdir -p "$ROOT"
disk=$(df -Pm "$ROOT" | awk 'NR == 2 {print $4}')
[ -e "$BIN/.stamp" ] || [ "$disk" -ge 25000 ] || lacks "25 GB of free disk under $ROOT for the build; there are $disk MB"
ports=()   # of what does not run already
pid_of node >/dev/null || ports+=(2379 2380 6443 10249 10250 10256 10257 10259)
pid_of postgres >/dev/null || ports+=(5433)
pid_of s3 >/dev/null || ports+=(8333 8334)
[ ${#ports[@]} = 0 ] || busy=$(require_free "${ports[@]}" 2>&1) || lacks "${busy#*: }"

[ ${#missing[@]} = 0 ] && exit
echo "This machine lacks:" >&2
printf -- '- %s\n' "${missing[@]}" >&2
exit 1
