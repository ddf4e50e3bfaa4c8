"""One gateway, from its first to its last moment."""

import asyncio
import secrets
import socket
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog

from skerry.gateway import authority, face, fold, passes, seen, upkeep
from skerry.gateway.access import AccessLog
from skerry.gateway.face import Face
from skerry.gateway.follow import Follower
from skerry.gateway.gate import DoorkeeperGate
from skerry.gateway.idle import Idle
from skerry.gateway.login import Login
from skerry.gateway.ordering import Ordering
from skerry.gateway.proxy import Proxy
from skerry.gateway.room import Room
from skerry.gateway.seams import Dial, Entry
from skerry.gateway.settings import GatewaySettings, address
from skerry.gateway.spool import Spool
from skerry.gateway.table import Backend, Table
from skerry.gateway.tls import CertificateFile, Certificates
from skerry.identity.authenticate import Authenticator
from skerry.kernel.feed import Feed
from skerry.kernel.resources import Resources
from skerry.series import Requests
from skerry.sites.contract import Refused
from skerry.sites.dial import Drivers, dial
from skerry.store import DATABASE_ERRORS, Database

_log = structlog.get_logger("gateway")

WRITE = 1.0
FOLD = 5.0
SWEEP = 3600.0
LOOK = 10.0
GRACE = 5.0
"""Seconds that requests under way have to end when the gateway ends."""


def through(drivers: Drivers) -> Dial:
    """Reach backends at the sites that they are at."""

    async def reach(backend: Backend) -> socket.socket:
        try:
            return await dial(drivers, backend.at, backend.workload, backend.rank, backend.port)
        except Refused as refused:
            raise ConnectionRefusedError(refused.message) from refused

    return reach


def _public(host: str) -> bool:
    """Whether a directory may vouch for it: names below ``localhost`` are everywhere others."""
    return host.rpartition(".")[2] != "localhost"


