"""The door: where hosts on other machines reach the server, over mutually authenticated TLS.

One listener, off unless the operator asks for it. TLS 1.3 is spoken, and nothing else. Who shows a
certificate of our authority that was not revoked is a host and goes on to the hub; who shows none
may ask for the authority's certificate, or trade a token for a certificate of its own, and no more.

While it is open, the door looks after certificates: a host's connection ends as soon as its
certificate is revoked or its host removed, a host asks over its connection for a new one before the
old expires, and the server's own is renewed in time.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import structlog

from skerry.kernel.changes import CHANNEL
from skerry.kernel.errors import Problem
from skerry.kernel.resources import Resources
from skerry.sites import enrolment, nodes
from skerry.sites.authority import Authority, Issued, serial_of
from skerry.sites.contract import Refused
from skerry.sites.greeting import PATIENCE, Denied, Hello, agree, either, send
from skerry.sites.hub import Hub, Known, checking
from skerry.sites.joining import (
    ASK,
    AUTHORITY,
    DOORS,
    JOIN,
    JOINED,
    RENEW,
    Ask,
    AuthorityIs,
    Join,
    Joined,
    Renewed,
)
from skerry.sites.nodes import Node
from skerry.sites.places import at_of
from skerry.sites.wire import Channel, WireFault
from skerry.store import DATABASE_ERRORS, Database

_log = structlog.get_logger("door")
HANDSHAKE = 10.0
MOST_STRANGERS = 32
"""Connections without a certificate that are talked to at once; more wait."""
LOOK = 5.0
"""Seconds after which revocations are looked for though nobody told of any."""
RENEW_AT = 0.5
"""Which part of its life a host's certificate has when it is renewed."""


