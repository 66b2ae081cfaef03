"""What stands around a machine: AWS (by moto), Postgres as RDS has it, and the files that it downloads."""

import contextlib
import functools
import hashlib
import http.server
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from pathlib import Path

PYTHON = Path(sys.executable).parent
POSTGRES = Path("/usr/lib/postgresql/15/bin")
ANYWHERE = "0.0.0.0"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what: str, ready, seconds: int = 30) -> None:
    for _ in range(10 * seconds):
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            ready()
            return
        time.sleep(0.1)
    raise TimeoutError(f"{what} has not come up")


@contextlib.contextmanager
def process(log: Path, *command: str, **more):
    """A server for as long as it is wanted."""
    with log.open("wb") as output:
        command = tuple(str(part) for part in command)
        running = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True, **more)
    try:
        yield running
    finally:
        os.killpg(running.pid, signal.SIGINT)  # at which Postgres does not wait for its clients
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


@contextlib.contextmanager
def aws(folder: Path):
    """AWS, empty; gives its port."""
    port = free_port()
    with process(folder / "moto.log", PYTHON / "moto_server", "-H", ANYWHERE, "-p", str(port)):
        wait_for("moto", lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/data.json"))
        yield port


@contextlib.contextmanager
def pod_role(machine, log: Path):
    """What gives a machine's pods their role, as its unit starts it; the user data must be written."""
    unit = machine.path("/etc/systemd/system/underwriter-pod-role.service").read_text()
    program = re.search("^ExecStart=(.*)$", unit, re.MULTILINE)[1]
    path = {"PATH": f"{PYTHON}:/usr/sbin:/usr/bin:/sbin:/bin"}
    try:
        with process(log, "chroot", machine.root, program, env={**path, **machine.environment, **machine.settings()}):
            # Until then the address is somebody else's, or nobody's.
            wait_for("its address", lambda: subprocess.run(["grep", "-q", "169.254.170.2", "/proc/net/fib_trie"], check=True))
            wait_for("the pods' role", lambda: socket.create_connection(("169.254.170.2", 80)).close())
            yield "http://169.254.170.2/credentials"
    finally:
        subprocess.run(["ip", "address", "del", "169.254.170.2/32", "dev", "lo"], check=False, capture_output=True)


@contextlib.contextmanager
def files(folder: Path, host: str = "127.0.0.1"):
    """The files of a folder by HTTP; gives its address."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer((host, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{host}:{server.server_port}"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        """Nothing."""


def authority(folder: Path, addresses: list[str]) -> Path:
    """A certificate for a server at these addresses, by an authority of its own: ca.crt, server.crt, server.key."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=test", "-keyout", "ca.key", "-out", "ca.crt")
    openssl("req", *key, "-subj", "/CN=database", "-keyout", "server.key", "-out", "server.csr")
    names = ",".join(f"IP:{address}" for address in addresses)
    (folder / "names").write_text(f"subjectAltName={names}\n")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", *signed, "-out", "server.crt")
    return folder / "ca.crt"


@contextlib.contextmanager
def postgres(folder: Path, password: str, address: str = "127.0.0.1"):
    """Postgres as RDS has it: TLS or nothing, and a master who is no superuser. Gives its port, and its authority."""
    folder.mkdir()
    folder.chmod(0o755)
    data, port = folder / "data", free_port()
    ca = authority(folder, ["127.0.0.1", address])
    shutil.chown(folder, "postgres")
    shutil.chown(folder / "server.key", "postgres")

    def as_postgres(*command) -> list[str]:
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *map(str, command)]

    initdb = as_postgres(POSTGRES / "initdb", "-D", data, "--encoding=UTF8", "--locale=C.UTF-8", "--auth=reject")
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    (data / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
    literal = password.replace("'", "''")
    single = as_postgres(POSTGRES / "postgres", "--single", "-D", data, "postgres")
    role = f"create role master login createdb createrole password '{literal}'\n"
    subprocess.run(single, input=role, text=True, check=True, capture_output=True, cwd="/")
    settings = {
        "port": port,
        "listen_addresses": ANYWHERE,
        "unix_socket_directories": "",
        "fsync": "off",
        "log_statement": "ddl",
        "ssl": "on",
        "ssl_cert_file": folder / "server.crt",
        "ssl_key_file": folder / "server.key",
    }
    arguments = [f"--{name}={value}" for name, value in settings.items()]
    with process(folder / "log", *as_postgres(POSTGRES / "postgres", "-D", data, *arguments), cwd="/"):
        wait_for("Postgres", lambda: socket.create_connection(("127.0.0.1", port)).close())
        yield port, ca


def checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def helm_archive(helm: Path, archive: Path) -> None:
    """The program packed as a release of helm is."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        packed.add(helm, "linux-arm64/helm")
