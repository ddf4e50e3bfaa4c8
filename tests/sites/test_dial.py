"""``dial``: the direct way where there is one, else the tunnel, and what can go wrong with both."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.sites.contract import (
    Address,
    Port,
    Refused,
    Resources,
    SiteUnreachable,
    Workload,
    Workloads,
)
from skerry.sites.dial import dial
from skerry.sites.hub import Contact, Hub
from skerry.sites.simulated.driver import Simulated
from tests.sites.contract.rig import printed, running, workload
from tests.sites.contract.suite import Script
from tests.sites.local.rigs import AgentRig, LocalRig

PATIENCE = 60
HTTP = Port(name="http", port=8080)


class OneSite:
    """As much of the hub as ``dial`` needs, with one driver for every place."""

    def __init__(self, driver: Workloads) -> None:
        self._driver = driver

    def driver(self, at: str) -> Workloads:
        return self._driver


def served(rig: LocalRig | AgentRig, script: Script | None = None) -> Workload:
    return workload(rig, script or Script().serve(8080), ports=(HTTP,))


async def said_back(end: socket.socket, text: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE):
        await loop.sock_sendall(end, text)
        got = b""
        while len(got) < len(text) and (piece := await loop.sock_recv(end, 65536)):
            got += piece
    return got


async def rest(end: socket.socket) -> bytes:
    got = b""
    async with asyncio.timeout(PATIENCE):
        while piece := await asyncio.get_running_loop().sock_recv(end, 65536):
            got += piece
    return got


@pytest.fixture(params=["runc", "bubblewrap", "process", "agent"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[object]:
    rig: LocalRig | AgentRig
    if request.param == "agent":
        rig = AgentRig(tmp_path)
    elif request.param == "process":
        rig = LocalRig(tmp_path, isolation="process")
    else:
        rig = LocalRig(tmp_path, engines=(request.param,))
    yield rig
    await rig.end()


class TestDirect:
    async def test_it_is_a_connection_of_the_task_itself(self, rig: LocalRig) -> None:
        site = await rig.open()
        work = served(rig)
        await site.apply(work, 1)
        await printed(site, work.id, "serving")
        with await dial(OneSite(site), "here", work.id, 0, 8080) as end:
            assert end.family == socket.AF_INET
            assert end.getpeername() == ("127.0.0.1", 8080)
            assert await said_back(end, b"hello") == b"hello"
            end.shutdown(socket.SHUT_WR)
            assert await rest(end) == b""

    async def test_it_outlives_the_agent(self, rig: LocalRig) -> None:
        site = await rig.open()
        work = served(rig)
        await site.apply(work, 1)
        await printed(site, work.id, "serving")
        with await dial(OneSite(site), "here", work.id, 0, 8080) as end:
            await rig.kill()
            assert await said_back(end, b"still there") == b"still there"
        again = await rig.open()
        with await dial(OneSite(again), "here", work.id, 0, 8080) as end:
            assert await said_back(end, b"and again") == b"and again"

    async def test_what_cannot_be_is_refused_in_the_drivers_words(self, rig: LocalRig) -> None:
        site = await rig.open()
        hub = OneSite(site)
        work = served(rig, Script().stay())
        await site.apply(work, 1)
        await running(site, work.id)
        tried = {
            "UnknownPort": (work.id, 0, 70000),
            "NotListening": (work.id, 0, 8080),
            "UnknownTask": (work.id, 7, 8080),
            "UnknownWorkload": ("nobody", 0, 8080),
        }
        for reason, (id, rank, port) in tried.items():
            for _ in range(2):
                with pytest.raises(Refused) as refused:
                    await dial(hub, "here", id, rank, port)
                assert refused.value.reason == reason
        await site.signal(work.id, signal.SIGKILL, 1)
        async with asyncio.timeout(PATIENCE):
            while (await site.list())[1][0].running:
                await asyncio.sleep(0.02)
        with pytest.raises(Refused) as refused:
            await dial(hub, "here", work.id, 0, 8080)
        assert refused.value.reason == "NotRunning"


class Elsewhere:
    """A driver whose own way is on another machine, or at an address."""

    def __init__(self, driver: Workloads, address: Address) -> None:
        self._driver, self._address = driver, address
        self.asked = 0

    async def address(self, id: str, rank: int, port: int) -> Address | None:
        self.asked += 1
        return self._address

    def __getattr__(self, name: str) -> object:
        return getattr(self._driver, name)


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[LocalRig]:
    rig = LocalRig(tmp_path, engines=("runc",))
    yield rig
    await rig.end()


class TestTunnel:
    @pytest.fixture
    async def tunnelled(self, one: LocalRig, tmp_path: Path) -> tuple[LocalRig, OneSite, Workloads]:
        site = await one.open()
        other = Elsewhere(site, Address(path=str(tmp_path / "of another machine" / "reach")))
        return one, OneSite(other), site

    async def _end(self, tunnelled: tuple[LocalRig, OneSite, Workloads]) -> socket.socket:
        rig, hub, site = tunnelled
        work = served(rig)
        await site.apply(work, 1)
        await printed(site, work.id, "serving")
        return await dial(hub, "there", work.id, 0, 8080)

    async def test_much_data_goes_both_ways_and_ends(self, tunnelled) -> None:
        sent = bytes(range(256)) * 16_000
        with await self._end(tunnelled) as end:
            assert end.family == socket.AF_UNIX

            async def send() -> None:
                await asyncio.get_running_loop().sock_sendall(end, sent)
                end.shutdown(socket.SHUT_WR)

            async with asyncio.TaskGroup() as group:
                group.create_task(send())
                got = group.create_task(rest(end))
            assert got.result() == sent

    async def test_one_who_does_not_read_is_waited_for(self, tunnelled) -> None:
        """Neither end takes more than its buffers hold while the other is slow."""
        with await self._end(tunnelled) as end:
            sent = 0
            try:
                async with asyncio.timeout(1):
                    while True:
                        await asyncio.get_running_loop().sock_sendall(end, bytes(65536))
                        sent += 65536
            except TimeoutError:
                pass
            assert sent < 64 << 20

    async def test_one_who_leaves_is_noticed_though_the_task_is_silent(self, one: LocalRig) -> None:
        site = await one.open()
        deaf = "import socket\ns=socket.create_server(('', 8080))\nprint('serving',flush=True)\n"
        deaf += "c,_=s.accept()\nwhile c.recv(9): pass\nprint('end',flush=True)\n"
        deaf += "try:\n  while 1: c.send(b'x')\nexcept OSError: print('gone',flush=True)"
        work = workload(one, Script(), command=("python3", "-c", deaf), ports=(HTTP,))
        await site.apply(work, 1)
        await printed(site, work.id, "serving")
        hub = OneSite(Elsewhere(site, Address(path="/nowhere/at/all")))
        (await dial(hub, "there", work.id, 0, 8080)).close()
        await printed(site, work.id, "gone")

    async def test_the_way_that_led_nowhere_is_not_asked_for_again(self, one: LocalRig) -> None:
        site = await one.open()
        work = served(one)
        await site.apply(work, 1)
        await printed(site, work.id, "serving")
        other = Elsewhere(site, Address(path="/nowhere/at/all"))
        for _ in range(3):
            with await dial(OneSite(other), "there", work.id, 0, 8080) as end:
                assert await said_back(end, b"x") == b"x"
        assert other.asked == 1

    async def test_the_door_of_another_machines_agent(self, one: LocalRig) -> None:
        """A copied disk has the same names: it knows nothing of the task, and is passed by."""
        site, copy = await one.open(), await one.neighbour()
        work, theirs = served(one), served(one)
        for where, what in ((site, work), (copy, theirs)):
            await where.apply(what, 1)
            await printed(where, what.id, "serving")
        door = await copy.address(theirs.id, 0, 8080)
        with await dial(OneSite(Elsewhere(site, door)), "there", work.id, 0, 8080) as end:
            assert end.family == socket.AF_UNIX
            assert await said_back(end, b"mine") == b"mine"

    async def test_an_agent_that_ends_closes_it(self, tmp_path: Path) -> None:
        rig = AgentRig(tmp_path)
        try:
            site = await rig.open()
            work = served(rig)
            await site.apply(work, 1)
            await printed(site, work.id, "serving")
            hub = OneSite(Elsewhere(site, Address(path="/nowhere/at/all")))
            with await dial(hub, "there", work.id, 0, 8080) as end:
                assert await said_back(end, b"x") == b"x"
                await rig.kill()
                assert await rest(end) == b""
            with pytest.raises(SiteUnreachable):
                await dial(hub, "there", work.id, 0, 8080)
        finally:
            await rig.end()


async def test_an_ordinary_address(one: LocalRig) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        writer.close()

    site = await one.open()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    other = Elsewhere(site, Address(host="127.0.0.1", port=port))
    with await dial(OneSite(other), "there", "w", 0, 8080) as end:
        assert await said_back(end, b"tcp") == b"tcp"
    server.close()
    await server.wait_closed()
    with pytest.raises(Refused) as refused:
        await dial(OneSite(other), "there", "w", 0, 8080)
    assert refused.value.reason == "NotListening"


async def test_a_site_without_addresses() -> None:
    hub = Hub(None)  # type: ignore[arg-type] - nothing here asks the database
    with pytest.raises(SiteUnreachable):
        await dial(hub, "twin", "w", 0, 8080)
    twin = Simulated.open({})
    hub._add(Contact("twin", twin, remote=False))
    env = {"SKERRY_SIM": '[["serve", 8080]]'}
    resources = Resources(millicores=100, memory=1 << 20)
    work = Workload(id="w", tenant="a", command=("x",), env=env, resources=resources, ports=(HTTP,))
    await twin.apply(work, 1)
    await running(twin, "w")
    with await dial(hub, "twin", "w", 0, 8080) as end:
        assert await said_back(end, b"hello") == b"hello"
    await hub.close_all()


async def test_the_door_is_shut_to_others(one: LocalRig) -> None:
    site = await one.open()
    work = served(one)
    await site.apply(work, 1)
    await printed(site, work.id, "serving")
    address = await site.address(work.id, 0, 8080)
    assert address is not None
    assert Path(address.path).parent.stat().st_mode & 0o777 == 0o700
    with socket.socket(socket.AF_UNIX) as end:
        end.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(end, address.path)
        await loop.sock_sendall(end, b"nonsense\n" + b"%b 0 x\n" % work.id.encode())
        said = b""
        while said.count(b"\n") < 2:
            said += await loop.sock_recv(end, 4096)
        assert said.count(b"BadRequest ") == 2
        await loop.sock_sendall(end, bytes(128))
        assert await rest(end) == b""
