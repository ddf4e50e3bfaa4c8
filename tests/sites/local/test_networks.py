"""Networks of tasks: what they reach, what they don't, and that nothing is left of them.

All of it in namespaces made here: a *host* with the agent in it, and an *outside* that it is
connected to, with a public address, a private one, and a name server.
"""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from skerry.sites.contract import Port, Refused, Workload, Workloads
from skerry.sites.dial import dial
from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver
from skerry.sites.local.networks import names
from tests.sites.contract.rig import ended, log, printed, running, workload
from tests.sites.contract.suite import Script
from tests.sites.local.rigs import AgentEnd, LocalRig, config
from tests.sites.test_dial import OneSite, said_back

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="networks are made by root")

PUBLIC, PRIVATE = "9.9.9.9", "10.9.9.9"
METADATA = "169.254.169.254"
"""Where clouds tell a machine, and whoever asks from it, its secrets."""
HOST, GATEWAY = "9.9.8.2", "9.9.8.1"
PORT = 8080
PATIENCE = 60

_OUTSIDE = f"""
import socket, threading
def say(address):
    listener = socket.create_server((address, {PORT}))
    while True:
        end, (peer, _) = listener.accept()
        end.sendall(f"{{address}} sees {{peer}}".encode())
        end.close()
for address in ("{PUBLIC}", "{PRIVATE}", "{METADATA}"):
    threading.Thread(target=say, args=(address,)).start()
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("{PRIVATE}", 53))
print("up", flush=True)
while True:
    asked, peer = names.recvfrom(512)
    question = asked[12:]
    kind = question[question.index(0) + 1 :][:2]
    end = question.index(0) + 5
    count = b"\\0\\1" if kind == b"\\0\\1" else b"\\0\\0"
    head = asked[:2] + b"\\x81\\x80\\0\\1" + count + bytes(4)
    answer = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4" + socket.inet_aton("{PUBLIC}")
    names.sendto(head + question[:end] + (answer if kind == b"\\0\\1" else b""), peer)
"""

_TRY = """
import socket, sys
for place in sys.argv[1:]:
    host, _, port = place.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), 1) as end:
            print(place, end.recv(100).decode() or "reached", flush=True)
    except OSError as error:
        print(place, "closed", flush=True)
"""


def sh(script: str) -> str:
    done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class World:
    """Two namespaces with a cable between them."""

    host: str
    outside: str

    def on_host(self, script: str) -> str:
        return sh(f"exec ip netns exec {self.host} sh -ec '{script}'")


@pytest.fixture
def world() -> Iterator[World]:
    mark = uuid.uuid4().hex[:6]
    world = World(f"host-{mark}", f"outside-{mark}")
    h, o = world.host, world.outside
    try:
        sh(f"""
        ip netns add {h}; ip netns add {o}
        ip -n {h} link set lo up; ip -n {o} link set lo up
        ip -n {h} link add up0 mtu 1400 type veth peer name down0 mtu 1400 netns {o}
        ip -n {h} addr add {HOST}/24 dev up0; ip -n {h} link set up0 up
        ip -n {o} addr add {GATEWAY}/24 dev down0; ip -n {o} link set down0 up
        ip -n {o} addr add {PUBLIC}/32 dev lo; ip -n {o} addr add {PRIVATE}/32 dev lo
        ip -n {o} addr add {METADATA}/32 dev lo
        ip -n {h} route add default via {GATEWAY}
        """)
        command = ["ip", "netns", "exec", o, sys.executable, "-c", _OUTSIDE]
        server = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"up\n"
            yield world
        finally:
            server.kill()
            server.wait()
            server.stdout.close()
    finally:
        sh(f"ip netns del {h}; ip netns del {o}")


class Host:
    """Agents on the host, one after the other on the same directory."""

    isolation = "sandbox"

    def __init__(self, world: World, directory: Path, engine: str, **more: Any) -> None:
        directory.mkdir(exist_ok=True)
        self.world = world
        settings = {"engines": [engine], "nameServers": [PRIVATE], **more}
        prefix = ("nsenter", f"--net=/run/netns/{world.host}")
        self.end = AgentEnd(directory, settings, prefix)

    async def open(self) -> Workloads:
        return await self.end.start()

    def render(self, script: Script) -> tuple[tuple[str, ...], dict[str, str]]:
        return script.shell, {}

    def asking(self, *places: str, then: str = "", **changes: Any) -> Workload:
        """One that tries to connect to places and prints what came of it."""
        command = ("sh", "-c", 'python3 -c "$0" "$@"; ' + then, _TRY, *places)
        return workload(self, Script(), command=command, network=True, **changes)

    async def tell(self, site: Workloads, *places: str) -> list[str]:
        """What a task says that has tried them."""
        work = self.asking(*places)
        await site.apply(work, 1)
        await ended(site, work.id)
        said = await log(site, work.id)
        await site.delete(work.id, 1)
        return said.splitlines()

    def links(self) -> list[str]:
        """The interfaces of bridges and tasks, without numbers."""
        lines = self.world.on_host("cat /proc/net/dev").splitlines()[2:]
        return sorted(name for line in lines if (name := line.split(":")[0].strip())[:2] == "sk")

    async def until_links(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.links()) != count:
                await asyncio.sleep(0.05)

    def tables(self) -> str:
        return self.world.on_host("nft list tables")

    async def leave(self) -> None:
        """Delete all, and end in good order."""
        if self.end.process is None:
            return
        if self.end.process.returncode is not None:
            await self.open()
        site = self.end.last
        assert site is not None
        for status in (await site.list())[1]:
            await site.delete(status.id, status.fence)
        await self.end.kill(signal.SIGTERM)


