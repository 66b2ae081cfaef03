#!/bin/bash
# binaries.sh FOLDER: the three programs for this machine's architecture, static, and what each is made of (sbom.py).
# Built from nothing, for a release takes nothing from a cache that other runs may write to.
set -euo pipefail
[ $# = 1 ] || { echo "usage: binaries.sh FOLDER" >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
target=$(uname -m)-unknown-linux-gnu names=(operator predictor tasks)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$folder/target} PATH=$HOME/.cache/underwriter/tools-venv/bin:$PATH

rustup target add "$target"
cluster/tools.sh    # cmake, for LightGBM
cargo build --release --locked --target "$target" "${names[@]/#/--package=underwriter-}"
for name in "${names[@]}"; do
  install -m 755 "$CARGO_TARGET_DIR/$target/release/underwriter-$name" "$folder/$name"
  scripts/release/sbom.py "underwriter-$name" "$target" >"$folder/$name.cdx.json"
done
