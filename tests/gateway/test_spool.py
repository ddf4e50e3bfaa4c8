"""What is used is on the disk before it is counted, and counted once: whenever one is killed."""

import asyncio
import os
import resource
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from skerry.gateway import fold
from skerry.gateway.seams import Entry
from skerry.gateway.spool import Spool, read
from skerry.gateway.table import Route
from skerry.kernel import alerts
from skerry.ledger import price_lists
from tests.gateway.cloud import Cloud, until
from tests.gateway.world import opened

WEB = uuid.uuid4()


def entry(route: uuid.UUID = WEB, sent: int = 10, backend: str = "w1") -> Entry:
    made = Route(route, "r", "acme", 1)
    return Entry(made, "127.0.0.1", "GET", "/", 200, 1, sent, 0.01, backend)


def requests(folder: Path) -> int:
    """What a gateway that starts now finds."""
    spool = Spool(folder)
    spool.recover()
    pieces = [read(path) for path in spool.closed()]
    return sum(used.requests for piece in pieces if piece for used in piece.used)


# The spool itself

CALLS = ("open", "write", "fsync", "rename", "mkdir")


def live(folder: Path, told: int, at: int, *, after: bool) -> None:
    """Count requests and write them down, until the ``at``-th call to the system kills us."""
    calls = 0

    def deadly(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            nonlocal calls
            calls += 1
            if calls == at and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            done = real(*args, **kwargs)
            if calls == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        return call

    said = os.write
    for name in CALLS:
        setattr(os, name, deadly(getattr(os, name)))

    async def serve() -> None:
        spool = Spool(folder, size=1)
        for _ in range(3):
            for _ in range(5):
                spool.add(entry())
            await spool.write()
            said(told, b"5")

    asyncio.run(serve())


def child(folder: Path, at: int, *, after: bool) -> tuple[bool, int]:
    """Whether it was killed, and how many requests it was told are on the disk."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            live(folder, writer, at, after=after)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writer)
    with open(reader, "rb") as told:
        known = sum(map(int, told.read().decode()))
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status), known


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_it_keeps_what_it_wrote_once(tmp_path: Path, after: bool) -> None:
    at, killed = 0, True
    while killed:
        at += 1
        folder = tmp_path / str(at)
        killed, known = child(folder, at, after=after)
        assert requests(folder) in (known, known + 5)
    assert at > len(CALLS)
    assert known == 15


async def test_a_line_that_was_torn_is_no_line(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for _ in range(2):
        spool.add(entry())
        await spool.write()
    await spool.write(close=True)
    [path] = spool.closed()
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert requests(tmp_path) == (end + 1 >= whole.index(b"\n") + 1) + (end + 1 == len(whole))
    path.write_bytes(b"\0" * 100 + b"\n" + whole)
    assert requests(tmp_path) == 2


@contextmanager
def _no_room(folder: Path) -> Iterator[None]:
    """No file can grow. The signal that tells is left aside, as servers do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


async def test_a_full_disk_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add(entry())
    with _no_room(tmp_path):
        for _ in range(3):
            await spool.write()
            spool.add(entry())
    assert spool.problem
    await spool.write(close=True)
    assert spool.problem == ""
    assert requests(tmp_path) == 4


# From the spool to the ledger

PRICED = (
    ('gateway-request-million = "0"', 'gateway-request-million = "2"'),
    ('egress-gib = "0"', 'egress-gib = "1"'),
    ("version = 1", "version = 2"),
)


async def priced(cloud: Cloud) -> None:
    text = price_lists.shipped()
    for old, new in PRICED:
        assert old in text
        text = text.replace(old, new, 1)
    async with cloud.db.transaction() as tx:
        await price_lists.load(tx, text)


async def counted(cloud: Cloud, meter: str) -> tuple[int, int]:
    """Quantity and money of a meter, in the ledger."""
    row = await cloud.db.fetchrow(
        "select coalesce(sum(u.quantity), 0)::bigint q, coalesce(sum(u.amount), 0)::bigint a"
        " from usage u join stream s on s.id = u.stream where s.meter = $1",
        meter,
    )
    assert row is not None
    return row["q"], row["a"]


async def used(cloud: Cloud, spool: Spool, routes: list[uuid.UUID], each: int, sent: int) -> None:
    for route in routes:
        for _ in range(each):
            spool.add(entry(route, sent))
    await spool.write(close=True)


class Killed(BaseException):
    """The process ends here."""


async def test_it_is_billed_to_the_routes_tenant(cloud: Cloud, tmp_path: Path) -> None:
    await priced(cloud)
    route = await cloud.put("web")
    spool = Spool(tmp_path / "spool")
    await used(cloud, spool, [route.uid], 3, 1 << 30)
    assert await fold.fold(cloud.db, cloud.resources, spool) == 1
    assert await counted(cloud, "gateway-request-million") == (3, 6_000)
    assert await counted(cloud, "egress-gib") == (3 << 30, 3 * 10**9)
    assert (await cloud.shown(route))["requests"] == 3
    lease = fold.lease_of(route.uid)
    tenant = await cloud.db.fetchval("select tenant from hold where lease = $1", lease)
    assert tenant == "acme"
    assert list(spool.closed()) == []


async def test_killed_at_any_step_it_is_counted_once(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await priced(cloud)
    monkeypatch.setattr(fold, "BATCH", 2)
    routes = [(await cloud.put(f"r{n}")).uid for n in range(5)]
    spool = Spool(tmp_path / "spool")
    steps = ["_count", "_note", "_leased", "_last"]
    killed = 0
    for step in steps:
        for at in range(1, len(routes) + 1):
            await used(cloud, spool, routes, 1, 0)
            with monkeypatch.context() as deadly:
                _kill(deadly, step, at)
                with pytest.raises(Killed):
                    await fold.fold(cloud.db, cloud.resources, spool)
            killed += 1
            await fold.fold(cloud.db, cloud.resources, spool)
            assert (await counted(cloud, "gateway-request-million"))[0] == killed * len(routes)
    # All was counted, and the piece is still there when it starts again.
    await used(cloud, spool, routes, 1, 0)
    [path] = spool.closed()
    kept = path.read_bytes()
    await fold.fold(cloud.db, cloud.resources, spool)
    path.write_bytes(kept)
    await fold.fold(cloud.db, cloud.resources, spool)
    assert (await counted(cloud, "gateway-request-million"))[0] == (killed + 1) * len(routes)


def _kill(monkeypatch: pytest.MonkeyPatch, step: str, at: int) -> None:
    real, calls = getattr(fold, step), 0

    async def deadly(*args: object) -> object:
        nonlocal calls
        calls += 1
        done = await real(*args)
        if calls == at:
            raise Killed
        return done

    monkeypatch.setattr(fold, step, deadly)


async def test_two_at_once_count_it_once(cloud: Cloud, tmp_path: Path) -> None:
    await priced(cloud)
    routes = [(await cloud.put(f"r{n}")).uid for n in range(3)]
    spool = Spool(tmp_path / "spool")
    await used(cloud, spool, routes, 2, 0)
    [path] = spool.closed()
    kept = path.read_bytes()
    again = tmp_path / path.name
    again.write_bytes(kept)
    await asyncio.gather(
        fold.fold_file(cloud.db, cloud.resources, path),
        fold.fold_file(cloud.db, cloud.resources, again),
    )
    assert (await counted(cloud, "gateway-request-million"))[0] == 6


async def test_a_route_that_is_gone_is_still_billed_and_its_lease_ends(
    cloud: Cloud, tmp_path: Path
) -> None:
    await priced(cloud)
    route = await cloud.put("web")
    spool = Spool(tmp_path / "spool")
    await used(cloud, spool, [route.uid], 1, 0)
    await cloud.delete(route)
    await fold.fold(cloud.db, cloud.resources, spool)
    assert (await counted(cloud, "gateway-request-million"))[0] == 1
    state = "select state from hold where lease = $1"
    assert await cloud.db.fetchval(state, fold.lease_of(route.uid)) == "closed"


async def test_what_a_gateway_served_is_in_the_ledger_with_what_an_earlier_life_left(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    await priced(cloud)
    monkeypatch.setattr("skerry.gateway.gateway.WRITE", 0.05)
    monkeypatch.setattr("skerry.gateway.gateway.FOLD", 0.05)
    monkeypatch.setattr("skerry.gateway.gateway.Spool", partial(Spool, seconds=0.0))
    earlier = await cloud.put("earlier")
    spool = Spool(cloud.folder / "gateway" / "spool")
    spool.add(entry(earlier.uid))
    await spool.write()
    async with opened(cloud) as world:
        async with world.client(await world.route("web")) as client:
            for _ in range(4):
                assert (await client.get("/")).status_code == 200
            # What the gateway says itself is nobody's use.
            assert (await client.get("/", headers={"host": "x.apps.localhost"})).status_code == 404

        async def all_counted() -> bool:
            return (await counted(cloud, "gateway-request-million"))[0] == 5

        await until(all_counted)


async def test_a_disk_that_takes_nothing_costs_no_request_and_is_told(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skerry.gateway.gateway.WRITE", 0.05)
    async with opened(cloud) as world:
        host = await world.route("web")
        (cloud.folder / "gateway" / "spool").write_text("no folder")
        async with world.client(host) as client:
            assert (await client.get("/")).status_code == 200
            await until(lambda: world.gateway.spool.problem)

            async def told() -> list[str]:
                return [row["reason"] for row in await alerts.open_alerts(cloud.db)]

            await until(lambda: _is(told, ["metering-not-kept"]))
            (cloud.folder / "gateway" / "spool").unlink()
            await until(lambda: _is(told, []))
    assert requests(cloud.folder / "gateway" / "spool") == 1


async def _is(ask: Callable[[], object], wanted: list[str]) -> bool:
    return await ask() == wanted  # type: ignore[misc]