@pytest.fixture(params=["runc", "bubblewrap"])
async def host(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> AsyncIterator[Host]:
    host = Host(world, tmp_path / "a", request.param)
    yield host
    await host.leave()
    await host.until_links(0)
    assert "skerry" not in host.tables()


@pytest.fixture
async def runc(world: World, tmp_path: Path) -> AsyncIterator[Host]:
    host = Host(world, tmp_path / "a", "runc")
    yield host
    await host.leave()


async def test_what_is_open_and_what_is_closed(host: Host) -> None:
    site = await host.open()
    listening = "python3 -m http.server --bind 0.0.0.0 7000"
    server = subprocess.Popen(
        ["ip", "netns", "exec", host.world.host, *listening.split()],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    other = workload(
        host, Script().serve(PORT), network=True, ports=(Port(name="http", port=PORT),)
    )
    try:
        await site.apply(other, 1)
        await printed(site, other.id, "serving")
        said = await host.tell(
            site,
            f"{PUBLIC}:{PORT}",
            f"a.name:{PORT}",
            f"{PRIVATE}:{PORT}",
            f"{METADATA}:{PORT}",
            f"{HOST}:7000",
            "10.83.0.1:7000",
            "127.0.0.1:7000",
            f"10.83.0.2:{PORT}",
        )
    finally:
        server.kill()
        server.wait()
    assert said == [
        f"{PUBLIC}:{PORT} {PUBLIC} sees {HOST}",
        f"a.name:{PORT} {PUBLIC} sees {HOST}",
        f"{PRIVATE}:{PORT} closed",
        f"{METADATA}:{PORT} closed",
        f"{HOST}:7000 closed",
        "10.83.0.1:7000 closed",
        "127.0.0.1:7000 closed",
        f"10.83.0.2:{PORT} closed",
    ]
    tried = f"exec ip netns exec {host.world.host} {sys.executable} -c '{_TRY}' {METADATA}:{PORT}"
    assert sh(tried).startswith(f"{METADATA}:{PORT} {METADATA} sees")  # the host itself reaches it
    with await dial(OneSite(site), "here", other.id, 0, PORT) as end:
        assert await said_back(end, b"still reached from here") == b"still reached from here"


@pytest.mark.long
async def test_the_operator_opens_private_networks(world: World, tmp_path: Path) -> None:
    host = Host(world, tmp_path / "a", "runc", reach=["10.9.0.0/16", "10.9.9.0/24"])
    site = await host.open()
    assert await host.tell(site, f"{PRIVATE}:{PORT}") == [f"{PRIVATE}:{PORT} {PRIVATE} sees {HOST}"]
    await host.leave()


async def test_nobody_outside_reaches_a_task_or_through_the_host(runc: Host) -> None:
    site = await runc.open()
    work = workload(runc, Script().serve(PORT), network=True)
    await site.apply(work, 1)
    await printed(site, work.id, "serving")
    o = runc.world.outside
    sh(f"ip -n {o} route add 10.83.0.0/16 via {HOST}; ip -n {o} route add 1.1.1.1 via {HOST}")
    for place in (f"10.83.0.2:{PORT}", f"1.1.1.1:{PORT}"):
        said = sh(f"ip netns exec {o} {sys.executable} -c '{_TRY}' {place}")
        assert said == f"{place} closed\n"


async def test_it_outlives_the_agent_and_restarts_without_it(runc: Host) -> None:
    site = await runc.open()
    work = runc.asking(
        f"{PUBLIC}:{PORT}", then="sleep 1; exit 1", restart="always", max_restarts=1000
    )
    await site.apply(work, 1)
    await printed(site, work.id, "sees")
    await runc.end.kill()
    site = await runc.open()
    async with asyncio.timeout(PATIENCE):
        while (await log(site, work.id)).count(f"sees {HOST}") < 3:
            await asyncio.sleep(0.1)
    assert len(runc.links()) == 2
    await site.delete(work.id, 2)
    await runc.until_links(1)


@pytest.mark.long
async def test_after_a_crash_without_tasks_nothing_is_left(runc: Host) -> None:
    site = await runc.open()
    assert (await runc.tell(site, f"{PUBLIC}:{PORT}"))[0].endswith(HOST)
    await runc.end.kill()
    assert len(runc.links()) == 1
    await runc.open()
    await runc.until_links(0)
    assert "skerry" not in runc.tables()


async def test_a_killed_shim_takes_its_network_along(runc: Host) -> None:
    site = await runc.open()
    work = workload(runc, Script().stay(), network=True)
    await site.apply(work, 1)
    await running(site, work.id)
    lock = runc.end.data / "workloads" / work.id / "tasks" / "0" / "lock"
    os.kill(int(lock.read_text()), signal.SIGKILL)
    await ended(site, work.id)
    await runc.until_links(1)


async def test_rules_that_somebody_removed_are_put_back(runc: Host) -> None:
    site = await runc.open()
    stays = workload(runc, Script().stay(), network=True)
    await site.apply(stays, 1)
    runc.world.on_host("nft flush ruleset; ip link del $(ip -br link | grep -o ^skerry[0-9a-f]*)")
    said = await runc.tell(site, f"{PUBLIC}:{PORT}", f"{PRIVATE}:{PORT}")
    assert said == [f"{PUBLIC}:{PORT} {PUBLIC} sees {HOST}", f"{PRIVATE}:{PORT} closed"]
    bridges = runc.world.on_host("ip -br link show type veth | grep sk.*UP; bridge link")
    assert "master skerry" in bridges


@pytest.mark.long
async def test_two_agents_on_a_host_keep_apart(runc: Host, tmp_path: Path) -> None:
    other = Host(runc.world, tmp_path / "b", "runc")
    site, beside = await runc.open(), await other.open()
    works = [
        workload(runc, Script().serve(PORT), network=True, ports=(Port(name="http", port=PORT),))
        for _ in range(2)
    ]
    for where, work in ((site, works[0]), (beside, works[1])):
        await where.apply(work, 1)
        await printed(where, work.id, "serving")
    said = await runc.tell(site, f"10.84.0.2:{PORT}", f"{PUBLIC}:{PORT}")
    assert said == [f"10.84.0.2:{PORT} closed", f"{PUBLIC}:{PORT} {PUBLIC} sees {HOST}"]
    await other.leave()
    assert (await runc.tell(site, f"{PUBLIC}:{PORT}"))[0].endswith(HOST)


@pytest.mark.long
async def test_a_bridge_whose_agent_is_gone_for_good_is_removed(runc: Host, tmp_path: Path) -> None:
    gone = Host(runc.world, tmp_path / "b", "runc")
    site = await gone.open()
    await gone.tell(site, f"{PUBLIC}:{PORT}")
    await gone.end.kill()
    gone.end.data.rename(tmp_path / "elsewhere")
    site = await runc.open()
    await runc.tell(site, f"{PUBLIC}:{PORT}")
    assert len(runc.links()) == 1


@pytest.mark.long
async def test_a_clash_of_networks_is_refused_in_words(world: World, tmp_path: Path) -> None:
    host = Host(world, tmp_path / "a", "runc", pool="9.9.8.0/24")
    site = await host.open()
    with pytest.raises(Refused, match="no private network is free") as refused:
        await site.apply(host.asking(), 1)
    assert refused.value.reason == "Network"
    assert (await site.list())[1] == ()
    await host.leave()


async def test_without_nftables_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skerry.sites.local.networks.rules.find", _missing)
    rig = LocalRig(tmp_path, engines=("runc",))
    site = await rig.open()
    assert "install" in (await site.capacity()).engines["network"]
    with pytest.raises(Refused, match="install the package nftables"):
        await site.apply(workload(rig, Script(), network=True), 1)
    await rig.end()


def _missing(program: str) -> str:
    from skerry.sites.local.engines.base import Unusable

    raise Unusable(f"{program} is not installed")


@pytest.mark.parametrize(
    ("texts", "servers"),
    [
        (["nameserver 10.0.0.1\nnameserver fe80::1\n"], ("10.0.0.1",)),
        (["search x\nnameserver 127.0.0.53\n", "nameserver 9.9.9.9\nnameserver 8.8.8.8"],
         ("9.9.9.9", "8.8.8.8")),
        (["nameserver 127.0.0.1\n"], ()),
        (["nameserver\nnonsense\n", "nameserver 0.0.0.0"], ()),
    ],
)  # fmt: skip
def test_name_servers_that_others_can_ask(
    tmp_path: Path, texts: list[str], servers: tuple[str, ...]
) -> None:
    places = []
    for n, text in enumerate(texts):
        (tmp_path / str(n)).write_text(text)
        places.append(tmp_path / str(n))
    assert names.servers([*places, tmp_path / "missing"]) == servers


@pytest.mark.parametrize(
    "wrong", [{"pool": "10.0.0.1/8"}, {"reach": ["all"]}, {"nameServers": ["dns.example"]}]
)
def test_a_configuration_that_cannot_be_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is no IPv4"):
        LocalDriver(read(config(tmp_path, **wrong)))
