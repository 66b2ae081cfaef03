#!/usr/bin/env python3
"""The password of our registry in ECR, for kubelet (a credential provider) and for helm (docker's credential helper).

Started with `get` it is helm's: a host's name comes in, a name and a password go out. Otherwise it is kubelet's, which
sends a CredentialProviderRequest and gets a CredentialProviderResponse. Nothing is kept.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Tuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
from aws import aws  # noqa: E402

CACHED = "6h"  # half of a password's life


def password() -> Tuple[str, str]:
    """Name and password, of the account and region of this machine."""
    answer = aws("ecr", "get-authorization-token")
    name, _, secret = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode().partition(":")
    return name, secret


def for_helm(host: str) -> dict:
    name, secret = password()
    return {"ServerURL": host, "Username": name, "Secret": secret}


def for_kubelet(request: dict) -> dict:
    host = request["image"].partition("/")[0]
    name, secret = password()
    return {
        "apiVersion": request["apiVersion"],
        "kind": "CredentialProviderResponse",
        "cacheKeyType": "Registry",
        "cacheDuration": CACHED,
        "auth": {host: {"username": name, "password": secret}},
    }


def main() -> None:
    asked = sys.stdin.read()
    answer = for_helm(asked.strip()) if sys.argv[1:] == ["get"] else for_kubelet(json.loads(asked))
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
