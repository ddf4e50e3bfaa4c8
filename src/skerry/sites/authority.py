"""The cloud's own certificate authority for hosts: who is the server, and which host is which.

One key, made at the first start and kept in the server's data directory, signs two sorts of
certificate: the server's, which names where hosts reach it and is good for being a server only, and
the hosts', which name their place and are good for being a client only. A host learns the
authority when it joins, by the fingerprint in its token, and trusts nobody else from then on; the
server trusts nobody else either. Hosts' certificates are short-lived and renewed by the hosts
themselves; the server's is renewed where it stands, without a connection being cut.

The authority itself is replaced in its last year, and no host has to join anew for it (``turn``).
Its successor is trusted first, and every host learns of it when it renews its certificate. Once
each certificate that is still good was given out with it, it begins to sign; the former authority
is trusted for as long again, until the last certificate that it signed has expired.

Nothing here knows the database: that a certificate was not revoked is for others to say.
"""

import datetime as dt
import fcntl
import hashlib
import ipaddress
import secrets
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from skerry.durable import write_private

AUTHORITY_LIFE = dt.timedelta(days=3650)
LAST_YEAR = dt.timedelta(days=365)
SERVER_LIFE = dt.timedelta(days=90)
HOST_LIFE = dt.timedelta(days=7)
LEEWAY = dt.timedelta(days=1)
"""Certificates are good from this long before they are made: clocks differ, some by hours."""
_LONGEST_NAME = 64
"""X.509's limit for a common name."""


class BadRequest(Exception):
    """What is no request for a certificate, or one that its maker did not sign."""


@dataclass(frozen=True)
class Issued:
    """A certificate, as PEM."""

    serial: str
    pem: str
    expires_at: dt.datetime


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def request_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """A request for a certificate of this key. It names nobody: who it is for, the server knows."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return _pem(builder.sign(key, hashes.SHA256()))


def fingerprint(pem: str) -> str:
    """SHA-256 of a certificate, in hex."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def expiry(pem: str) -> dt.datetime:
    return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc


def serial_of(der: bytes) -> str:
    """The serial number of a peer's certificate."""
    return f"{x509.load_der_x509_certificate(der).serial_number:x}"


