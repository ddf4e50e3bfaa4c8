"""How a directory is answered that asks by TLS (TLS-ALPN-01, RFC 8737).

It greets with the name that it asks about and with a protocol of its own, and wants to be shown a
certificate that says the answer. Which protocols a client offers is not told where a certificate is
chosen by its name; so, only while there is something to answer, greetings are looked at as they
come in. Everybody else is served as always meanwhile.
"""

import hashlib
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Make = Callable[[bytes, bytes], ssl.SSLContext]
PROTOCOL = "acme-tls/1"
_OFFER = bytes([len(PROTOCOL)]) + PROTOCOL.encode()
_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
_HELLO = 1
"""TLS's number of a client's greeting."""


def certificate(host: str, answer: str) -> tuple[bytes, bytes]:
    """What says the answer for a name: certificate and key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    digest = hashlib.sha256(answer.encode()).digest()
    said = x509.UnrecognizedExtension(_IDENTIFIER, b"\x04\x20" + digest)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=True)
        .add_extension(said, critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(pem), private


class Answers:
    """What directories are to be answered for the names they ask about."""

    def __init__(self, make: Make) -> None:
        """``make``: a context of a certificate and its key."""
        self._make = make
        self._known: dict[str, tuple[str, ssl.SSLContext]] = {}
        self._listening: list[ssl.SSLContext] = []

    def watch(self, context: ssl.SSLContext) -> None:
        """Connections come in by this one."""
        self._listening.append(context)

    def become(self, answers: Mapping[str, str]) -> None:
        """Answer for these names, and for no other."""
        known = self._known
        self._known = {
            host: known[host] if host in known and known[host][0] == answer else
            (answer, self._context(host, answer))
            for host, answer in answers.items()
        }  # fmt: skip
        for context in self._listening:
            # Not in the documentation, but the only way to see a greeting before its certificate
            # is chosen: a cost for each connection, so not for longer than needed.
            context._msg_callback = _look if self._known else None  # type: ignore[attr-defined]

    def _context(self, host: str, answer: str) -> ssl.SSLContext:
        context = self._make(*certificate(host, answer))
        context.set_alpn_protocols([PROTOCOL])
        return context

    def asked(self, connection: ssl.SSLObject) -> bool:
        """Whether it is a directory that greets."""
        return bool(self._known) and getattr(connection, "_asks", False)

    def context(self, host: str) -> ssl.SSLContext | None:
        found = self._known.get(host)
        return found[1] if found is not None else None


def _look(
    connection: ssl.SSLObject, direction: str, version: object, kind: object, message: object,
    data: bytes,
) -> None:  # fmt: skip
    if direction == "read" and data[:1] == bytes([_HELLO]) and _OFFER in data:
        connection._asks = True  # type: ignore[attr-defined]
