#!/bin/bash
# login.sh REGISTRY [USER]: logs in to a registry with the password on standard input, where skopeo, cosign, helm and the
# actions all find it. Without a user to ECR, by the role that the job has.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: login.sh REGISTRY [USER] <PASSWORD" >&2; exit 2; }
mkdir -p "$HOME/.docker"
login() { skopeo login --authfile "$HOME/.docker/config.json" --username "$2" --password-stdin "$1" >&2; }
if [ -n "${2:-}" ]; then login "$1" "$2"; else aws ecr get-login-password | login "$1" AWS; fi
