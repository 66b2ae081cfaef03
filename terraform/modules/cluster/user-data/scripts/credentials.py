"""Passwords that only the cluster needs: each follows from its token, so that none is stored or handed about, every
server has the same ones, and a restored cluster still knows them."""

import hashlib
import hmac
import os
from pathlib import Path

TOKEN = Path("/etc/rancher/k3s/token")


def derived(purpose: str) -> str:
    """The password for one purpose: 64 hexadecimal digits."""
    token = TOKEN.read_text().strip().encode()
    return hmac.new(token, f"underwriter/{purpose}".encode(), hashlib.sha256).hexdigest()


def database_password(role: str) -> str:
    """The password of a role in the database; another number is another password."""
    return derived(f"database/{role}/{os.environ['PASSWORDS_VERSION']}")


def database_url(scheme: str, role: str, host: str, authority: str = "") -> str:
    """How a role reaches the database of its name. Hexadecimal digits need no escape in it."""
    url = f"{scheme}://{role}:{database_password(role)}@{host}/{role}?sslmode=verify-full"
    return f"{url}&sslrootcert={authority}" if authority else url


def keep(path: Path, text: str) -> None:
    """Writes a file that only root reads, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text)
    new.rename(path)
