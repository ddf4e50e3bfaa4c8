"""Certificates from a directory, a real one: given, kept, renewed, and what failures lead to."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from skerry.gateway import alpn, gateway, ordering, upkeep
from skerry.kernel import alerts
from tests.gateway import pebble
from tests.gateway.cloud import Cloud, until
from tests.gateway.test_tls import greeted, trusting
from tests.gateway.world import World, opened

pytestmark = pytest.mark.skipif(pebble.program() is None, reason="no pebble: make deps-acme")

SHOP = "shop.example.com"


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "LOOK", 0.1)
    monkeypatch.setattr(gateway, "LOOK", 0.1)


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[pebble.Directory]:
    async with pebble.running(tmp_path) as directory:
        directory.names.known.add(SHOP)
        yield directory


@pytest.fixture
async def shop(cloud: Cloud) -> Cloud:
    """A tenant that may have the name, and a workload for its route."""
    await cloud.grant("example.com")
    spec = {"backends": [await cloud.workload("w-shop")], "hosts": [SHOP]}
    await cloud.put("shop", spec)
    return cloud


def served(
    cloud: Cloud, directory: pebble.Directory, *, http: bool = True
) -> AbstractAsyncContextManager[World]:
    return opened(
        cloud,
        listen=f"127.0.0.1:{directory.tls_port}",
        http=f"127.0.0.1:{directory.http_port}" if http else "",
        acme=directory.url,
        acme_email="ops@example.com",
        acme_ca=directory.ca,
    )


async def certificate(cloud: Cloud) -> dict[str, Any]:
    """As the route shows it."""
    async with cloud.db.transaction() as tx:
        ref = "skerry.gateway/v1/tenants/acme/workspaces/prod/routes/shop"
        route = await cloud.resources.get(tx, ref)
    shown = (await cloud.shown(route)).get("certificates", [])
    return next((one for one in shown if one["host"] == SHOP), {})


async def is_(cloud: Cloud, state: str) -> bool:
    return (await certificate(cloud)).get("state") == state


async def serial(world: World, root: bytes) -> int:
    shown = await greeted(world, SHOP, trusting(root))
    pem = shown.getpeercert(binary_form=True)
    assert pem is not None
    return x509.load_der_x509_certificate(pem).serial_number


async def told(cloud: Cloud) -> list[str]:
    return [row["reason"] for row in await alerts.open_alerts(cloud.db)]


async def test_a_name_gets_its_certificate_keeps_it_and_has_it_renewed(
    shop: Cloud, directory: pebble.Directory
) -> None:
    async with served(shop, directory) as world:
        await until(lambda: is_(shop, "valid"), 60)
        root = await directory.root()
        async with world.client(SHOP, verify=trusting(root)) as client:
            assert (await client.get("/")).status_code == 200
        assert (await greeted(world, SHOP, trusting(root))).selected_alpn_protocol() == "h2"
        first = await _shows(world, root)
        assert (await certificate(shop))["source"] == "acme"
    kept = await shop.db.fetch("select chain, sealed_key from gateway_certificate")
    assert "PRIVATE KEY" not in str(kept)
    async with served(shop, directory) as world:
        # After a restart it is the same one, and also after half of its life.
        assert await _becomes(world, root, first)
        await shop.db.shift_clock(timedelta(days=45))
        due = "select count(*) from gateway_certificate where renew_at <= skerry_now()"
        assert await shop.db.fetchval(due) == 0
        assert await _shows(world, root) == first
        await shop.db.shift_clock(timedelta(days=16))

        async def renewed() -> bool:
            return await serial(world, root) != first

        await until(renewed, 60)
        assert await told(shop) == []


async def test_without_plain_http_it_is_asked_by_tls_and_disturbs_nobody(
    shop: Cloud, directory: pebble.Directory
) -> None:
    async with served(shop, directory, http=False) as world:
        await until(lambda: is_(shop, "valid"), 60)
        root = await directory.root()
        first = await _shows(world, root)
        # While it is renewed, others are shown the one that there is.
        await shop.db.shift_clock(timedelta(days=61))
        shown = {first}
        async with asyncio.timeout(60):
            while len(shown) < 2:
                shown.add(await serial(world, root))
        assert await shop.db.fetchval("select count(*) from gateway_challenge") == 0
        # Who greets like a directory is told nothing that is not asked.
        context = trusting(root)
        context.set_alpn_protocols([alpn.PROTOCOL])
        assert (await greeted(world, SHOP, context)).selected_alpn_protocol() is None


async def _shows(world: World, root: bytes) -> int:
    """What is served, once the gateway has heard of it."""
    found: list[int] = []

    async def shown() -> bool:
        try:
            found.append(await serial(world, root))
        except (ssl.SSLError, ConnectionResetError):
            return False
        return True

    await until(shown, 30)
    return found[0]


async def _becomes(world: World, root: bytes, wanted: int) -> bool:
    async def shown() -> bool:
        try:
            return await serial(world, root) == wanted
        except (ssl.SSLError, ConnectionResetError):
            return False

    await until(shown, 30)
    return True


async def test_a_name_that_leads_elsewhere_is_told_and_tried_again(
    shop: Cloud, directory: pebble.Directory
) -> None:
    directory.names.known.clear()
    async with served(shop, directory):
        for tries in range(1, 4):

            async def failed(tries: int = tries) -> bool:
                found = "select tries from gateway_certificate where host = $1"
                return (await shop.db.fetchval(found, SHOP) or 0) >= tries

            await until(failed, 60)
            shown = await certificate(shop)
            assert shown["state"] == "failing"
            assert SHOP in shown["problem"]
            if tries < 3:
                # It waits longer each time.
                await shop.db.shift_clock(timedelta(seconds=300 * 2**tries))
        assert await told(shop) == ["certificate-not-given"]
        directory.names.known.add(SHOP)
        await shop.db.shift_clock(timedelta(hours=1))
        await until(lambda: is_(shop, "valid"), 60)
        assert await told(shop) == []


async def test_a_directory_that_is_away_until_the_end_is_near_raises_an_alert(
    shop: Cloud, directory: pebble.Directory
) -> None:
    async with served(shop, directory) as world:
        await until(lambda: is_(shop, "valid"), 60)
        root = await directory.root()
        first = await _shows(world, root)
        await directory.stop()
        await shop.db.shift_clock(timedelta(days=90 - 5))

        async def alerted() -> bool:
            return await told(shop) == ["certificate-not-renewed"]

        await until(alerted, 60)
        # The one that there is goes on.
        assert await _shows(world, root) == first
        await until(lambda: is_(shop, "failing"))
        # A name that no route has any more is nobody's trouble.
        await shop.put("shop", {"backends": [], "hosts": []})
        await until(lambda: _calm(shop))
        await upkeep.sweep(shop.db)
        assert await shop.db.fetchval("select count(*) from gateway_certificate") == 0


async def _calm(cloud: Cloud) -> bool:
    return await told(cloud) == []
