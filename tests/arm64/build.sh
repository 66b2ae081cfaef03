#!/bin/bash
# build.sh FOLDER: operator and predictor for arm64 on an x86 machine, in FOLDER; a release builds them on arm64 itself.
# rustup's own libraries for other targets are no Debian packages, but Debian has a compiler whose libraries are: it is
# unpacked beside everything else, and neither it nor its architecture is installed. Two cores need 25 minutes.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR/../.. source=cluster/env.sh
. "$(dirname "$0")/../../cluster/env.sh"
[ $# = 1 ] || die "usage: build.sh FOLDER"
mkdir -p "$1"
FOLDER=$(cd "$1" && pwd)
PLACE=${ARM64_PLACE:-$ROOT/arm64}
TARGET=aarch64-unknown-linux-gnu
COMPILER=(rustc-web libstd-rust-web-1.96 libstd-rust-web-dev libstd-rust-web-dev:arm64 libllvm22)
cd "$HERE/.."

# Linker and C library for arm64, and what runs its programs: packages of this machine's own architecture.
helpers() {
  local all=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static libz3-4 libedit2 libxml2)
  # shellcheck disable=SC2016  # dpkg's own variable
  [ "$(dpkg-query -Wf '${db:Status-Status}\n' "${all[@]}" 2>/dev/null | grep -cx installed)" = ${#all[@]} ] && return
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${all[@]}"
}

# With package lists of its own, so that the machine's apt learns of no second architecture.
compiler() {
  local archive
  [ ! -x "$PLACE/rust/usr/bin/rustc" ] || return 0
  mkdir -p "$PLACE"/{lists/partial,packages/archives/partial} "$PLACE/rust.new"
  cat >"$PLACE/apt.conf" <<C
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
Dir::State::lists "$PLACE/lists";
Dir::Cache "$PLACE/packages";
C
  (cd "$PLACE/packages" && export APT_CONFIG=$PLACE/apt.conf && apt-get update -q && apt-get download -q "${COMPILER[@]}")
  for archive in "$PLACE"/packages/*.deb; do dpkg-deb -x "$archive" "$PLACE/rust.new"; done
  rm -r "$PLACE/packages" "$PLACE/lists"
  mv "$PLACE/rust.new" "$PLACE/rust"
}

build() {
  export LD_LIBRARY_PATH=$PLACE/rust/usr/lib/x86_64-linux-gnu RUSTC=$PLACE/rust/usr/bin/rustc
  export CARGO_TARGET_DIR=$PLACE/target CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
  cargo build --release --locked --target $TARGET --package underwriter-operator --package underwriter-predictor
  install -m 755 "$CARGO_TARGET_DIR/$TARGET/release/underwriter-operator" "$FOLDER/operator"
  install -m 755 "$CARGO_TARGET_DIR/$TARGET/release/underwriter-predictor" "$FOLDER/predictor"
}

{ helpers; compiler; } >/dev/null
build
file "$FOLDER"/{operator,predictor}