class Gateway:
    """Listens, routes, counts. ``run`` it beside what ``feed`` needs."""

    def __init__(
        self,
        *,
        db: Database,
        resources: Resources,
        feed: Feed,
        authenticator: Authenticator,
        dial: Dial,
        settings: GatewaySettings,
        folder: Path,
        operator: str,
        sign_in: Callable[[], str],
    ) -> None:
        self.settings = settings
        self.url = ""
        """Where routes are, with the base as an example of a name; once it listens."""
        self.http_port = 0
        self.listening = asyncio.Event()
        self.table = Table()
        self.spool = Spool(folder / "spool")
        self.access = AccessLog(folder / "access")
        self.requests = Requests()
        """What a ``Recorder`` is to read."""
        self._db = db
        self._resources = resources
        self._feed = feed
        self._dial = dial
        self._folder = folder
        self._operator = operator
        self._sign_in = sign_in
        self._login = Login(db, resources, authenticator, sign_in)
        self.room = Room(self.table, self._tell)

    @property
    def name(self) -> str:
        """Made up once, and kept: after a restart it is still this gateway."""
        file = self._folder / "name"
        if not file.exists():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = file.with_suffix(".new")
            draft.write_text(f"{socket.gethostname()[:40]}-{secrets.token_hex(4)}")
            draft.replace(file)
        return file.read_text()

    async def run(self) -> None:
        """Serve until cancelled. Raises OSError where an address or a file can't be had."""
        name = await asyncio.to_thread(lambda: self.name)
        await asyncio.to_thread(self.spool.recover)
        await seen.begin(self._db, name)
        certificates = await self._certificates()
        ordering = self._ordering(certificates) if certificates and self.settings.acme else None
        secure = self._secure_url if self.settings.tls else None
        challenge = ordering.challenge if ordering else None
        heard = [self.spool.add, self.access.add, self._count]
        gate = DoorkeeperGate(
            self._login, self.room, heard=heard, challenge=challenge, secure_url=secure
        )
        proxy = Proxy(self.table, self._dial, gate)
        follower = Follower(
            self._db, self._feed, self.table, name, proxy.in_flight, self._resources.sealer
        )
        idle = Idle(self._db, self.table, self.room, follower, proxy.in_flight, self._tell)
        gate.hear(lambda entry: follower.asked(entry.route.uid))
        gate.hear(lambda entry: idle.asked(entry.route.uid))
        works: list[Coroutine[Any, Any, None]] = [
            follower.run(),
            idle.run(),
            self._every(WRITE, self._write),
            self._every(FOLD, self._fold),
            self._every(SWEEP, self._sweep),
            self._every(LOOK, lambda: self._look(proxy, certificates)),
        ]
        if ordering is not None:
            works.append(ordering.run())
        try:
            async with asyncio.TaskGroup() as group:
                for work in works:
                    group.create_task(work)
                await follower.ready.wait()
                await self._listen(proxy, certificates)
                self.listening.set()
        finally:
            await proxy.close(GRACE)
            await self.access.write()
            await self.spool.write(close=True)

    async def _listen(self, proxy: Proxy, certificates: Certificates | None) -> None:
        s = self.settings
        port = await proxy.listen(
            *address(s.listen), certificates.server() if certificates else None
        )
        if certificates and s.http:
            self.http_port = await proxy.listen(*address(s.http), None)
        shown = Face(
            scheme=s.scheme,
            base=s.base,
            port=s.port or port,
            reserved=s.reserved,
            tcp_first=s.tcp[0],
            tcp_last=s.tcp[1],
        )
        self.url = shown.url(s.base)
        await face.show(self._db, self._resources, shown)
        await proxy.listen_tcp(s.host)

    async def _certificates(self) -> Certificates | None:
        s = self.settings
        if not s.tls:
            return None
        file = None
        if s.cert is not None:
            try:
                file = await asyncio.to_thread(CertificateFile, s.cert, s.key or s.cert)
            except (OSError, ValueError) as error:
                text = f"the gateway can't use {s.cert} with the key {s.key}: {error}"
                raise ValueError(text) from error
        own = None
        if s.authority:
            own = await authority.opened(self._db, self._resources, self._operator)
        found = Certificates(self.table, file, own)
        await upkeep.record(self._db, file, own)
        return found

    def _ordering(self, certificates: Certificates) -> Ordering:
        file, s = certificates.file, self.settings
        return Ordering(
            self._db, self._resources, self.table, certificates, s.acme, email=s.acme_email,
            ca=s.acme_ca, by_tls=not s.http,
            wants=lambda host: _public(host) and not (file and file.covers(host)),
        )  # fmt: skip

    def _secure_url(self, host: str) -> str:
        port = int(self.url.rpartition(":")[2]) if self.url.count(":") > 1 else 443
        return Face(scheme="https", base=self.settings.base, port=port).url(host)

    def _count(self, entry: Entry) -> None:
        self.requests.count(
            entry.route.uid,
            failed=entry.status >= 500,
            seconds=entry.seconds,
            received=entry.received,
            sent=entry.sent,
        )

    async def _tell(self, owner: uuid.UUID, intent: str) -> None:
        async with self._db.transaction() as tx:
            await self._resources.intend(tx, owner, intent)

    async def _every(self, seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do it again and again; what fails is said, and tried again the next time."""
        while True:
            try:
                await work()
            except DATABASE_ERRORS as error:
                _log.warning("gateway's upkeep waits", error=str(error))
            await asyncio.sleep(seconds)

    async def _write(self) -> None:
        await self.access.write()
        await self.spool.write()
        await upkeep.metering(self._db, self.spool.problem)

    async def _look(self, proxy: Proxy, certificates: Certificates | None) -> None:
        await upkeep.look(self._db, certificates)
        await upkeep.ports(self._db, await asyncio.to_thread(lambda: self.name), proxy.tcp_faults)

    async def _fold(self) -> None:
        await fold.fold(self._db, self._resources, self.spool)
        await fold.finish(self._db)

    async def _sweep(self) -> None:
        await self.access.sweep()
        await passes.sweep(self._db)
        await upkeep.sweep(self._db)
        await fold.sweep(self._db)
