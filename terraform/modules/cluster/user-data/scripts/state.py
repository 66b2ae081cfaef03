"""Where k3s's state is, and its copies in S3."""

import os
import sqlite3
from pathlib import Path

from aws import aws

DATABASE = Path("/var/lib/rancher/k3s/server/db/state.db")
PREFIX = "k3s/"
SUFFIX = ".db.gz"


def uri(key: str) -> str:
    return f"s3://{os.environ['SNAPSHOTS_BUCKET']}/{key}"


def newest() -> str:
    """The key of the newest copy, empty where there is none. Names order as their times do."""
    listed = aws("s3api", "list-objects-v2", "--bucket", os.environ["SNAPSHOTS_BUCKET"], "--prefix", PREFIX)
    return max((one["Key"] for one in listed.get("Contents", []) if one["Key"].endswith(SUFFIX)), default="")


def check(database: Path) -> None:
    """Fails unless the file is a whole database, with the table that k3s keeps everything in."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as opened:
        (verdict,) = opened.execute("pragma integrity_check").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {verdict}")
        opened.execute("select count(*) from kine").fetchone()
