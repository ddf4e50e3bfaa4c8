"""A real registry on this machine: docker-registry, and something in front of it that can stall."""

import base64
import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from tests.harness.images import Image

USER, PASSWORD = "reader", "open sesame"
_LOGIN = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
_HASH = "$2b$10$QB52joLRFolKSmcrQz1g8.YwIYK37hdAKPJqAO8wAlkkGF.lnCHCu"
"""bcrypt of the password."""


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Registry:
    """``host`` is where it answers, with a login where it is ``private``."""

    def __init__(self, folder: Path, *, private: bool = False) -> None:
        self.folder, self.private = folder, private
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        folder.mkdir(parents=True)
        (folder / "htpasswd").write_text(f"{USER}:{_HASH}\n")
        config = {
            "version": "0.1",
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": str(folder / "store")}},
            "http": {"addr": self.host},
        }
        if private:
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
        (folder / "config.yml").write_text(json.dumps(config))

    def start(self) -> None:
        program = shutil.which("docker-registry")
        assert program, "make deps-tests installs docker-registry"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "serve", str(self.folder / "config.yml")], stdout=log, stderr=log
            )
        end = time.monotonic() + 60
        while True:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        kind: str = "application/octet-stream",
        accept: str = "*/*",
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {
            "content-type": kind,
            "accept": accept,
            **({"authorization": _LOGIN} if self.private else {}),
        }
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        found = Answer(answer.status, answer.headers, answer.read())
        connection.close()
        return found

    def push(self, name: str, image: Image, tag: str = "latest") -> str:
        """Put an image there, with all that it names; its reference."""
        for digest, content in image.blobs.items():
            if b'"schemaVersion"' in content[:40]:
                self._manifest(name, digest, content, "application/vnd.oci.image.manifest.v1+json")
            elif self.ask("HEAD", f"/v2/{name}/blobs/{digest}").status != 200:
                begun = self.ask("POST", f"/v2/{name}/blobs/uploads/")
                where = begun.headers["location"].partition(self.host)[2]
                done = self.ask("PUT", f"{where}&digest={digest}", content)
                assert done.status == 201, done
        self._manifest(name, tag, image.text, image.kind)
        return f"{self.host}/{name}:{tag}"

    def _manifest(self, name: str, tag: str, text: bytes, kind: str) -> None:
        done = self.ask("PUT", f"/v2/{name}/manifests/{tag}", text, kind)
        assert done.status == 201, done

    def stored(self, digest: str) -> Path:
        """The file in which it keeps a blob."""
        name = digest.removeprefix("sha256:")
        return self.folder / f"store/docker/registry/v2/blobs/sha256/{name[:2]}/{name}/data"

    def forget(self, name: str, digest: str) -> None:
        assert self.ask("DELETE", f"/v2/{name}/manifests/{digest}").status in (202, 405)


class Front:
    """Passes requests on, and tells them; what a test changes, it sends instead."""

    def __init__(self, behind: Registry) -> None:
        self.behind = behind
        self.asked: list[str] = []
        self.gate = threading.Event()
        """Layers are sent whole only while it is set; else half, and then nothing."""
        self.gate.set()
        self.instead: dict[str, bytes] = {}
        """By path."""
        self.host = ""

    def layers(self, image: Image) -> list[str]:
        """The requests for its blobs so far."""
        return [path for path in self.asked if any(path.endswith(d) for d in image.blobs)]


@contextmanager
def registry(folder: Path, *, private: bool = False) -> Iterator[Registry]:
    made = Registry(folder, private=private)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def front(behind: Registry) -> Iterator[Front]:
    made = Front(behind)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            made.asked.append(f"{self.command} {self.path}")
            accept = ", ".join(self.headers.get_all("accept") or ["*/*"])
            found = behind.ask(self.command, self.path, accept=accept)
            body = made.instead.get(self.path, found.body)
            self.send_response(200 if self.path in made.instead else found.status)
            for name in ("content-type", "docker-content-digest"):
                if name in found.headers and self.path not in made.instead:
                    self.send_header(name, found.headers[name])
            if self.path in made.instead:
                self.send_header("content-type", "application/vnd.oci.image.manifest.v1+json")
            length = found.headers["content-length"] if self.command == "HEAD" else len(body)
            self.send_header("content-length", str(length))
            self.end_headers()
            if self.command == "HEAD":
                return
            if "/blobs/" in self.path and not made.gate.is_set():
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                made.gate.wait(60)
                body = body[len(body) // 2 :]
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                return  # who asked has gone

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.host = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        made.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
