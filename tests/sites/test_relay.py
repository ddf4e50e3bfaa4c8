"""One node has the contact with a place; the others reach it by way of that one."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path

import pytest

from skerry.sites.contract import SiteUnreachable, Workloads
from skerry.sites.greeting import Hello, introduce
from skerry.sites.hub import Contact, Hub
from skerry.sites.nodes import Node
from skerry.sites.relay import NodeKey, Relays
from skerry.store import Database
from tests.sites.contract.suite import Reaching, Reading
from tests.sites.simulated.test_contract import SimulatedRig

HELD = """insert into site_contact (at, watcher, watcher_until)
values ($1, $2, skerry_now() + interval '1 minute')
on conflict (at) do update set watcher = $2, watcher_until = excluded.watcher_until"""


class Peered:
    """A node: its hub, and its ways to the others."""

    def __init__(self, db: Database, key: Path) -> None:
        self.db = db
        self.hub = Hub(db)
        self.node = Node("node", ["worker"])
        self.relays = Relays(db, self.hub, self.node, NodeKey(key))
        self._stack = AsyncExitStack()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> "Peered":
        await self._stack.enter_async_context(self.relays.listening("127.0.0.1", 0))
        await self.node.beat(self.db)
        self._task = asyncio.create_task(self.relays.run())
        return self

    async def hold(self, at: str, driver: Workloads) -> Contact:
        """Have the contact with a place, as its watcher does."""
        before = self.hub.contact(at)
        if before is not None:
            await self.hub.end(before)
        contact = Contact(at, driver, remote=True)
        self.hub._add(contact)
        await self.db.execute(HELD, at, self.node.id)
        self.db.notify("nodes")
        return contact

    async def reach(self, at: str) -> Workloads:
        async with asyncio.timeout(30):
            while True:
                try:
                    return self.hub.driver(at)
                except SiteUnreachable:
                    await asyncio.sleep(0.02)

    async def lose(self, at: str) -> None:
        async with asyncio.timeout(30):
            with suppress(SiteUnreachable):
                while self.hub.driver(at):
                    await asyncio.sleep(0.02)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._stack.aclose()


@pytest.fixture
async def nodes(db: Database, tmp_path: Path) -> AsyncIterator[list[Peered]]:
    made = [await Peered(db, tmp_path / "node.pem").start() for _ in range(3)]
    yield made
    for node in made:
        await node.stop()


class RelayedRig(SimulatedRig):
    """The twin, held by one node and called at another."""

    def __init__(self, holder: Peered, caller: Peered) -> None:
        super().__init__(None)
        self._holder, self._caller = holder, caller

    async def _relayed(self, at: str) -> Workloads:
        await self._holder.hold(at, self._driver(at))
        return await self._caller.reach(at)

    async def open(self) -> Workloads:
        return await self._relayed("site")

    async def neighbour(self) -> Workloads:
        return await self._relayed("neighbour")


class TestByWayOfANode(Reading, Reaching):
    """The suite does not notice that there is another node between."""

    @pytest.fixture
    async def rig(self, nodes: list[Peered]) -> AsyncIterator[RelayedRig]:
        rig = RelayedRig(nodes[0], nodes[1])
        yield rig
        await rig.kill()


async def test_when_the_holder_dies_calls_go_to_the_next(nodes: list[Peered]) -> None:
    rig = SimulatedRig(None)
    first, second, caller = nodes
    await first.hold("home/one", await rig.open())
    old = await caller.reach("home/one")
    assert await old.capacity()
    await first.stop()
    with pytest.raises(SiteUnreachable):
        await old.capacity()
    await caller.lose("home/one")
    await second.hold("home/one", await rig.open())
    assert await (await caller.reach("home/one")).capacity()
    await rig.kill()


async def test_a_node_gives_only_what_it_holds_itself(nodes: list[Peered]) -> None:
    """What it would have to relay, it says it has not: calls don't go in circles."""
    rig = SimulatedRig(None)
    first, second, caller = nodes
    await second.hold("home/one", await rig.open())
    await first.reach("home/one")
    await caller.reach("home/one")
    await first.hold("home/two", await rig.open())  # so that there is a way to the first
    await caller.reach("home/two")
    caller.relays._routes["home/one"] = first.node.id
    with pytest.raises(SiteUnreachable, match="not connected to this node"):
        await caller.hub.driver("home/one").capacity()
    await rig.kill()


async def test_without_the_key_nobody_gets_in(nodes: list[Peered], tmp_path: Path) -> None:
    host, _, port = nodes[0].node.relay.rpartition(":")
    other = NodeKey(tmp_path / "other.pem").context(server=False)
    other.verify_mode = ssl.CERT_NONE  # it would believe anybody; we don't believe it
    for context in (other, _nameless()):
        with pytest.raises((OSError, EOFError)):
            await _greeted(host, int(port), context)


async def _greeted(host: str, port: int, context: ssl.SSLContext) -> None:
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    with closing(writer):
        await introduce(reader, writer, Hello("stranger", "", "1", "node"))


def _nameless() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def test_a_node_trusts_no_server_without_the_key(
    db: Database, nodes: list[Peered], tmp_path: Path
) -> None:
    """What somebody wrote into the table leads to no call."""
    stranger = await Peered(db, tmp_path / "strange.pem").start()
    rig = SimulatedRig(None)
    await stranger.hold("home/one", await rig.open())
    way = nodes[0].relays
    with pytest.raises(OSError, match="certificate verify failed"):
        await way._connect(stranger.node.id, stranger.node.relay)
    with pytest.raises(SiteUnreachable):
        nodes[0].hub.driver("home/one")
    await stranger.stop()
    await rig.kill()


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    NodeKey(tmp_path / "node.pem")
    assert (tmp_path / "node.pem").stat().st_mode & 0o777 == 0o600
    (tmp_path / "node.pem").chmod(0o640)
    with pytest.raises(ValueError, match="chmod 600"):
        NodeKey(tmp_path / "node.pem")
