#!/bin/bash
# validate.sh: format, validity by the provider itself, and lints of everything in terraform/. Downloads the provider, and
# asks for no account. TERRAFORM is the program.
set -euo pipefail
cd "$(dirname "$0")/../../terraform"
tf() { "${TERRAFORM:-terraform}" "$@"; }

tf fmt -check -recursive -diff
for folder in bootstrap environments/*/; do
  echo "==> $folder"
  tf -chdir="$folder" init -backend=false -input=false >/dev/null
  tf -chdir="$folder" validate
  tflint --chdir="$folder"
done
