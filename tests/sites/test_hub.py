"""Agents come and go; the hub has the one that speaks for its site now.

The agents here are a simulated driver behind the real wire, on a real socket.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from skerry.sites import tokens
from skerry.sites.contract import SiteUnreachable, Workloads
from skerry.sites.greeting import Denied, Hello, introduce
from skerry.sites.remote import handlers, known, serve
from skerry.sites.simulated.driver import Simulated
from skerry.sites.simulated.faults import Fault
from skerry.sites.sockets import short_name
from tests.sites.cloud import Cloud
from tests.sites.contract.script import Script
from tests.sites.contract.suite import Fencing, Keeping, Reaching, Reading, Storing, Watching
from tests.sites.simulated.sites import work
from tests.sites.simulated.test_contract import SimulatedRig


class Agent:
    """A driver behind one connection to the hub's socket."""

    def __init__(self, socket: Path, site: str, token: str, driver: Workloads) -> None:
        self._socket = socket
        self._hello = Hello(
            site=site,
            token=token,
            version="1.2.3",
            boot_id="boot-1",
            verbs=tuple(handlers(driver)),
            knows=known(),
        )
        self._driver = driver
        self._task: asyncio.Task[str] | None = None

    async def connect(self) -> None:
        """Raises ``Denied``."""
        with short_name(self._socket) as name:
            reader, writer = await asyncio.open_unix_connection(name)
        await introduce(reader, writer, self._hello)
        self._task = asyncio.create_task(serve(reader, writer, self._driver))

    async def ended(self) -> None:
        assert self._task is not None
        await self._task

    async def vanish(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


async def token_of(cloud: Cloud, site: str) -> str:
    async with cloud.db.transaction() as tx:
        return await tokens.issue(tx, site)


@pytest.fixture
async def socket(cloud: Cloud, tmp_path: Path) -> AsyncIterator[Path]:
    path = tmp_path / "agents"
    async with cloud.hub.listening(path):
        yield path


@pytest.fixture
async def driver() -> AsyncIterator[Simulated]:
    driver = Simulated.open({})
    yield driver
    await driver.close()


async def test_an_agent_makes_its_site_reachable(
    cloud: Cloud, socket: Path, driver: Simulated
) -> None:
    with pytest.raises(SiteUnreachable):
        cloud.hub.driver("here")
    agent = Agent(socket, "here", await token_of(cloud, "here"), driver)
    await agent.connect()
    contact = await cloud.hub.wait("here")
    assert (contact.agent_version, contact.boot_id, contact.remote) == ("1.2.3", "boot-1", True)
    assert await cloud.hub.driver("here").capacity() == await driver.capacity()
    await agent.vanish()
    await contact.ended.wait()
    with pytest.raises(SiteUnreachable):
        cloud.hub.driver("here")


async def test_only_the_sites_own_token_opens(
    cloud: Cloud, socket: Path, driver: Simulated
) -> None:
    theirs = await token_of(cloud, "there")
    old = await token_of(cloud, "here")
    await token_of(cloud, "here")
    for site, token in (
        ("here", theirs),
        ("here", old),
        ("here", ""),
        ("here", "skerry_site_guess"),
        ("nowhere", theirs),
    ):
        with pytest.raises(Denied, match="not a valid token"):
            await Agent(socket, site, token, driver).connect()
    assert cloud.hub.contact("here") is None


async def test_a_newer_connection_supersedes(cloud: Cloud, socket: Path, driver: Simulated) -> None:
    token = await token_of(cloud, "here")
    first, second = (Agent(socket, "here", token, driver) for _ in range(2))
    await first.connect()
    before = await cloud.hub.wait("here")
    await second.connect()
    await first.ended()
    await before.ended.wait()
    now = cloud.hub.contact("here")
    assert now is not None
    assert now is not before
    await cloud.hub.driver("here").capacity()
    await second.vanish()


async def test_noise_on_the_socket_harms_nobody(
    cloud: Cloud, socket: Path, driver: Simulated
) -> None:
    for noise in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 100, b"\xff" * 100_000):
        reader, writer = await asyncio.open_unix_connection(str(socket))
        with suppress(ConnectionError):
            writer.write(noise)
            writer.write_eof()
            await writer.drain()
            await reader.read()
        writer.close()
    agent = Agent(socket, "here", await token_of(cloud, "here"), driver)
    await agent.connect()
    await cloud.hub.driver("here").capacity()
    await agent.vanish()


