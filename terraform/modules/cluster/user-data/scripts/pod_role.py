#!/usr/bin/env python3
"""Gives this machine's pods their role, as the agent of ECS does: SDKs ask http://169.254.170.2 for it where
AWS_CONTAINER_CREDENTIALS_RELATIVE_URI says so. The machine's own role, which may read secrets, is out of their reach: its
metadata service answers one hop away, and pods are two.

The address is of this machine's loopback interface, so that nobody but the machine and its pods gets here.
"""

import json
import os
import subprocess
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aws import attempt

ADDRESS, PORT, PATH = "169.254.170.2", 80, "/credentials"
MARGIN = timedelta(minutes=30)  # SDKs ask again a quarter of an hour before the end, and must get newer ones by then


class Role:
    """The role's credentials, taken when they are asked for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.found: dict = {}
        self.end = datetime.now(timezone.utc)

    def take(self) -> None:
        """Takes the role for an hour. Where that fails, what is there stays: AWS's words are in the journal."""
        wanted = ("--role-arn", os.environ["WORKLOAD_ROLE"], "--role-session-name", os.uname().nodename)
        answer = attempt("sts", "assume-role", *wanted)
        if answer is None:
            return
        found = answer["Credentials"]
        self.end = datetime.fromisoformat(found["Expiration"].replace("Z", "+00:00"))
        self.found = {
            "AccessKeyId": found["AccessKeyId"],
            "SecretAccessKey": found["SecretAccessKey"],
            "Token": found["SessionToken"],
            "Expiration": f"{self.end.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",  # no SDK minds this form
        }

    def credentials(self) -> dict:
        """What SDKs expect; nothing where there is none that is good."""
        with self.lock:
            if datetime.now(timezone.utc) > self.end - MARGIN:
                self.take()
            return self.found if datetime.now(timezone.utc) < self.end else {}


class Handler(BaseHTTPRequestHandler):
    role = Role()

    def do_GET(self) -> None:
        if self.path != PATH:
            self.send_error(404)
            return
        found = self.role.credentials()
        if not found:
            self.send_error(503, "the role cannot be taken now")
            return
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    subprocess.run(["ip", "address", "replace", f"{ADDRESS}/32", "dev", "lo"], check=True)
    ThreadingHTTPServer((ADDRESS, PORT), Handler).serve_forever()


if __name__ == "__main__":
    main()
