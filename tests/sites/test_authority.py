"""The authority of hosts replaced by another one, and no host that joins anew for it."""

import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from skerry.sites.authority import Authority
from skerry.sites.joining import Membership, NotJoined, Place
from skerry.sites.simulated.driver import Simulated
from tests.sites.cloud import Cloud
from tests.sites.joined import Host, doorway

HALF_A_DAY = 12 * 3600.0
"""A certificate's life: short enough for those made then to be good now, by their leeway."""


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def test_an_authority_is_replaced_and_every_host_stays(cloud: Cloud, tmp_path: Path) -> None:
    old = timedelta(days=3650 - 200)
    Authority(tmp_path / "authority", now=lambda: datetime.now(UTC) - old)
    clock = Clock()
    site, driver = await cloud.declare("home"), Simulated.open({})
    async with doorway(cloud, tmp_path, HALF_A_DAY, now=clock) as door:
        host = await door.join(await door.invite(site), "two", driver)
        await host.connect()
        shutil.copytree(host.membership.folder, tmp_path / "asleep")
        (tmp_path / "asleep" / "authority.pem").write_text(door.authority.pem)
        token = await door.invite(site)
        first = door.authority.fingerprint

        await door.door.turn()
        assert (tmp_path / "authority" / "next.pem").exists()
        assert door.authority.fingerprint == first
        late = await door.join(await door.invite(site), "late", driver)
        await host.renew()

        clock.ahead = timedelta(hours=12, seconds=1)
        await door.door.turn()
        second = door.authority.fingerprint
        assert second != first
        with pytest.raises(NotJoined, match="not the one that the token is from"):
            await door.join(token, "three", driver)
        for one in (host, late):
            await one.vanish()
            await one.connect()
            await cloud.hub.wait(one.at)
            await one.renew()

        clock.ahead = timedelta(hours=24, seconds=2)
        await door.door.turn()
        assert door.authority.trusted == door.authority.pem
    # After a start nothing is left of the first one: neither end believes it.
    async with doorway(cloud.beside(), tmp_path, HALF_A_DAY) as door:
        assert door.authority.fingerprint == second
        place = Place(host.at, door.door.address)
        asleep = Host(Membership(tmp_path / "asleep", place), driver)
        with pytest.raises(ssl.SSLCertVerificationError):
            await asleep.connect()
        (tmp_path / "asleep" / "authority.pem").write_text(door.authority.trusted)
        with pytest.raises(OSError):
            await asleep.connect()
        await Host(Membership(host.membership.folder, place), driver).connect()
    await driver.close()


def test_two_nodes_share_an_authority(tmp_path: Path) -> None:
    """One takes the step that is due, the other sees it; neither makes an authority of its own."""
    old = timedelta(days=3650 - 200)
    Authority(tmp_path / "authority", now=lambda: datetime.now(UTC) - old)
    one, other = Authority(tmp_path / "authority"), Authority(tmp_path / "authority")
    assert one.fingerprint == other.fingerprint
    before = other.trusted
    assert one.turn()
    assert other.turn()
    assert other.trusted == one.trusted != before
    assert not one.turn()
    assert not other.turn()
    contexts = [one.server_context(["one.example"]), other.server_context(["two.example"])]
    assert len({id(context) for context in contexts}) == 2
    assert sorted(file.name for file in (tmp_path / "authority").iterdir()) == [
        "authority.pem", "lock", "next.pem",
    ]  # fmt: skip
