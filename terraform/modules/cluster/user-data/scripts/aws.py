"""Calls of AWS. What comes back goes from process to process and is never printed; an error names the call alone."""

import json
import subprocess
import sys
from typing import Optional


def aws(*arguments: str) -> dict:
    """What the call answers. Where it fails this process ends, with AWS's own words."""
    answer = attempt(*arguments)
    if answer is None:
        sys.exit(f"aws {arguments[0]} {arguments[1]} failed")
    return answer


def attempt(*arguments: str) -> Optional[dict]:
    """What the call answers, or none: then AWS's words are on the standard error."""
    done = subprocess.run(["aws", *arguments, "--output", "json"], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        return None
    return json.loads(done.stdout or b"{}")


def secret(name: str) -> str:
    """A secret's text."""
    return aws("secretsmanager", "get-secret-value", "--secret-id", name)["SecretString"]
