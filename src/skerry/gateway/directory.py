"""An ACME directory (RFC 8555), as far as certificates of single names need one.

The package ``acme`` speaks it, with blocking calls: everything here is run in a thread.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from acme import challenges, client, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from josepy.jwk import JWKRSA

from skerry.gateway.authority import private_pem

AGENT = "skerry"
SECONDS = 90
_TIMEOUT = 20


class OrderFailed(Exception):
    """A directory did not give a certificate. ``pause``: seconds it asks us to stay away for."""

    def __init__(self, message: str, pause: float = 0.0) -> None:
        super().__init__(message)
        self.pause = pause


def new_account_key() -> bytes:
    """In PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@challenges.ChallengeResponse.register
class ByTlsResponse(challenges.KeyAuthorizationChallengeResponse):
    typ = "tls-alpn-01"


@challenges.Challenge.register
class ByTls(challenges.KeyAuthorizationChallenge):
    """TLS-ALPN-01 (RFC 8737), which the package has no more."""

    typ = "tls-alpn-01"
    response_cls = ByTlsResponse

    def validation(self, account_key: Any, **kwargs: Any) -> str:
        return self.key_authorization(account_key)


@dataclass(frozen=True)
class Challenge:
    """What must be served at ``/.well-known/acme-challenge/{token}``, or ``alpn`` has to say."""

    token: str
    answer: str


class Order:
    """One order for one name, from ``begin`` to ``finish``."""

    def __init__(self, directory: "Directory", host: str, *, by_tls: bool) -> None:
        self._directory = directory
        self._sort = ByTls if by_tls else challenges.HTTP01
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)] if len(host) < 65 else [])
        csr = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(name)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self._csr = csr.public_bytes(serialization.Encoding.PEM)
        self._asked: list[tuple[messages.ChallengeBody, Any]] = []

    def begin(self) -> list[Challenge]:
        """Ask for it; what must be served before ``finish``. Raises ``OrderFailed``."""
        with _told():
            acme = self._directory.client()
            self._order = acme.new_order(self._csr)
            found = []
            for authorization in self._order.authorizations:
                if authorization.body.status == messages.STATUS_VALID:
                    continue
                body = self._offered(authorization)
                answer, text = body.response_and_validation(self._directory.key)
                self._asked.append((body, answer))
                found.append(Challenge(body.chall.encode("token"), text))
            return found

    def finish(self) -> tuple[bytes, bytes]:
        """Have it looked at; chain and key in PEM. Raises ``OrderFailed``."""
        with _told():
            acme = self._directory.client()
            for body, answer in self._asked:
                acme.answer_challenge(body, answer)
            # The package compares with the host's local time.
            deadline = datetime.now() + timedelta(seconds=SECONDS)
            done = acme.poll_and_finalize(self._order, deadline)
            return done.fullchain_pem.encode(), private_pem(self._key)

    def _offered(self, authorization: messages.AuthorizationResource) -> messages.ChallengeBody:
        for body in authorization.body.challenges:
            if isinstance(body.chall, self._sort):
                return body
        raise OrderFailed(f"the directory offers no {self._sort.typ} for this name")


class Directory:
    """A directory and our account there."""

    def __init__(self, url: str, key: bytes, *, email: str = "", ca: Path | None = None) -> None:
        loaded = serialization.load_pem_private_key(key, None)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        self.key = JWKRSA(key=loaded)
        self._url = url
        self._email = email
        self._ca = ca
        self._client: client.ClientV2 | None = None

    def client(self) -> client.ClientV2:
        """Signed in. The same key is the same account, whenever it was made."""
        if self._client is None:
            # The package hands ``verify_ssl`` to requests, which also takes the file of a CA.
            verify: Any = str(self._ca) if self._ca is not None else True
            net = client.ClientNetwork(
                self.key, verify_ssl=verify, user_agent=AGENT, timeout=_TIMEOUT
            )
            made = client.ClientV2(client.ClientV2.get_directory(self._url, net), net)
            wanted = messages.NewRegistration.from_data(
                email=self._email or None, terms_of_service_agreed=True
            )
            try:
                made.new_account(wanted)
            except errors.ConflictError as known:
                resource = messages.RegistrationResource(uri=known.location, body=wanted)
                made.query_registration(resource)
            self._client = made
        return self._client

    def order(self, host: str, *, by_tls: bool) -> Order:
        """``by_tls``: it asks where TLS is spoken (TLS-ALPN-01), else where HTTP is (HTTP-01)."""
        return Order(self, host, by_tls=by_tls)


@contextlib.contextmanager
def _told() -> Any:
    """Say in words what went wrong."""
    try:
        yield
    except messages.Error as error:
        pause = 3600.0 if error.code == "rateLimited" else 0.0
        raise OrderFailed(str(error.detail or error), pause) from error
    except errors.ValidationError as error:
        raise OrderFailed(_why(error)) from error
    except errors.TimeoutError as error:
        raise OrderFailed("the directory did not come to an end with it in time") from error
    except (errors.Error, requests.RequestException, ValueError, KeyError) as error:
        raise OrderFailed(f"{type(error).__name__}: {error}"[:500]) from error


def _why(error: errors.ValidationError) -> str:
    for authorization in error.failed_authzrs:
        for body in authorization.body.challenges:
            if body.error is not None:
                return str(body.error.detail)[:500]
    return "the name was not found to lead here"
