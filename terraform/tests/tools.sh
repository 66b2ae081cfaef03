#!/bin/bash
# What the checks of terraform/ need, pinned: OpenTofu and the provider of the tests, built from Go modules; a Python
# environment; the typed bindings that carry the AWS provider's schema. Four minutes of CPU the first time.
set -euo pipefail
cd "$(dirname "$0")"
cache=$HOME/.cache/underwriter
mkdir -p "$cache/bin" "$cache/terraform"
exec 9>>"$cache/terraform/lock"
flock 9
export CGO_ENABLED=0

# unless_done NAME FILE...: whether a step has been done with these very files; done NAME notes it.
unless_done() {
  local name=$1; shift
  stamp=$(cat tools.sh "$@" | sha256sum)
  [ "$(cat "$cache/terraform/$name.stamp" 2>/dev/null)" != "$stamp" ]
}
done_with() { echo "$stamp" >"$cache/terraform/$1.stamp"; }

build() { # build FOLDER PROGRAM PACKAGE
  (cd "$1" && go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$cache/$2" "$3")
}

if unless_done tofu tofu/go.mod tofu/go.sum; then
  echo "building OpenTofu"
  build tofu bin/tofu github.com/opentofu/opentofu/cmd/tofu
  done_with tofu
fi
if unless_done provider provider/main.go provider/go.mod provider/go.sum; then
  build provider terraform/provider .
  done_with provider
fi
if unless_done python requirements.txt bindings.txt; then
  python3 -m venv --clear "$cache/terraform/python"
  pip=("$cache/terraform/python/bin/pip" --disable-pip-version-check --quiet)
  "${pip[@]}" install --requirement requirements.txt
  # The bindings' own code is not run, so what it depends on is not wanted.
  "${pip[@]}" download --no-deps --require-hashes --dest "$cache/terraform" --requirement bindings.txt
  done_with python
fi
