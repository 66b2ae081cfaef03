#!/usr/bin/env python3
"""Fetches the cluster's token, by which servers and agents know each other and by which the state can be read.

k3s notes a password for every node's name and refuses another machine of that name. A server keeps its name when it is
replaced, so its password follows from the token, too.
"""

import os
from pathlib import Path

from aws import secret
from credentials import TOKEN, derived, keep


def main() -> None:
    keep(TOKEN, secret(os.environ["TOKEN_SECRET"]) + "\n")
    if os.environ["NODE_NAME"]:
        keep(Path("/etc/rancher/node/password"), derived(f"node/{os.environ['NODE_NAME']}") + "\n")


if __name__ == "__main__":
    main()
