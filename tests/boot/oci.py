"""A registry as ECR is one to helm: by TLS, for nobody without the password, with one chart in it."""

import base64
import contextlib
import hashlib
import http.server
import json
import ssl
import threading
from pathlib import Path

CONFIG = b'{"name": "underwriter"}'
TYPES = {
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "config": "application/vnd.cncf.helm.config.v1+json",
    "chart": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
}


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def described(kind: str, content: bytes) -> dict:
    return {"mediaType": TYPES[kind], "digest": digest(content), "size": len(content)}


def registry_of(chart: bytes, login: str) -> type[http.server.BaseHTTPRequestHandler]:
    """What answers requests: `login` is name:password."""
    manifest = {"schemaVersion": 2, "mediaType": TYPES["manifest"], "config": described("config", CONFIG), "layers": [described("chart", chart)]}
    found = json.dumps(manifest).encode()
    contents = {digest(content): content for content in (CONFIG, chart, found)}
    expected = f"Basic {base64.b64encode(login.encode()).decode()}"

    class Registry(http.server.BaseHTTPRequestHandler):
        def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def do_GET(self) -> None:
            if self.headers.get("Authorization") != expected:
                self.answer(401, WWW_Authenticate='Basic realm="registry"')
                return
            *_, kind, name = self.path.rstrip("/").split("/")
            content = contents.get(name) if kind == "blobs" or name.startswith("sha256:") else found
            self.answer(200, content, Content_Type=TYPES["manifest"] if content == found else "application/octet-stream", Docker_Content_Digest=digest(content))

        do_HEAD = do_GET

        def log_message(self, *arguments) -> None:
            """Nothing."""

    return Registry


@contextlib.contextmanager
def registry(chart: Path, login: str, authority: Path, host: str = "127.0.0.1"):
    """The registry for as long as it is wanted; gives its port. `authority` lies beside the server's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.with_name("server.crt"), authority.with_name("server.key"))
    with http.server.ThreadingHTTPServer((host, 0), registry_of(chart.read_bytes(), login)) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
