"""The host's side of joining a site, and of staying a host of it.

A token holds a secret and the fingerprint of the cloud's authority. The machine first asks the
server for the authority's certificate, which it believes only if the fingerprint is the token's;
then it connects again, to a server of that authority only, and trades the secret for a certificate
of a key that never leaves the machine. All it needs from then on lies in one folder of its data
directory, readable by its owner alone.

The agent asks for a new certificate over its connection when the server says that it is time, so
the host's own clock has no say in it.
"""

import asyncio
import contextlib
import datetime as dt
import random
import re
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from skerry import __version__
from skerry.durable import write_private
from skerry.sites.authority import (
    client_context,
    expiry,
    fingerprint,
    key_pem,
    new_key,
    request_pem,
)
from skerry.sites.contract import Refused, SiteUnreachable
from skerry.sites.greeting import PATIENCE, receive, send
from skerry.sites.wire import PROTOCOL, Peer, PeerFault, WireFault

ASK, AUTHORITY, JOIN, JOINED = 0x61, 0x41, 0x6A, 0x4A
RENEW = "renew"
DOORS = "doors"
"""What a host asks: where else is the cloud to be reached?"""
FOLDER = "host"
LONGEST_LINE = 1 << 20
DOORS_EVERY = 60.0
"""Seconds between two questions for doors, at most."""
_AGAIN = 60.0
"""Seconds after which a renewal that failed is tried again, at most."""
_EXPIRED = (
    "this host's certificate has expired: join anew, with a token of its name "
    "(skerry site invite SITE --set host=NAME)"
)
_log = structlog.get_logger("agent")


class Ask(msgspec.Struct, frozen=True, rename="camel"):
    """What is your authority?"""

    protocol: int = PROTOCOL


class AuthorityIs(msgspec.Struct, frozen=True, rename="camel"):
    pem: str


class Join(msgspec.Struct, frozen=True, rename="camel"):
    """A token, for a certificate of the request's key."""

    token: str
    name: str
    request: str
    version: str
    protocol: int = PROTOCOL

    def __repr__(self) -> str:
        return f"Join(name={self.name!r}, version={self.version!r})"


class Joined(msgspec.Struct, frozen=True, rename="camel"):
    at: str = ""
    certificate: str = ""
    authority: str = ""
    denied: str = ""


class Renewed(msgspec.Struct, frozen=True, rename="camel"):
    certificate: str
    authority: str
    renew_in: float


class Place(msgspec.Struct, frozen=True, rename="camel"):
    """What a host keeps of where it joined."""

    at: str
    address: str
    """HOST:PORT by which it joined, or several with commas between."""
    doors: str = ""
    """Those that the cloud has told of since, likewise."""

    @property
    def ways(self) -> list[str]:
        """Where to try, in turn."""
        known = [*self.doors.split(","), *self.address.split(",")]
        return [way for way in dict.fromkeys(known) if way]


class NotJoined(Exception):
    """The machine could not join, or is not joined; the words say why and what to do."""


