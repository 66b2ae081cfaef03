#!/bin/bash
# The models and services that this environment starts with. They are made once: whoever changes one later is right.
set -euo pipefail
for file in /opt/underwriter/objects/*.yaml; do
  [ -e "$file" ] || continue
  kubectl get --filename="$file" >/dev/null 2>&1 || kubectl create --filename="$file"
done