class Door:
    """``names`` are those by which hosts reach the server; ``address`` is what they are told."""

    def __init__(
        self,
        db: Database,
        resources: Resources,
        hub: Hub,
        authority: Authority,
        names: Sequence[str],
        node: Node | None = None,
    ) -> None:
        self._db = db
        self._resources = resources
        self._hub = hub
        self._authority = authority
        self._names = names
        self._node = node or Node()
        self._context = authority.server_context(names)
        self._strangers = asyncio.Semaphore(MOST_STRANGERS)
        self.address = ""

    @asynccontextmanager
    async def open(self, host: str, port: int) -> AsyncIterator[None]:
        """Take connections while the block runs; ``address`` is known then. Raises ``OSError``."""
        serving: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
            serving.add(task)
            task.add_done_callback(serving.discard)

        server = await asyncio.start_server(
            connected, host, port, ssl=self._context, ssl_handshake_timeout=HANDSHAKE
        )
        name = self._names[0]
        port = server.sockets[0].getsockname()[1]
        self.address = f"{f'[{name}]' if ':' in name else name}:{port}"
        await self._show()
        keeper = asyncio.get_running_loop().create_task(self._keep())
        try:
            yield
        finally:
            keeper.cancel()
            server.close()
            for task in serving:
                task.cancel()
            await asyncio.gather(keeper, *serving, return_exceptions=True)
            self._node.door = ""
            with contextlib.suppress(*DATABASE_ERRORS):
                await self._node.beat(self._db)

    async def _show(self) -> None:
        """Say where hosts reach us, and by whom they know us."""
        self._node.door, self._node.fingerprint = self.address, self._authority.fingerprint
        await self._node.beat(self._db)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if shown is None:
            await self._stranger(reader, writer)
            return
        serial = serial_of(shown)

        async def who(hello: Hello) -> Known:
            return await self._known(serial)

        await self._hub.serve(reader, writer, who)

    async def _known(self, serial: str) -> Known:
        with checking():
            found = await enrolment.holder(self._db, serial)
        if found is None:
            raise Denied(
                "this host's certificate was revoked, or the host was removed: to come back, join "
                "anew with a token of its name"
            )
        at, uid = found

        async def renew(channel: Channel, body: bytes) -> bytes:
            request = msgspec.msgpack.decode(body, type=str)
            return msgspec.msgpack.encode(await self._renew(uid, request))

        async def others(channel: Channel, body: bytes) -> bytes:
            with checking():
                open_now = await nodes.doors(self._db)
            return msgspec.msgpack.encode(open_now.address if open_now else "")

        return Known(at, serial, False, self._renew_in, {RENEW: renew, DOORS: others})

    @property
    def _renew_in(self) -> float:
        return self._authority.host_life.total_seconds() * RENEW_AT

    async def _renew(self, host: uuid.UUID, request: str) -> Renewed:
        try:
            async with self._db.transaction() as tx:
                current = await self._resources.by_uid(tx, host, lock=True)
                issued = await enrolment.renew(tx, self._authority, current, request)
        except Denied as denied:
            raise Refused("Denied", str(denied)) from None
        self._hub.renewed(at_of(current), issued.serial)
        _log.info("certificate renewed", host=current.ref, expires=str(issued.expires_at))
        return Renewed(issued.pem, self._authority.trusted, self._renew_in)

    # Strangers

    async def _stranger(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with self._strangers, asyncio.timeout(PATIENCE):
                kind, message = await either(reader, {ASK: Ask, JOIN: Join})
                if kind == ASK:
                    await send(writer, AUTHORITY, AuthorityIs(self._authority.pem))
                else:
                    await send(writer, JOINED, await self._join(message))
        except (WireFault, TimeoutError, OSError) as error:
            _log.info("no host", error=f"{type(error).__name__}: {error}")
        finally:
            writer.close()

    async def _join(self, join: Join) -> Joined:
        try:
            agree(join.protocol)
            with checking():
                async with self._db.transaction() as tx:
                    host, issued = await enrolment.enrol(
                        tx, self._resources, self._authority, join.token, join.name, join.request
                    )
        except Denied as denied:
            _log.warning("host not taken", reason=str(denied))
            return Joined(denied=str(denied))
        except Problem as problem:
            _log.warning("host not taken", reason=problem.detail)
            return Joined(denied=problem.detail)
        _log.info("host joined", host=host.ref, version=join.version)
        return self._joined(at_of(host), issued)

    def _joined(self, at: str, issued: Issued) -> Joined:
        return Joined(at=at, certificate=issued.pem, authority=self._authority.trusted)

    # Certificates

    async def _keep(self) -> None:
        """Drop connections whose certificate is no longer good; keep the server's own good."""
        told = asyncio.Event()
        await self._db.listen(CHANNEL, told.set)
        renewed = asyncio.get_running_loop().time()
        life = self._authority.server_life.total_seconds()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(LOOK, life / 4)):
                    await told.wait()
            told.clear()
            await self._drop_revoked()
            with contextlib.suppress(*DATABASE_ERRORS):  # others then look a little later
                await self._show()
            now = asyncio.get_running_loop().time()
            if await self.turn():
                renewed = now
            elif now - renewed > life / 2:
                self._authority.renew_server(self._context, self._names)
                renewed = now
            await asyncio.sleep(0.1)  # one look for many changes

    async def turn(self) -> bool:
        """Replace the authority, step by step, when it is time; whether a step was due."""
        if not self._authority.turn():
            return False
        self._authority.trust(self._context)
        self._authority.renew_server(self._context, self._names)
        with contextlib.suppress(*DATABASE_ERRORS):  # tokens made meanwhile are refused in words
            await self._show()
        _log.info("authority of hosts turned", fingerprint=self._authority.fingerprint)
        return True

    async def _drop_revoked(self) -> None:
        standing = {c.serial: c for c in self._hub.contacts() if c.serial}
        if not standing:
            return
        try:
            good = await enrolment.still_good(self._db, list(standing))
        except DATABASE_ERRORS as error:
            _log.warning("certificates not looked at", error=str(error))
            return
        for serial, contact in standing.items():
            if serial not in good:
                _log.warning("certificate revoked: connection dropped", at=contact.at)
                await self._hub.end(contact)