async def test_the_observer_follows_an_agent(cloud: Cloud, socket: Path, driver: Simulated) -> None:
    site = await cloud.declare("here")
    await cloud.own("w", site)
    await cloud.own("v", site)
    token = await token_of(cloud, "here")
    agent = Agent(socket, "here", token, driver)
    async with cloud.observed():
        await agent.connect()
        await cloud.phase(site, "connected")
        assert (await cloud.shown(site))["agentVersion"] == "1.2.3"
        await cloud.hub.driver("here").apply(work("w", Script().sleep(0.3).exit(5)), 1)
        await agent.vanish()
        driver.world.apply(work("v", Script().exit(6)), 1)
        again = Agent(socket, "here", token, driver)
        await again.connect()
        assert (await cloud.ended("w")).status.tasks[0].exit_code == 5
        assert (await cloud.ended("v")).status.tasks[0].exit_code == 6
        await again.vanish()


async def test_a_data_directory_may_lie_deep(
    cloud: Cloud, tmp_path: Path, driver: Simulated
) -> None:
    await cloud.declare("here")
    deep = tmp_path.joinpath(*["a-folder-in-a-folder"] * 6)
    deep.mkdir(parents=True)
    agent = Agent(deep / "agents", "here", await token_of(cloud, "here"), driver)
    async with cloud.hub.listening(deep / "agents"):
        await agent.connect()
        await cloud.hub.wait("here")
        await agent.vanish()


async def test_an_agent_that_went_to_another_process_is_let_go(
    cloud: Cloud, socket: Path, driver: Simulated, tmp_path: Path
) -> None:
    site = await cloud.declare("here")
    token = await token_of(cloud, "here")
    other, elsewhere = cloud.beside(), tmp_path / "other"
    first, second = (Agent(path, "here", token, driver) for path in (socket, elsewhere))
    async with cloud.observed(), other.hub.listening(elsewhere), other.observed():
        await first.connect()
        await cloud.phase(site, "connected")
        before = cloud.hub.contact("here")
        assert before is not None
        await second.connect()
        await other.hub.wait("here")
        async with asyncio.timeout(30):
            await before.ended.wait()
            await first.ended()
        assert other.hub.contact("here") is not None
        await second.vanish()


async def test_a_call_under_way_ends_with_the_connection(
    cloud: Cloud, socket: Path, driver: Simulated
) -> None:
    agent = Agent(socket, "here", await token_of(cloud, "here"), driver)
    await agent.connect()
    remote = (await cloud.hub.wait("here")).driver
    driver.world.fail(Fault(kind="hang", verbs=("apply",)))
    call = asyncio.create_task(remote.apply(work("w", Script()), 1))
    await remote.capacity()
    await agent.vanish()
    with pytest.raises(SiteUnreachable):
        await call


class WireRig(SimulatedRig):
    """The twin behind an agent's connection; ``kill`` cuts it."""

    def __init__(self, cloud: Cloud, socket: Path) -> None:
        super().__init__(None)
        self._cloud, self._socket = cloud, socket
        self._agents: list[Agent] = []

    async def _remote(self, site: str) -> Workloads:
        token = await token_of(self._cloud, site)
        agent = Agent(self._socket, site, token, self._driver(site))
        await agent.connect()
        self._agents.append(agent)
        return (await self._cloud.hub.wait(site)).driver

    async def open(self) -> Workloads:
        return await self._remote("site")

    async def neighbour(self) -> Workloads:
        return await self._remote("neighbour")

    async def kill(self) -> None:
        while self._agents:
            await self._agents.pop().vanish()
        await self._cloud.hub.close_all()
        await super().kill()


class TestOverTheWire(Fencing, Keeping, Reading, Storing, Watching, Reaching):
    """The suite does not notice that there is a connection in between."""

    @pytest.fixture
    async def rig(self, cloud: Cloud, socket: Path) -> AsyncIterator[WireRig]:
        rig = WireRig(cloud, socket)
        yield rig
        await rig.kill()
