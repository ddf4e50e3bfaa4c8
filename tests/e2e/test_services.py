"""Services as people use them: a URL that answers, whatever happens to the replicas behind it."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.e2e.conftest import Cloud, until
from tests.e2e.load import SERVER, Load, under_load

SHAPE = ("--port", "8000", "--cpus", "0.1", "--memory", "64MiB")
COMMAND = ("--", "python3", "-c", SERVER)


def service(cloud: Cloud, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.json("service", "get", name)
    return found


def gateway(cloud: Cloud, name: str) -> tuple[int, str]:
    """The port of its gateway, and the service's host name there."""
    url = urlsplit(service(cloud, name)["status"]["url"])
    assert url.port is not None
    return url.port, url.netloc


def whole(cloud: Cloud, name: str, revision: int) -> bool:
    status = service(cloud, name)["status"]
    return status["revision"] == revision and status["phase"] == "running"


async def replaced(cloud: Cloud, name: str, revision: int) -> None:
    """Replace its replicas, and wait for the last of the old ones to be gone."""
    await asyncio.to_thread(cloud.skerry, "service", "restart", name)
    await asyncio.to_thread(until, lambda: whole(cloud, name, revision), cloud.tail, seconds=120)


async def rolling(cloud: Cloud, name: str, times: int, least: int) -> Load:
    async def happens(load: Load) -> None:
        for number in range(times):
            while load.count < least * number / times:
                await asyncio.sleep(0.05)
            await replaced(cloud, name, number + 2)

    port, host = gateway(cloud, name)
    return await under_load(port, host, happens, least)


@pytest.fixture(scope="module")
def web(cloud: Cloud) -> Iterator[str]:
    cloud.skerry("service", "create", "web", "--replicas", "2", *SHAPE, *COMMAND)
    yield "web"
    cloud.skerry("service", "delete", "web", "--yes")


async def test_replicas_are_replaced_and_no_request_is_lost(cloud: Cloud, web: str) -> None:
    load = await rolling(cloud, web, 1, 500)
    assert load.wrong == []
    assert {"web-1", "web-2", "web-3", "web-4"} <= load.pods()
    assert sum(load.answers.values()) == load.count >= 500


def ask(cloud: Cloud, name: str) -> tuple[int, str]:
    port, host = gateway(cloud, name)
    asked = Request(f"http://127.0.0.1:{port}/x", headers={"Host": host})
    with urlopen(asked, timeout=60) as answer:
        return answer.status, answer.read().decode()


def test_one_that_never_gets_ready_takes_nothing_away(cloud: Cloud, web: str) -> None:
    before = service(cloud, web)["status"]["revision"]
    said = cloud.skerry(
        "service", "update", web, "--env", "LATE=3600", "--progress", "2s", check=False
    )
    assert said.returncode != 0
    assert "The one before goes on serving" in said.stderr
    assert ask(cloud, web)[0] == 200
    cloud.skerry("service", "rollback", web)
    until(lambda: whole(cloud, web, before + 2), cloud.tail)
    assert ask(cloud, web)[0] == 200


def test_what_nobody_asks_sleeps_until_somebody_does(cloud: Cloud, web: str) -> None:
    cloud.skerry("service", "update", web, "--replicas", "1", "--idle", "1s")
    until(lambda: service(cloud, web)["status"]["phase"] == "asleep", cloud.tail)
    until(lambda: not service(cloud, web)["status"].get("pods"), cloud.tail)
    status, said = ask(cloud, web)
    assert (status, said.split()[1]) == (200, "/x")


@pytest.mark.long
async def test_a_hundred_thousand_requests_during_ten_replacements(cloud: Cloud) -> None:
    cloud.skerry("service", "create", "busy", "--replicas", "2", *SHAPE, *COMMAND)
    load = await rolling(cloud, "busy", 10, 100_000)
    assert load.wrong == []
    assert load.count >= 100_000
    assert len(load.pods()) == 22
    cloud.skerry("service", "delete", "busy", "--yes")