@dataclass
class Membership:
    """A host's folder: where it joined, as who, and whom it trusts."""

    folder: Path
    place: Place

    @classmethod
    def read(cls, data: Path) -> "Membership":
        """Raises ``NotJoined``."""
        folder = data / FOLDER
        try:
            place = msgspec.json.decode((folder / "place.json").read_bytes(), type=Place)
        except FileNotFoundError:
            raise NotJoined(
                f"{data} holds no membership: join first, with skerry site join"
            ) from None
        except msgspec.MsgspecError as error:
            raise NotJoined(f"{folder / 'place.json'} can't be read: {error}") from error
        return cls(folder, place)

    @property
    def expires(self) -> dt.datetime:
        """When its certificate expires."""
        return expiry((self.folder / "identity.pem").read_text())

    def unreached(self, error: BaseException) -> str:
        """Why the server was not reached, in words. A server says nothing to a certificate that
        has expired, so its date is looked at."""
        if isinstance(error, ConnectionError) and self.expires < dt.datetime.now(dt.UTC):
            return _EXPIRED
        return unreached(self.place.address, error)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to a server, both ends proved. Raises ``OSError``."""
        authority = (self.folder / "authority.pem").read_text()
        context = client_context(authority, self.folder / "identity.pem")
        ways = self.place.ways
        for way in random.sample(ways[:-1], len(ways) - 1):  # spread hosts over the doors
            with contextlib.suppress(OSError, TimeoutError):
                return await _connect(way, context)
        return await _connect(ways[-1], context)

    async def keep_doors(self, peer: Peer) -> None:
        """Learn now and then where else the cloud is to be reached, until cancelled."""
        while True:
            try:
                await self._learn(peer)
            except Refused as refused:
                if refused.reason == "Unsupported":
                    return  # a server before there were several
            except (PeerFault, SiteUnreachable, OSError, msgspec.MsgspecError) as error:
                _log.warning("doors not asked for", why=str(error))
            await asyncio.sleep(random.uniform(0.5, 1.0) * DOORS_EVERY)  # noqa: S311 - to spread

    async def _learn(self, peer: Peer) -> None:
        channel = peer.open(DOORS, b"")
        try:
            async with asyncio.timeout(PATIENCE):
                doors = msgspec.msgpack.decode(await channel.result(), type=str)
        finally:
            channel.close()
        if doors and doors != self.place.doors:
            self.place = msgspec.structs.replace(self.place, doors=doors)
            _keep_place(self.folder, self.place)

    async def keep_certificate(self, peer: Peer, renew_in: float) -> None:
        """Renew the certificate whenever it is time, until cancelled."""
        while True:
            await asyncio.sleep(renew_in)
            try:
                renew_in = await self.renew(peer)
                _log.info("certificate renewed", expires=str(self.expires))
            except (Refused, PeerFault, SiteUnreachable, OSError, msgspec.MsgspecError) as error:
                renew_in = min(max(renew_in / 4, 0.5), _AGAIN)
                _log.warning("certificate not renewed", why=str(error))

    async def renew(self, peer: Peer) -> float:
        """Another certificate, of a new key; in how many seconds it should be renewed."""
        key = new_key()
        channel = peer.open(RENEW, msgspec.msgpack.encode(request_pem(key)))
        try:
            async with asyncio.timeout(PATIENCE):
                answer = msgspec.msgpack.decode(await channel.result(), type=Renewed)
        finally:
            channel.close()
        write_private(self.folder / "authority.pem", answer.authority)
        write_private(self.folder / "identity.pem", key_pem(key) + answer.certificate)
        return answer.renew_in


async def join(address: str, token: str, name: str, data: Path) -> Membership:
    """Make this machine a host. Raises ``NotJoined``; nothing is lost by trying again."""
    secret, _, trusted = token.strip().partition(".")
    if not re.fullmatch("[0-9a-f]{64}", trusted):
        raise NotJoined("this is no token to join by; make one with: skerry site invite SITE")
    ways = [plain(way) for way in address.split(",")]
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = _pending_key(folder / "pending.pem")
    asked = Join(secret, name, _request(folder, key), __version__)
    for way in ways:
        try:
            answer = await _trade(way, trusted, asked)
            break
        except (OSError, TimeoutError, WireFault) as error:
            if way == ways[-1]:
                raise NotJoined(unreached(way, error)) from error
    if answer.denied:
        raise NotJoined(answer.denied)
    place = Place(answer.at, ",".join(ways))
    write_private(folder / "authority.pem", answer.authority)
    write_private(folder / "identity.pem", key_pem(key) + answer.certificate)
    _keep_place(folder, place)
    for draft in ("pending.pem", "pending.request"):
        (folder / draft).unlink()
    return Membership(folder, place)


async def _trade(way: str, trusted: str, asked: Join) -> Joined:
    """Ask one server; its answer."""
    authority = await _authority(way, trusted)
    reader, writer = await _connect(way, client_context(authority))
    with contextlib.closing(writer):
        async with asyncio.timeout(PATIENCE):
            await send(writer, JOIN, asked)
            return await receive(reader, JOINED, Joined)


def _keep_place(folder: Path, place: Place) -> None:
    write_private(folder / "place.json", msgspec.json.encode(place).decode())


def _pending_key(file: Path) -> ec.EllipticCurvePrivateKey:
    """The key that this machine joins with: kept, so that an answer that was lost can be had by
    asking again."""
    if not file.exists():
        write_private(file, key_pem(new_key()))
        file.with_suffix(".request").unlink(missing_ok=True)
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _request(folder: Path, key: ec.EllipticCurvePrivateKey) -> str:
    """The same each time, for a token is good for one request."""
    file = folder / "pending.request"
    if not file.exists():
        write_private(file, request_pem(key))
    return file.read_text()


async def _authority(address: str, trusted: str) -> str:
    """The certificate of the server's authority, if its fingerprint is the one trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # Nothing is believed yet and no secret is sent: the fingerprint decides on what comes back.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await _connect(address, context)
    with contextlib.closing(writer):
        async with asyncio.timeout(PATIENCE):
            await send(writer, ASK, Ask())
            pem = (await receive(reader, AUTHORITY, AuthorityIs)).pem
    try:
        found = fingerprint(pem)
    except ValueError as error:
        raise NotJoined(f"{address} does not answer as a Skerry server does: {error}") from error
    if found != trusted:
        raise NotJoined(
            f"the server at {address} is not the one that the token is from: its authority is "
            f"{found[:16]}…, the token's {trusted[:16]}…"
        )
    return pem


async def _connect(
    address: str, context: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = _split(address)
    async with asyncio.timeout(PATIENCE):
        return await asyncio.open_connection(
            host, port, ssl=context, server_hostname=host, limit=LONGEST_LINE
        )


def plain(url: str) -> str:
    """HOST:PORT of what a person may write. Raises ``NotJoined``."""
    address = re.sub(r"^[a-z]+://", "", url.strip()).rstrip("/")
    host, port = _split(address)
    if not host or not 0 < port < 65536:
        raise NotJoined(f"write the server's address as HOST:PORT, not {url!r}")
    return address


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port) if port.isdecimal() else 0


def unreached(address: str, error: BaseException) -> str:
    """Why a server was not reached, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = " (is this machine's clock right?)" if error.verify_code in (9, 10) else ""
        return f"the server at {address} can't prove who it is: {error.verify_message}{hint}"
    if isinstance(error, ssl.SSLError) and "EXPIRED" in str(error).upper():
        return _EXPIRED
    if isinstance(error, TimeoutError):
        return f"{address} does not answer"
    return f"{address}: {error}" if str(error) else f"{address}: {type(error).__name__}"


def own_name(name: str) -> str:
    """A host's name made of a machine's."""
    made = re.sub("[^a-z0-9]+", "-", name.split(".")[0].lower())[:63].strip("-")
    return made or f"host-{int(time.time()):x}"
