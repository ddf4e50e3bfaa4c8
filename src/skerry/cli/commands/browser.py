"""Signing in by a browser: the way through an issuer, back to a port of this machine (RFC 8252).

What comes back is a code that is worth nothing without the verifier, which never leaves this
process; so neither the browser's history nor another program on this machine can use it.
"""

import base64
import hashlib
import secrets
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from skerry.cli.common import Session
from skerry.cli.exits import AUTH, Failed

SECONDS = 600.0
_SAID = b"""<!doctype html><meta charset="utf-8"><title>Skerry</title>
<p style="font:16px system-ui;margin:12vh auto;max-width:22em">%s You can close this page.</p>"""


class _Waiting(HTTPServer):
    answer: dict[str, str] | None = None
    state = ""


class _Handler(BaseHTTPRequestHandler):
    server: _Waiting
    timeout = 5
    """Seconds for a request to come: nobody who only connects keeps the person waiting."""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        found = {name: values[0] for name, values in query.items()}
        ours = secrets.compare_digest(found.get("state", ""), self.server.state)
        if ours and ("code" in found or "error" in found):
            self.server.answer = found
        said = b"You are signed in." if ours and "code" in found else b"That did not work."
        self.send_response(200 if ours else 404)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("cache-control", "no-store")
        self.send_header("referrer-policy", "no-referrer")
        self.end_headers()
        self.wfile.write(_SAID % said)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: an address here holds a code."""


def sign_in(session: Session, issuer: str, open_it: bool) -> dict[str, Any]:
    """The session's document, once the person came back from the issuer."""
    base = session.settings.url.rstrip("/")
    if not base.startswith("http"):
        raise Failed(
            "a browser can't reach this cloud by its socket",
            hint="Name its address with --url.",
            code=2,
        )
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    digest = hashlib.sha256(verifier.encode()).digest()
    with _Waiting(("127.0.0.1", 0), _Handler) as server:
        server.state = state
        query = {
            "issuer": issuer,
            "tenant": session.settings.tenant,
            "back": f"http://127.0.0.1:{server.server_port}/",
            "state": state,
            "challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        }
        url = f"{base}/sign-in/begin?{urlencode(query)}"
        session.note(f"Sign in here: {url}")
        if open_it:
            webbrowser.open(url)
        found = _wait(server)
    if "code" not in found:
        raise Failed(found.get("error_description") or "the issuer did not let you in", code=AUTH)
    return session.client.sign_in(code=found["code"], verifier=verifier)


def _wait(server: _Waiting) -> dict[str, str]:
    end = monotonic() + SECONDS
    while server.answer is None:
        server.timeout = end - monotonic()
        if server.timeout <= 0:
            raise Failed("nobody signed in", hint="Run it again and open the address it prints.")
        server.handle_request()
    return server.answer
