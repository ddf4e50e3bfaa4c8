"""An index of Python packages on this machine, as PyPI is one, with wheels made by hand."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Package(NamedTuple):
    """A module of one line, in a wheel or only as source."""

    name: str
    version: str = "1.0"
    code: str = "answer = 42\n"
    wheel: bool = True
    needs: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        tail = "-py3-none-any.whl" if self.wheel else ".tar.gz"
        return f"{self.name}-{self.version}{tail}"

    @property
    def content(self) -> bytes:
        about = f"{self.name}-{self.version}.dist-info"
        needs = "".join(f"Requires-Dist: {need}\n" for need in self.needs)
        files = {
            f"{self.name}.py": self.code,
            f"{about}/METADATA": "Metadata-Version: 2.1\n"
            f"Name: {self.name}\nVersion: {self.version}\n{needs}",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\n"
            "Root-Is-Purelib: true\nTag: py3-none-any\n",
        }
        files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{about}/RECORD"))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, text in files.items():
                archive.writestr(zipfile.ZipInfo(name), text)
        return packed.getvalue()


class Index:
    """What it has, and who asked for what."""

    def __init__(self, packages: tuple[Package, ...]) -> None:
        self.packages = {package.file: package for package in packages}
        self.asked: list[str] = []
        self.gate = threading.Event()
        """Files are sent only while it is set."""
        self.gate.set()
        self.url = ""

    def answer(self, path: str) -> bytes | None:
        self.asked.append(path)
        parts = path.strip("/").split("/")
        if parts[0] == "simple" and len(parts) == 2:
            found = [p for p in self.packages.values() if p.name == parts[1]]
            links = (
                f'<a href="/files/{p.file}#sha256={hashlib.sha256(p.content).hexdigest()}">'
                f"{p.file}</a>"
                for p in found
            )
            return f"<html><body>{''.join(links)}</body></html>".encode() if found else None
        if parts[0] == "files" and parts[-1] in self.packages:
            self.gate.wait(60)
            return self.packages[parts[-1]].content
        return None


@contextmanager
def serving(*packages: Package) -> Iterator[Index]:
    index = Index(packages)

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            content = index.answer(self.path)
            self.send_response(200 if content is not None else 404)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(content or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield index
    finally:
        index.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
