#!/usr/bin/env python3
"""Copies k3s's database to S3 while k3s writes to it: by SQLite's backup, so that the copy is of one moment.

(k3s's own etcd-snapshot is for etcd only; copying the file would miss what is still in its journal.)
"""

import gzip
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from state import DATABASE, PREFIX, SUFFIX, check, uri


def copy(to: Path) -> None:
    source = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True, timeout=30)
    target = sqlite3.connect(to)
    try:
        source.backup(target)
        target.execute("pragma journal_mode = delete")  # one file, without a journal beside it
    finally:
        target.close()
        source.close()


def pack(file: Path) -> Path:
    packed = file.with_suffix(SUFFIX)
    with file.open("rb") as source, gzip.open(packed, "wb", compresslevel=6) as target:
        shutil.copyfileobj(source, target)
    return packed


def main() -> None:
    if os.environ["DATASTORE"] != "sqlite":
        return
    if not DATABASE.exists():
        sys.exit(f"{DATABASE} is not there: k3s has never started")
    key = f"{PREFIX}{datetime.now(timezone.utc):%Y-%m-%dT%H-%M-%S.%f}{SUFFIX}"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        file = Path(folder) / "state"
        copy(file)
        check(file)
        subprocess.run(["aws", "s3", "cp", "--only-show-errors", str(pack(file)), uri(key)], check=True)
    print(f"copied to {uri(key)}")


if __name__ == "__main__":
    main()
