"""Passwords that only the cluster needs: each follows from its token, so that none is stored or handed about, every
server has the same ones, and a restored cluster still knows them."""

import base64
import hashlib
import hmac
import os
from pathlib import Path

TOKEN = Path("/etc/rancher/k3s/token")
ITERATIONS = 4096  # as Postgres itself does; a password of 64 random digits needs no more


def derived(purpose: str) -> str:
    """The password for one purpose: 64 hexadecimal digits."""
    token = TOKEN.read_text().strip().encode()
    return hmac.new(token, f"underwriter/{purpose}".encode(), hashlib.sha256).hexdigest()


def database_password(role: str) -> str:
    """The password of a role in the database; another number is another password."""
    return derived(f"database/{role}/{os.environ['PASSWORDS_VERSION']}")


def verifier(password: str) -> str:
    """What Postgres keeps of a password, by which it cannot be found out: RFC 5803, section 3."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    client, server = (hmac.new(salted, key, hashlib.sha256).digest() for key in (b"Client Key", b"Server Key"))
    salt_, stored, server_ = (base64.b64encode(part).decode() for part in (salt, hashlib.sha256(client).digest(), server))
    return f"SCRAM-SHA-256${ITERATIONS}:{salt_}${stored}:{server_}"


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
