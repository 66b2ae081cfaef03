#!/usr/bin/env python3
"""Copies secrets of AWS Secrets Manager into Secrets of the cluster, as /etc/underwriter/secrets.json lists them.

A secret that is a JSON object becomes one key for each of its fields; any other text, be it a password, a number or a
certificate, becomes one key as it is. Its characters are nobody's concern here: nothing is parsed by a shell, and
nothing is printed. One that cannot be copied does not keep the others waiting.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Dict

from aws import attempt
from kubernetes import apply, secret

WANTED = Path("/etc/underwriter/secrets.json")


def fields(answer: dict) -> Dict[str, bytes]:
    """The fields of a secret that is an object; of any other, its text under the empty name."""
    if "SecretBinary" in answer:
        return {"": base64.b64decode(answer["SecretBinary"])}
    text = answer["SecretString"]
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        return {"": text.encode()}
    return {name: (value if isinstance(value, str) else json.dumps(value)).encode() for name, value in parsed.items()}


def data(answer: dict, wanted: dict) -> Dict[str, bytes]:
    """What the cluster's Secret holds: every field by its own name, or those of `keys` by the names that are wanted."""
    found = fields(answer)
    if "" in found:
        return {wanted["key"]: found[""]}
    if not wanted.get("keys"):
        return found
    missing = sorted(set(wanted["keys"].values()) - set(found))
    if missing:
        raise KeyError(f"it has no field {', '.join(missing)}")
    return {name: found[field] for name, field in wanted["keys"].items()}


def copy(wanted: dict) -> bool:
    """Whether one secret could be copied."""
    names = f"{wanted['secret']} to {wanted['namespace']}/{wanted['name']}"
    answer = attempt("secretsmanager", "get-secret-value", "--secret-id", wanted["secret"])
    if answer is None:
        print(f"not copied: {names}", file=sys.stderr)
        return False
    try:
        apply(secret(wanted["namespace"], wanted["name"], data(answer, wanted)))
    except (KeyError, RuntimeError) as error:
        print(f"not copied: {names}: {error.args[0]}", file=sys.stderr)
        return False
    print(f"copied: {names}")
    return True


def main() -> None:
    copied = [copy(wanted) for wanted in json.loads(WANTED.read_text())]
    # At boot a secret that nobody has filled yet must not keep the cluster from coming up: the timer tries again.
    if not all(copied) and "--strict" in sys.argv:
        sys.exit(1)


if __name__ == "__main__":
    main()