def client_context(authority: str, identity: Path | None = None) -> ssl.SSLContext:
    """For a host: TLS 1.3, to a server of this authority (PEM), as who the file says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=authority)
    if identity is not None:
        context.load_cert_chain(identity)
    return context


class Authority:
    """The authority in a directory that is ours alone (made if it is not there).

    ``host_life`` and ``server_life`` are how long new certificates are good; ``now`` tells the
    time.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host_life: dt.timedelta = HOST_LIFE,
        server_life: dt.timedelta = SERVER_LIFE,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._folder = folder
        self.host_life, self.server_life = host_life, server_life
        self._now = now
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = folder / "authority.pem"
        self._next, self._former = folder / "next.pem", folder / "former.pem"
        with self._alone():
            if not self._file.exists():
                _write(self._file, *_make_authority(now()))
            self._read()
        self._told = self.trusted

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other process changes the folder: several nodes may share it."""
        with (self._folder / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self) -> None:
        text = self._file.read_bytes()
        key = serialization.load_pem_private_key(text, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{self._file} holds no key that this version can use")
        self._key = key
        self._certificate = x509.load_pem_x509_certificate(text)

    @property
    def pem(self) -> str:
        """The certificate of the authority that signs."""
        return _pem(self._certificate)

    @property
    def trusted(self) -> str:
        """All that is to be trusted: it, and its successor or predecessor meanwhile."""
        others = [file for file in (self._next, self._former) if file.exists()]
        return self.pem + "".join(
            _pem(x509.load_pem_x509_certificate(file.read_bytes())) for file in others
        )

    def turn(self) -> bool:
        """Take the step towards another authority that is due; whether one was, or whether another
        node has taken one.

        Contexts must then be told (``trust``) and certificates of the server made anew.
        """
        with self._alone():
            self._read()
            stepped = self._step()
            before, self._told = self._told, self.trusted
        return stepped or before != self._told

    def _step(self) -> bool:
        now, end = self._now(), self._certificate.not_valid_after_utc
        if self._next.exists():
            if _made(self._next) + self.host_life > now:
                return False
            write_private(self._former, self.pem)
            self._next.rename(self._file)
            self._read()
        elif self._former.exists():
            if _made(self._file) + 2 * self.host_life > now:
                return False
            self._former.unlink()
        elif end - now < LAST_YEAR:
            _write(self._next, *_make_authority(now))
        else:
            return False
        return True

    def trust(self, context: ssl.SSLContext) -> None:
        """Let a server's context take certificates of all that is trusted."""
        context.load_verify_locations(cadata=self.trusted)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.pem)

    def sign_host(self, request: str, at: str) -> Issued:
        """A host's certificate for the key of its request. Raises ``BadRequest``."""
        try:
            asked = x509.load_pem_x509_csr(request.encode())
            sound = asked.is_signature_valid
            key = asked.public_key()
        except (ValueError, TypeError, InvalidSignature) as error:
            raise BadRequest(f"this is no request for a certificate: {error}") from None
        if not sound:
            raise BadRequest("the request for a certificate is not signed by its key")
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise BadRequest("a host's key must be of an elliptic curve")
        builder = self._leaf(at, key, self.host_life, ExtendedKeyUsageOID.CLIENT_AUTH)
        return self._sign(builder)

    def server_context(self, names: Sequence[str]) -> ssl.SSLContext:
        """For the server: TLS 1.3; a peer may show a certificate, and then it is of ours."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_OPTIONAL
        self.trust(context)
        self.renew_server(context, names)
        return context

    def renew_server(self, context: ssl.SSLContext, names: Sequence[str]) -> dt.datetime:
        """Give new connections a new certificate of the server; the answer is when it expires."""
        key = new_key()
        builder = self._leaf(
            names[0], key.public_key(), self.server_life, ExtendedKeyUsageOID.SERVER_AUTH
        ).add_extension(x509.SubjectAlternativeName([_named(n) for n in names]), critical=False)
        issued = self._sign(builder)
        file = self._folder / f".server.{secrets.token_hex(8)}.pem"
        try:
            _write(file, key, issued.pem)
            context.load_cert_chain(file)  # which takes nothing but a file
        finally:
            file.unlink(missing_ok=True)
        return issued.expires_at

    def _leaf(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        life: dt.timedelta,
        usage: x509.ObjectIdentifier,
    ) -> x509.CertificateBuilder:
        now = self._now()
        return (
            x509.CertificateBuilder()
            .subject_name(_called(name))
            .issuer_name(self._certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - LEEWAY)
            .not_valid_after(now + life)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )

    def _sign(self, builder: x509.CertificateBuilder) -> Issued:
        made = builder.sign(self._key, hashes.SHA256())
        return Issued(f"{made.serial_number:x}", _pem(made), made.not_valid_after_utc)


def _made(file: Path) -> dt.datetime:
    """When an authority was made."""
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_before_utc + LEEWAY


def _make_authority(now: dt.datetime) -> tuple[ec.EllipticCurvePrivateKey, str]:
    key = new_key()
    made = (
        self_signed("Skerry hosts", key, now - LEEWAY, now + AUTHORITY_LIFE)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, _pem(made)


def self_signed(
    name: str, key: ec.EllipticCurvePrivateKey, since: dt.datetime, until: dt.datetime
) -> x509.CertificateBuilder:
    """What begins a chain of at most two: to be trusted as it stands, once the key signs it."""
    called = _called(name)
    return (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_LONGEST_NAME])])


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(made: x509.Certificate | x509.CertificateSigningRequest) -> str:
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _write(file: Path, key: ec.EllipticCurvePrivateKey, certificate: str) -> None:
    write_private(file, key_pem(key) + certificate)
