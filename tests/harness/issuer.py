"""An OpenID Connect issuer that tells lies when it is told to.

It speaks HTTP on loopback and signs in whom it is told (``person``) without asking. What it says
can be bent: its documents (``documents``), what stands in a token (``claims``), how a token is
signed (``sign``), and its keys (``turn``).
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "skerry", "a secret of the issuer's"
_KEYS = [RSAKey.generate_key(2048, {"kid": name}) for name in ("one", "two")]
"""Made once: it takes long."""


class Issuer:
    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.keys = {"keys": [_KEYS[0].as_dict(private=False)]}
        self.key = _KEYS[0]
        self.person: dict[str, Any] = {"sub": "007"}
        self.claims: dict[str, Any] = {}
        self.more: dict[str, Any] = {"sub": "007"}
        self.documents: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.sign: Callable[[dict[str, Any]], str] = self.honest

    def honest(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def turn(self) -> None:
        """From now on it signs with another key."""
        self.key = _KEYS[1]
        self.keys = {"keys": [self.key.as_dict(private=False)]}

    def token(self, audience: str = CLIENT, **more: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": audience, "iat": now, "exp": now + 300, **self.person, **more,
            **self.claims,
        }  # fmt: skip
        return self.sign({k: v for k, v in claims.items() if v is not None})

    def answer(self, path: str, query: dict[str, str], form: dict[str, str]) -> tuple[int, Any]:
        self.asked.append(path)
        self.forms.append(form)
        if path in self.documents:
            return 200, self.documents[path]
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/userinfo",
            }
        if path == "/keys":
            return 200, self.keys
        if path == "/authorize":
            code = secrets.token_hex(8)
            self.codes[code] = query
            return (
                303,
                f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}",
            )
        if path == "/token":
            return self._exchange(form)
        if path == "/userinfo":
            return 200, self.more
        return 404, {}

    def _exchange(self, form: dict[str, str]) -> tuple[int, Any]:
        asked = self.codes.pop(form.get("code", ""), None)
        made = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(made).decode().rstrip("=")
        if asked is None or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        token = self.token(nonce=asked["nonce"])
        return 200, {"id_token": token, "access_token": "opaque", "token_type": "Bearer"}


def _handler(issuer: Callable[[], Issuer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self, form: dict[str, str]) -> None:
            parts = urlsplit(self.path)
            status, said = issuer().answer(parts.path, dict(parse_qsl(parts.query)), form)
            body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            if status == 303:
                self.send_header("location", said)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(text).items()})

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


@contextmanager
def issuing() -> Iterator[Issuer]:
    """A running issuer; ended by the test that ends, or by ``close``."""
    made: list[Issuer] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(lambda: made[0]))
    made.append(Issuer(server.server_port))
    made[0].close = _closing(server)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made[0]
    finally:
        made[0].close()  # type: ignore[attr-defined]
        thread.join(10)


def _closing(server: ThreadingHTTPServer) -> Callable[[], None]:
    over = threading.Event()

    def close() -> None:
        if not over.is_set():
            over.set()
            server.shutdown()
            server.server_close()

    return close
