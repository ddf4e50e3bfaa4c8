"""The web console: files that a build made, served to anyone; what they show needs a token.

The files are in ``static/`` beside this module, where the package's build puts them. They are found
by looking a name up among those that are there, so no path of a request ever reaches the disk. What
lies under ``assets/`` carries its digest in its name and is kept for ever; ``index.html`` answers
every other path, because the console finds its way by itself, and is asked for each time.

The page may run its own scripts only. Style elements need the nonce that the answer carries, put in
place of ``NONCE`` in ``index.html``; style attributes are let be, which the terminal sets.
"""

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from skerry.api import requests, sending
from skerry.api.pages import page
from skerry.api.sending import ASK, CODINGS, File

if TYPE_CHECKING:
    from skerry.api.edge import Edge

STATIC = Path(__file__).with_name("static")
HOME = "/console/"
NONCE = b"__CSP_NONCE__"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
    "style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_MISSING = """<p>This server has no console: its files were not built.</p>
<p>In a checkout, <code>make console</code> builds them; a released package brings them along.
The API and the <code>skerry</code> command need none of it.</p>"""


@dataclass
class Console:
    """The files of one build. They are read once, and again when there is another build."""

    directory: Path = STATIC
    _files: dict[str, File] = field(default_factory=dict)
    _made: int = -1
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def files(self) -> dict[str, File]:
        """By their path below ``/console/``; none if there is no build."""
        made = self._stamp()
        if made != self._made:
            async with self._lock:
                if made != self._made:
                    self._files = await asyncio.to_thread(_read, self.directory) if made else {}
                    self._made = made
        return self._files

    def _stamp(self) -> int:
        """When it was built; 0: it was not."""
        try:
            return (self.directory / "index.html").stat().st_mtime_ns
        except OSError:
            return 0


def built(directory: Path = STATIC) -> bool:
    """Whether there is a console to serve."""
    return (directory / "index.html").is_file()


def _read(directory: Path) -> dict[str, File]:
    kept: dict[str, bytes] = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            file = Path(folder, name)
            if file.is_file() and not file.is_symlink() and not name.startswith("."):
                kept[file.relative_to(directory).as_posix()] = file.read_bytes()
    beside = tuple(CODINGS.values())
    return {
        path: _file(path, body, kept)
        for path, body in kept.items()
        if not (path.endswith(beside) and path.rpartition(".")[0] in kept)
    }


def _file(path: str, body: bytes, kept: Mapping[str, bytes]) -> File:
    if NONCE in body:
        return sending.as_sent(path, body)
    beside = {c: kept[path + ending] for c, ending in CODINGS.items() if path + ending in kept}
    return sending.as_sent(path, body, beside)


Handler = Callable[["Edge", Request], Awaitable[Response]]


def routes(console: Console) -> dict[str, dict[str, Handler]]:
    """For the application."""

    async def serve(edge: "Edge", request: Request) -> Response:
        return await _serve(console, request)

    async def bare(edge: "Edge", request: Request) -> Response:
        return RedirectResponse(HOME, 308)

    return {"/console": {"GET": bare}, HOME + "{path:path}": {"GET": serve}}


def wanted(request: Request) -> bool:
    """Whether a person's browser asks."""
    return "text/html" in (requests.header(request, b"accept") or "")


async def _serve(console: Console, request: Request) -> Response:
    files = await console.files()
    path = request.path_params["path"]
    found = files.get(path)
    if found is None and not path.startswith("assets/"):
        found = files.get("index.html")
    if found is None:
        if files:
            return page("Not there", "<p>The console was built anew: load the page again.</p>",
                        status=404)  # fmt: skip
        return page("No console", _MISSING, status=404)
    if NONCE in found.bodies[""]:
        return _whole(found)
    return sending.answer(found, request, _headers(found, ""))


def _whole(found: File) -> Response:
    """A page that carries its nonce; no validator, because no two are the same."""
    nonce = base64.b64encode(os.urandom(18)).decode()
    body = found.bodies[""].replace(NONCE, nonce.encode())
    return Response(body, headers={**_headers(found, nonce), "cache-control": ASK})


def _headers(found: File, nonce: str) -> dict[str, str]:
    headers = {"content-type": found.media, "referrer-policy": "no-referrer"}
    if found.media.startswith("text/html"):
        policy = _POLICY.format(nonce=nonce) if nonce else _POLICY.replace(" 'nonce-{nonce}'", "")
        headers |= {"content-security-policy": policy, "cross-origin-opener-policy": "same-origin"}
    return headers
