"""What stays of requests: lines in the access log, samples, and no secret of anybody."""

import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skerry.gateway import gateway
from skerry.gateway.access import AccessLog
from skerry.kernel import alerts
from skerry.kernel.flows import Services
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.views import Asked, Stream
from skerry.series import STEP, Recorder
from tests.gateway.cloud import FACE, REGISTRY, Cloud, until
from tests.gateway.test_spool import entry
from tests.gateway.world import World, opened

ROUTE = "skerry.gateway/v1/tenants/acme/workspaces/prod/routes/web"


@pytest.fixture
async def world(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(gateway, "WRITE", 0.05)
    monkeypatch.setattr(gateway, "LOOK", 0.05)
    async with opened(cloud, tcp=(FACE.tcp_first, FACE.tcp_last)) as world:
        yield world


async def view(world: World, name: str, **query: str) -> Any:
    """What a view of the route says."""
    services = Services()
    services.add(world.gateway.access)
    found = next(view for view in REGISTRY["route"].views if view.name == name)
    async with world.cloud.db.transaction() as tx:
        route = await world.cloud.resources.get(tx, ROUTE)
    asked = Asked(world.cloud.db, world.cloud.resources, services, route, SYSTEM, query=query)
    answer = await found.answer(asked)
    if not isinstance(answer, Stream):
        return answer
    text = b"".join([chunk async for chunk in answer.chunks])
    return [msgspec.json.decode(line) for line in text.splitlines()]


async def test_each_request_has_a_line(world: World) -> None:
    async with world.client(await world.route("web")) as client:
        await client.get("/one?password=hunter2")
        await client.post("/two", content=b"12345")
        served = len((await client.get("/three")).content)
    await until(lambda: len(world.gateway.access.read(_uid(world), 10)) == 3)
    lines = await view(world, "access-log")
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/one", 200), ("POST", "/two", 200), ("GET", "/three", 200),
    ]  # fmt: skip
    assert lines[1]["received"] == 5
    assert lines[2]["sent"] == served
    assert {line["client"] for line in lines} == {"127.0.0.1"}
    assert {line["backend"] for line in lines} == {"w-web"}
    assert [line["path"] for line in await view(world, "access-log", tail="1")] == ["/three"]


def _uid(world: World) -> Any:
    [route] = world.gateway.table.all()
    return route.uid


async def test_no_secret_is_in_any_file(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    token = await world.token("acme", "ada", "seca.admin")
    stranger = await world.token("other", "bob", "seca.admin")
    host = await world.route("web", {"login": True})
    async with world.client(host) as client:
        for secret in (token, stranger):
            await client.get("/", headers={"authorization": f"Bearer {secret}"})
            await client.get(f"/?token={secret}")
            await client.get(f"/.well-known/skerry/enter?code={secret}&to=/")
            await client.get("/", headers={"cookie": f"skerry-route={secret}"})
    await until(lambda: len(world.gateway.access.read(_uid(world), 10)) == 8)
    files = [file for file in (world.cloud.folder / "gateway").rglob("*") if file.is_file()]
    assert any(file.suffix == ".jsonl" for file in files)
    texts = [file.read_text() for file in files] + list(capfd.readouterr())
    for row in await world.cloud.db.fetch("select body from change"):
        texts.append(row["body"])
    for text in texts:
        assert token not in text
        assert stranger not in text


async def test_requests_of_a_route_are_sampled(world: World) -> None:
    recorder = Recorder(world.cloud.db)
    recorder.add("gateway/test", world.gateway.requests)
    async with world.client(await world.route("web")) as client:
        await client.get("/")
        await recorder.turn()
        for _ in range(30):
            await client.get("/")
    await world.cloud.db.execute("update clock set shift = shift + $1", timedelta(seconds=STEP))
    await recorder.turn()
    told = await view(world, "metrics", **{"from": "-60s", "step": str(STEP), "to": "-0s"})
    [asked] = [series for series in told["series"] if series["name"] == "requests"]
    [rate] = [value for value in asked["values"] if value is not None]
    # By the time that really passed, which is a little more.
    assert 1 < rate <= 30 / STEP


async def test_a_port_that_another_program_has_raises_an_alert(world: World) -> None:
    with socket.create_server(("127.0.0.1", FACE.tcp_first)):
        made = await world.cloud.put("raw", {"protocol": "tcp", "tcpPort": FACE.tcp_first})
        await until(lambda: world.gateway.table.get(made.uid))
        await until(lambda: _alerts(world))
        [alert] = await _alerts(world)
        assert str(FACE.tcp_first) in alert["message"]
    await world.cloud.delete(made)
    await until(lambda: _none(world))


async def _alerts(world: World) -> list[Any]:
    found = await alerts.open_alerts(world.cloud.db)
    return [alert for alert in found if alert["reason"] == "port-not-open"]


async def _none(world: World) -> bool:
    return not await _alerts(world)


async def test_a_disk_that_takes_no_line_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("no folder")
    log = AccessLog(tmp_path / "log")
    log.add(entry())
    await log.write()
    assert log.dropped == 1
