"""How the API's listener speaks: TLS with the operator's files, TLS with the cloud's own authority,
or plain HTTP, which outside loopback has to be asked for in words.

The certificate can change while the server runs: files are read again when they change, what the
authority vouched for is made anew in time. A connection keeps what it began with.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import structlog

from skerry.gateway import authority, upkeep
from skerry.gateway.authority import Authority
from skerry.gateway.options import file_option
from skerry.gateway.tls import CertificateFile, Pair, context_of, pair_of
from skerry.kernel.resources import Resources
from skerry.settings import Settings
from skerry.store import DATABASE_ERRORS, Database

_log = structlog.get_logger("api")
F = TypeVar("F", bound=Callable[..., Any])
LOOK_SECONDS = 5.0
SUBJECT = "api/certificate"
CA_FILE = "ca.pem"
"""Where the authority's certificate is, in the data directory, for whoever is to trust it."""
_ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - to tell that no name follows from it
_OPTIONS = (
    click.option("--tls-cert", type=file_option, help="The API speaks TLS with this chain in PEM; "
                 "read again when it changes"),
    click.option("--tls-key", type=file_option, help="Its key in PEM"),
    click.option("--tls-ca", is_flag=True,
                 help="The API speaks TLS, vouched for by an authority of this cloud's own"),
    click.option("--tls-name", "tls_names", multiple=True, metavar="NAME",
                 show_default="the address itself",
                 help="A name or address for --tls-ca by which clients reach the API; may be "
                 "repeated"),
    click.option("--insecure-http", is_flag=True,
                 help="Speak plain HTTP outside loopback: tokens can be read on the way"),
)  # fmt: skip


def tls_options(command: F) -> F:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check(settings: Settings, *, insecure: bool) -> None:
    """Raises ``UsageError`` where tokens or passwords would go over the network in clear, and
    nobody has said that they may."""
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise click.UsageError("--tls-cert and --tls-key go together")
    if settings.tls_cert and settings.tls_ca:
        raise click.UsageError("--tls-ca and --tls-cert exclude each other")
    if insecure:
        return
    if "api" in settings.roles and not (settings.loopback or settings.tls):
        raise click.UsageError(
            f"{settings.host} is not loopback, and this is plain HTTP. Give certificates "
            "(--tls-cert and --tls-key, or --tls-ca for an authority of this cloud's own), or "
            "listen on 127.0.0.1 behind a TLS proxy, or say --insecure-http."
        )
    gateway = settings.gateway
    if gateway is None or "gateway" not in settings.roles or gateway.tls:
        return
    if not (gateway.host in ("localhost", "::1") or gateway.host.startswith("127.")):
        raise click.UsageError(
            f"The gateway at {gateway.listen} is not on loopback, people sign in there, and this "
            "is plain HTTP. Give it certificates (--gateway-tls-cert and --gateway-tls-key, "
            "--gateway-ca or --gateway-acme), or say --gateway 127.0.0.1:8421 or none, or "
            "--insecure-http."
        )


class Secured:
    """The listener's certificate."""

    def __init__(self, context: ssl.SSLContext) -> None:
        """``context`` is shown until another takes its place."""
        self._now = context

    def server(self) -> ssl.SSLContext:
        """What to listen with."""
        context = context_of(None, http2=False)
        context.sni_callback = self._choose
        return context

    def _choose(
        self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext
    ) -> int | None:
        connection.context = self._now
        return None

    async def run(self, db: Database) -> None:
        """Until cancelled: keep the certificate fresh."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look(db)
            except DATABASE_ERRORS as error:
                _log.warning("certificate not looked after", error=str(error))

    async def look(self, db: Database) -> None:
        """Take up a newer certificate; say it where there should be one and is none."""


class FromFile(Secured):
    """The operator's own."""

    def __init__(self, file: CertificateFile) -> None:
        super().__init__(file.context)
        self._file = file

    async def look(self, db: Database) -> None:
        if await asyncio.to_thread(self._file.look):
            self._now = self._file.context
            _log.info("certificate taken up", ends=str(self._file.pair.not_after))
        async with db.transaction() as tx:
            await upkeep.about_file(tx, self._file, SUBJECT, "The API's")


class FromAuthority(Secured):
    """The cloud's own authority vouches."""

    def __init__(self, own: Authority, names: tuple[str, ...]) -> None:
        self._own = own
        self._names = names
        self._pair = self._issue()
        super().__init__(context_of(self._pair, http2=False))

    def _issue(self) -> Pair:
        return pair_of(*self._own.issue(*self._names))

    async def look(self, db: Database) -> None:
        if not self._own.lasts(self._pair.not_after):
            self._pair = self._issue()
            self._now = context_of(self._pair, http2=False)


def names_of(settings: Settings) -> tuple[str, ...]:
    """What the authority's certificate is good for: the given names, or else the address; and this
    machine itself."""
    given = settings.tls_names
    if not given:
        given = (socket.getfqdn(),) if settings.host in _ANYWHERE else (settings.host,)
    return tuple(dict.fromkeys((*given, "localhost", "127.0.0.1", "::1")))


async def secured(db: Database, resources: Resources, settings: Settings) -> Secured | None:
    """The listener's certificate; None: plain HTTP. Raises ``ValueError`` if it can't be used."""
    if settings.tls_cert is not None:
        chain, key = settings.tls_cert, settings.tls_key or settings.tls_cert
        try:
            file = await asyncio.to_thread(CertificateFile, chain, key, http2=False)
        except (OSError, ValueError) as error:
            raise ValueError(f"the API can't use {chain} with the key {key}: {error}") from error
        return FromFile(file)
    if not settings.tls_ca:
        return None
    own = await authority.opened(db, resources, settings.operator)
    await asyncio.to_thread(publish, settings.data / CA_FILE, own.pem)
    return FromAuthority(own, names_of(settings))


def publish(file: Path, text: bytes) -> None:
    """Write a file that all may read, whole or not at all."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_bytes(text)
    draft.chmod(0o644)
    draft.replace(file)
