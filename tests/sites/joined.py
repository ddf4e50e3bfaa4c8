"""Hosts that join a cloud in this process over real mutual TLS on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from skerry.kernel.hooks import SYSTEM
from skerry.kernel.resources import Resource
from skerry.sites.agent import Far, _serve
from skerry.sites.authority import Authority
from skerry.sites.contract import Workloads
from skerry.sites.door import Door
from skerry.sites.greeting import Hello, Welcome, introduce
from skerry.sites.joining import Membership, join
from skerry.sites.remote import handlers, known
from skerry.sites.wire import Peer
from tests.sites.cloud import Cloud


class _Known(Far):
    """Shows the connection to the test."""

    def __init__(self, membership: Membership) -> None:
        super().__init__(membership)
        self.peer: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()

    async def keep(self, peer: Peer, welcome: Welcome) -> None:
        self.peer.set_result(peer)
        await super().keep(peer, welcome)


class Host:
    """A machine that joined: a driver behind its own certificate."""

    def __init__(self, membership: Membership, driver: Workloads) -> None:
        self.membership = membership
        self.driver = driver
        self.task: asyncio.Task[str] | None = None
        self.server = _Known(membership)

    @property
    def at(self) -> str:
        return self.membership.place.at

    async def connect(self, **said: Any) -> None:
        """Raises ``Denied``, or ``OSError``."""
        self.server = _Known(self.membership)
        reader, writer = await self.server.connect()
        given = {
            "site": self.at, "token": "", "version": "1.2.3", "boot_id": "boot",
            "verbs": tuple(handlers(self.driver)), "knows": known(),
        }  # fmt: skip
        hello = Hello(**given | said)
        try:
            welcome = await introduce(reader, writer, hello)
        except BaseException:
            writer.close()
            raise
        self.task = asyncio.create_task(_serve(self.server, welcome, reader, writer, self.driver))

    async def renew(self) -> None:
        """Ask for a new certificate, as it does in time."""
        await self.membership.renew(await self.server.peer)

    async def cut(self) -> str:
        """Why the connection ended, once it has."""
        assert self.task is not None
        async with asyncio.timeout(30):
            return await self.task

    async def vanish(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task


class Doorway:
    """The door of a cloud, open on loopback."""

    def __init__(self, cloud: Cloud, door: Door, authority: Authority, folder: Path) -> None:
        self.cloud, self.door, self.authority = cloud, door, authority
        self.folder = folder
        self.hosts: list[Host] = []

    async def invite(self, site: Resource, **asked: Any) -> str:
        async with self.cloud.db.transaction() as tx:
            answer = await self.cloud.resources.act(tx, site, "invite", asked, SYSTEM)
        return str(answer["token"])

    async def join(self, token: str, name: str, driver: Workloads, data: str = "") -> Host:
        """Raises ``NotJoined``."""
        folder = self.folder / (data or name)
        folder.mkdir(exist_ok=True)
        host = Host(await join(self.door.address, token, name, folder), driver)
        self.hosts.append(host)
        return host

    async def resource(self, host: Host) -> Resource:
        site, _, name = host.at.partition("/")
        async with self.cloud.db.transaction() as tx:
            return await self.cloud.resources.get(tx, f"skerry.site/v1/sites/{site}/hosts/{name}")

    async def act(self, host: Host, action: str, **body: Any) -> dict[str, Any]:
        resource = await self.resource(host)
        async with self.cloud.db.transaction() as tx:
            return dict(await self.cloud.resources.act(tx, resource, action, body or None, SYSTEM))

    async def shown(self, host: Host) -> dict[str, Any]:
        resource = await self.resource(host)
        kind = self.cloud.resources.registry["host"]
        assert kind.hooks is not None
        async with self.cloud.db.transaction() as tx:
            more = await kind.hooks.shown(tx, self.cloud.resources, resource)
        return {**resource.status, **more}


@asynccontextmanager
async def doorway(
    cloud: Cloud,
    folder: Path,
    host_life: float = 3600,
    server_life: float = 3600,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncIterator[Doorway]:
    authority = Authority(
        folder / "authority",
        host_life=timedelta(seconds=host_life),
        server_life=timedelta(seconds=server_life),
        now=now,
    )
    door = Door(cloud.db, cloud.resources, cloud.hub, authority, ("127.0.0.1", "localhost"))
    cloud.resources.changed = lambda: cloud.db.notify("changes")
    async with door.open("127.0.0.1", 0):
        made = Doorway(cloud, door, authority, folder)
        try:
            yield made
        finally:
            for host in made.hosts:
                await host.vanish()
