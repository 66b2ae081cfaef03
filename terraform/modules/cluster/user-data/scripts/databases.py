#!/usr/bin/env python3
"""Makes the databases and roles of prediction log and MLflow by a Job each, and the Secrets by which pods reach them.

The master's password is fetched anew each time, for RDS changes it every week, and is taken away again with the Jobs.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import List

from aws import secret as fetch
from credentials import database_password, database_url, verifier
from kubernetes import apply, kubectl, secret

SYSTEM = "underwriter-system"
MASTER, ROLES = "database-master", "database-roles"
MLFLOW = "mlflow"
SQL = Path(__file__).with_name("role.sql")
AUTHORITY = "/etc/authority/ca.crt"


def variable(name: str, of: str, key: str) -> dict:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": of, "key": key}}}


def environment(role: str) -> list:
    """How psql reaches the server, and what role.sql asks for."""
    fixed = {
        "PGHOST": os.environ["DATABASE_HOST"],
        "PGPORT": os.environ["DATABASE_PORT"],
        "PGDATABASE": "postgres",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": AUTHORITY,
        "PGCONNECT_TIMEOUT": "10",
        "ROLE": role,
    }
    return [{"name": name, "value": value} for name, value in fixed.items()] + [
        variable("PGUSER", MASTER, "username"),
        variable("PGPASSWORD", MASTER, "password"),
        variable("ROLE_VERIFIER", ROLES, role),
    ]


def job(role: str) -> dict:
    """The Job that makes one role and its database."""
    container = {
        "name": "psql",
        "image": os.environ["POSTGRES_IMAGE"],
        "command": ["psql", "--no-psqlrc", "--quiet", "--file=/etc/roles/role.sql"],
        "env": environment(role),
        "volumeMounts": [
            {"name": "sql", "mountPath": "/etc/roles", "readOnly": True},
            {"name": "authority", "mountPath": "/etc/authority", "readOnly": True},
        ],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "sql", "configMap": {"name": ROLES}},
            {"name": "authority", "configMap": {"name": "underwriter-ca"}},
        ],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"namespace": SYSTEM, "generateName": f"database-{role}-", "labels": {"app.kubernetes.io/name": ROLES}},
        "spec": {
            "backoffLimit": 4,
            "activeDeadlineSeconds": 300,
            "ttlSecondsAfterFinished": 3600,
            "template": {"metadata": {"labels": {"app.kubernetes.io/name": ROLES}}, "spec": pod},
        },
    }


def run(role: str) -> None:
    """Runs a role's Job to its end."""
    name = kubectl("create", "--filename=-", "--output=name", given=json.dumps(job(role))).strip()
    for _ in range(60):
        conditions = json.loads(kubectl("get", "--namespace", SYSTEM, name, "--output=json"))["status"].get("conditions", [])
        ended = {condition["type"] for condition in conditions if condition["status"] == "True"}
        if "Complete" in ended:
            print(f"database and role {role} are there")
            return
        if "Failed" in ended:
            break
        wait = ("wait", "--namespace", SYSTEM, name, "--for=jsonpath={.status.conditions}", "--timeout=5s")
        subprocess.run(["kubectl", *wait], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    subprocess.run(["kubectl", "logs", "--namespace", SYSTEM, name, "--tail=20"], stdout=sys.stderr, check=False)
    raise RuntimeError(f"{name} has not made the role {role}")


def reached_by(role: str) -> dict:
    """The Secret of the pods that use a role's database."""
    host = f"{os.environ['DATABASE_HOST']}:{os.environ['DATABASE_PORT']}"
    if role == MLFLOW:
        url = database_url("postgresql+psycopg2", role, host, AUTHORITY)
        return secret(MLFLOW, "mlflow-database", {"MLFLOW_BACKEND_STORE_URI": url.encode()})
    return secret(os.environ["NAMESPACE"], "underwriter-log", {"DATABASE_URL": database_url("postgresql", role, host).encode()})


def make(roles: List[str]) -> None:
    """Runs the Jobs, with what they need to know there for as long as they take."""
    apply(secret(SYSTEM, ROLES, {role: verifier(database_password(role)).encode() for role in roles}))
    master = json.loads(fetch(os.environ["DATABASE_SECRET"]))
    apply(secret(SYSTEM, MASTER, {key: master[key].encode() for key in ("username", "password")}))
    sql = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": SYSTEM, "name": ROLES}}
    apply({**sql, "data": {"role.sql": SQL.read_text()}})
    try:
        for role in roles:
            run(role)
    finally:
        kubectl("delete", "secret", "--namespace", SYSTEM, "--ignore-not-found", MASTER, ROLES)


def main() -> None:
    roles = os.environ["DATABASE_ROLES"].split()
    try:
        make(roles)
        for role in roles:
            apply(reached_by(role))
    except RuntimeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
