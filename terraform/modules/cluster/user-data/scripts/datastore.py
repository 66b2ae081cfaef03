#!/usr/bin/env python3
"""Where several servers share one state: makes k3s's own role and database in RDS, and tells k3s how to reach them.

This cannot be a Job, for there is no cluster yet to run it. With the embedded SQLite there is nothing to do.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from aws import secret
from credentials import database_password, database_url, keep, verifier

ROLE = "k3s"
AUTHORITY = "/etc/underwriter/ca.crt"
CONFIG = Path("/etc/rancher/k3s/config.yaml.d/datastore.yaml")


def psql_environment() -> dict:
    master = json.loads(secret(os.environ["DATABASE_SECRET"]))
    return {
        **os.environ,
        "PGHOST": os.environ["DATABASE_HOST"],
        "PGPORT": os.environ["DATABASE_PORT"],
        "PGDATABASE": "postgres",
        "PGUSER": master["username"],
        "PGPASSWORD": master["password"],
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": AUTHORITY,
        "PGCONNECT_TIMEOUT": "10",
        "ROLE": ROLE,
        "ROLE_VERIFIER": verifier(database_password(ROLE)),
    }


def main() -> None:
    if os.environ["DATASTORE"] != "postgres":
        return
    if shutil.which("psql") is None:
        subprocess.run(["dnf", "install", "--quiet", "--assumeyes", "postgresql17"], check=True)
    sql = Path(__file__).with_name("role.sql")
    made = subprocess.run(["psql", "--no-psqlrc", "--quiet", f"--file={sql}"], env=psql_environment(), check=False)
    if made.returncode != 0:
        sys.exit("k3s's database could not be made")
    host = f"{os.environ['DATABASE_HOST']}:{os.environ['DATABASE_PORT']}"
    endpoint = database_url("postgres", ROLE, host)
    keep(CONFIG, json.dumps({"datastore-endpoint": endpoint, "datastore-cafile": AUTHORITY}))


if __name__ == "__main__":
    main()
