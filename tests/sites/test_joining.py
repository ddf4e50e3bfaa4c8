"""Joining a site and being known there: tokens, certificates, their renewal and their end."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from skerry.kernel.errors import Conflict, ValidationError
from skerry.sites.contract import SiteUnreachable, Workloads
from skerry.sites.greeting import Denied
from skerry.sites.joining import Membership, NotJoined, join
from skerry.sites.simulated.driver import Simulated
from tests.harness.ports import free_port
from tests.sites.cloud import Cloud
from tests.sites.contract.script import Script
from tests.sites.contract.suite import Fencing, Reaching, Reading, Storing, Watching
from tests.sites.joined import Doorway, Host, doorway
from tests.sites.simulated.sites import work
from tests.sites.simulated.test_contract import SimulatedRig


@pytest.fixture
async def door(cloud: Cloud, tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(cloud, tmp_path) as made:
        yield made


@pytest.fixture
async def driver() -> AsyncIterator[Simulated]:
    driver = Simulated.open({})
    yield driver
    await driver.close()


async def test_a_machine_joins_and_is_reached(
    cloud: Cloud, door: Doorway, driver: Simulated
) -> None:
    site = await cloud.declare("home")
    host = await door.join(await door.invite(site), "two", driver)
    assert host.at == "home/two"
    async with cloud.observed():
        await host.connect()
        contact = await cloud.hub.wait("home/two")
        assert await contact.driver.capacity() == await driver.capacity()

        async def connected() -> bool:
            return (await door.shown(host))["phase"] == "connected"

        await cloud.until(connected)
        shown = await door.shown(host)
        assert shown["agentVersion"] == "1.2.3"
        assert shown["certificateExpiresAt"] > shown["lastSeenAt"]
        assert (await cloud.shown(site))["hosts"] == {"connected": 1}
    assert [f.name for f in sorted((host.membership.folder).iterdir())] == [
        "authority.pem", "identity.pem", "place.json",
    ]  # fmt: skip
    assert all(f.stat().st_mode & 0o77 == 0 for f in host.membership.folder.iterdir())


async def test_a_token_is_good_once(cloud: Cloud, door: Doorway, driver: Simulated) -> None:
    site = await cloud.declare("home")
    token = await door.invite(site)
    await door.join(token, "two", driver)
    with pytest.raises(NotJoined, match="used already"):
        await door.join(token, "three", driver)
    everything = str(await cloud.db.fetch("select * from change"))
    everything += str(await cloud.db.fetch("select * from join_token"))
    assert token.partition(".")[0] not in everything


async def test_an_answer_that_was_lost_is_had_by_asking_again(
    cloud: Cloud, door: Doorway, driver: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = await cloud.declare("home")
    token = await door.invite(site)

    async def lost(*_: Any) -> Any:
        raise ConnectionResetError

    with monkeypatch.context() as cut:
        cut.setattr("skerry.sites.door.send", lost)
        with pytest.raises(NotJoined):
            await door.join(token, "two", driver)
    with monkeypatch.context() as cut:
        # The authority is told, and the certificate is made; only the answer is lost.
        real = door.door._join

        async def made_and_lost(message: Any) -> Any:
            await real(message)
            raise ConnectionResetError

        cut.setattr(door.door, "_join", made_and_lost)
        with pytest.raises(NotJoined):
            await door.join(token, "two", driver)
    host = await door.join(token, "two", driver)
    await host.connect()
    assert await cloud.db.fetchval("select count(*) from place where kind = 'host'") == 1


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "no token to join by"),
        ("skerry_join_x", "no token to join by"),
        ("skerry_join_guess.{fingerprint}", "no token to join by, or it was withdrawn"),
        ("{secret}." + "0" * 64, "not the one that the token is from"),
    ],
)
async def test_what_is_no_token_does_not_open(
    cloud: Cloud, door: Doorway, driver: Simulated, token: str, why: str
) -> None:
    site = await cloud.declare("home")
    secret, _, fingerprint = (await door.invite(site)).partition(".")
    with pytest.raises(NotJoined, match=why):
        await door.join(token.format(secret=secret, fingerprint=fingerprint), "two", driver)
    assert await cloud.db.fetchval("select count(*) from place where kind = 'host'") == 0


async def test_a_token_expires_and_ends_with_its_site(
    cloud: Cloud, door: Doorway, driver: Simulated
) -> None:
    site = await cloud.declare("home")
    token = await door.invite(site, minutes=5)
    await cloud.db.shift_clock(timedelta(minutes=6))
    with pytest.raises(NotJoined, match="has expired"):
        await door.join(token, "two", driver)
    token = await door.invite(site)
    await cloud.remove(site)
    with pytest.raises(NotJoined, match="withdrawn"):
        await door.join(token, "two", driver)


async def test_nobody_takes_over_a_host_of_another(
    cloud: Cloud, door: Doorway, driver: Simulated
) -> None:
    site = await cloud.declare("home")
    first = await door.join(await door.invite(site), "two", driver)
    await first.connect()
    with pytest.raises(NotJoined, match="has a host 'two' already"):
        await door.join(await door.invite(site), "two", driver, data="thief")
    await cloud.hub.driver("home/two").capacity()
    again = await door.join(await door.invite(site, host="two"), "any", driver, data="anew")
    assert again.at == "home/two"
    await first.cut()
    with pytest.raises(Denied, match="revoked"):
        await first.connect()
    await again.connect()


async def test_a_name_that_cannot_be(cloud: Cloud, door: Doorway, driver: Simulated) -> None:
    site = await cloud.declare("home")
    token = await door.invite(site)
    for name in ("Two", "a.b", "-a", "a" * 64, "a/b"):
        with pytest.raises(NotJoined, match="can't be a host's name"):
            await door.join(token, name, driver, data="odd")
    await door.join(token, "two", driver, data="odd")


async def test_only_a_site_of_this_driver_takes_hosts(
    cloud: Cloud, door: Doorway, driver: Simulated
) -> None:
    site, _ = await cloud.site("sim")
    with pytest.raises(NotJoined, match="of the driver 'simulated'"):
        await door.join(await door.invite(site), "two", driver)


async def test_without_a_door_nobody_is_invited(cloud: Cloud, tmp_path: Path) -> None:
    site = await cloud.declare("home")
    async with doorway(cloud, tmp_path) as door:
        await door.invite(site)
    with pytest.raises(Conflict, match="takes no hosts") as refused:
        await door.invite(site)
    assert "--agents" in refused.value.hint


async def test_revoking_drops_the_connection_and_refuses_the_next(
    cloud: Cloud, door: Doorway, driver: Simulated
) -> None:
    site = await cloud.declare("home")
    host = await door.join(await door.invite(site), "two", driver)
    await host.connect()
    await cloud.hub.wait("home/two")
    assert await door.act(host, "revoke") == {"revoked": 1}
    await host.cut()
    with pytest.raises(SiteUnreachable):
        cloud.hub.driver("home/two")
    with pytest.raises(Denied, match="revoked, or the host was removed"):
        await host.connect()


async def test_a_removed_host_is_gone_at_once(
    cloud: Cloud, door: Doorway, driver: Simulated
) -> None:
    site = await cloud.declare("home")
    host = await door.join(await door.invite(site), "two", driver)
    await host.connect()
    await cloud.hub.wait("home/two")
    await cloud.remove(await door.resource(host))
    await host.cut()
    with pytest.raises(Denied):
        await host.connect()
    await cloud.remove(site)


async def test_what_a_drained_host_keeps_is_lost_only_by_the_operators_word(
    cloud: Cloud, door: Doorway, driver: Simulated
) -> None:
    site = await cloud.declare("home")
    host = await door.join(await door.invite(site), "two", driver)
    place = await door.resource(host)
    async with cloud.observed():
        await host.connect()
        await cloud.phase(place, "connected")
        for id in ("over", "runs"):
            await cloud.own(id, place)
        remote = cloud.hub.driver(host.at)
        await remote.apply(work("over", Script().exit(0)), 1)
        await remote.apply(work("runs", Script().stay()), 1)
        await cloud.ended("over")
        told = await door.act(host, "drain", minutes=5)
        assert [held["workloads"] for held in told["workloads"]] == [1]
        await cloud.phase(place, "draining")
        with pytest.raises(Conflict, match="still runs"):
            await cloud.remove(place)
        with pytest.raises(Conflict, match="not drained"):
            await door.act(host, "lost")
        await remote.signal("runs", 9, 1)
        await cloud.phase(place, "drained")
        with pytest.raises(Conflict, match="keeps artifacts and logs") as refused:
            await cloud.remove(await door.resource(host))
        assert "skerry host lost two --site home" in refused.value.hint
        assert sorted((await door.act(host, "lost"))["workloads"]) == ["over", "runs"]
        await host.cut()
        await cloud.remove(await door.resource(host))


async def test_offers_of_hosts_and_sites_cannot_be_mistaken(cloud: Cloud) -> None:
    with pytest.raises(ValidationError, match="can't be a site's name"):
        await cloud.declare("home.two")


async def test_a_certificate_is_renewed_before_it_expires(
    cloud: Cloud, tmp_path: Path, driver: Simulated
) -> None:
    site = await cloud.declare("home")
    async with doorway(cloud, tmp_path, host_life=4, server_life=4) as door:
        host = await door.join(await door.invite(site), "two", driver)
        await host.connect()
        contact = await cloud.hub.wait("home/two")
        first, before = contact.serial, (host.membership.folder / "identity.pem").read_text()
        await asyncio.sleep(5)
        assert contact.serial != first
        assert not contact.ended.is_set()
        await contact.driver.capacity()
        assert (host.membership.folder / "identity.pem").read_text() != before
        await host.vanish()
        await host.connect()
        await cloud.hub.wait("home/two")


async def test_an_expired_certificate_is_told_in_words(
    cloud: Cloud, tmp_path: Path, driver: Simulated
) -> None:
    site = await cloud.declare("home")
    async with doorway(cloud, tmp_path, host_life=1) as door:
        host = await door.join(await door.invite(site), "two", driver)
        await asyncio.sleep(1.1)
        with pytest.raises(OSError) as refused:
            await host.connect()
        assert "expired: join anew" in host.membership.unreached(refused.value)
        assert cloud.hub.contact("home/two") is None
        door.authority.host_life = timedelta(hours=1)
        host = await door.join(await door.invite(site, host="two"), "two", driver)
        await host.connect()


async def test_only_tls_1_3_and_only_this_authority(
    cloud: Cloud, door: Doorway, driver: Simulated, tmp_path: Path
) -> None:
    address = ("127.0.0.1", int(door.door.address.rpartition(":")[2]))
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2

    def shake() -> None:
        with socket.create_connection(address) as plain, old.wrap_socket(plain):
            pass

    with pytest.raises(ssl.SSLError):
        await asyncio.to_thread(shake)
    site = await cloud.declare("home")
    host = await door.join(await door.invite(site), "two", driver)
    async with doorway(cloud.beside(), tmp_path / "other") as elsewhere:
        (tmp_path / "other").mkdir(exist_ok=True)
        stranger = Membership(host.membership.folder, host.membership.place)
        other = Host(
            Membership(stranger.folder, type(stranger.place)(host.at, elsewhere.door.address)),
            driver,
        )
        with pytest.raises(ssl.SSLCertVerificationError):
            await other.connect()


async def test_noise_at_the_door_harms_nobody(
    cloud: Cloud, door: Doorway, driver: Simulated
) -> None:
    port = int(door.door.address.rpartition(":")[2])
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    for noise in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 1000, b"\0" * 13):
        for context in (None, trust):
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            try:
                writer.write(noise)
                await writer.drain()
            except OSError:
                pass
            writer.close()
    site = await cloud.declare("home")
    host = await door.join(await door.invite(site), "two", driver)
    await host.connect()
    assert await cloud.hub.driver("home/two").capacity() == await driver.capacity()


async def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(NotJoined, match="Connect call failed"):
        await join(address, "x." + "0" * 64, "two", tmp_path)
    with pytest.raises(NotJoined, match="HOST:PORT"):
        await join("nowhere", "x." + "0" * 64, "two", tmp_path)


class JoinedRig(SimulatedRig):
    """The twin behind a joined host's mutual TLS; ``kill`` cuts it."""

    def __init__(self, door: Doorway) -> None:
        super().__init__(None)
        self._door = door
        self._hosts: dict[str, Host] = {}

    async def _remote(self, name: str) -> Workloads:
        cloud = self._door.cloud
        if name not in self._hosts:
            site = await cloud.declare(name)
            token = await self._door.invite(site)
            self._hosts[name] = await self._door.join(token, name, self._driver(name))
        host = self._hosts[name]
        host.driver = self._driver(name)
        await host.connect()
        return (await cloud.hub.wait(host.at)).driver

    async def open(self) -> Workloads:
        return await self._remote("site")

    async def neighbour(self) -> Workloads:
        return await self._remote("neighbour")

    async def kill(self) -> None:
        for host in self._hosts.values():
            await host.vanish()
        await self._door.cloud.hub.close_all()
        await super().kill()


class TestOverMutualTLS(Fencing, Reading, Storing, Watching, Reaching):
    """The suite does not notice that there is another machine."""

    @pytest.fixture
    async def rig(self, door: Doorway) -> AsyncIterator[JoinedRig]:
        rig = JoinedRig(door)
        yield rig
        await rig.kill()


async def test_a_host_learns_of_other_doors_and_uses_them(
    cloud: Cloud, driver: Simulated, tmp_path: Path
) -> None:
    """A node of its door's cloud opens another door; when the first is gone it goes there."""
    async with doorway(cloud, tmp_path) as second:
        async with doorway(cloud, tmp_path) as first:
            site = await cloud.declare("home")
            token = await first.invite(site)
            dead = f"127.0.0.1:{free_port()}"
            folder = tmp_path / "two"
            membership = await join(f"{dead},{first.door.address}", token, "two", folder)
            host = Host(membership, driver)
            first.hosts.append(host)
            await host.connect()
            await membership._learn(await host.server.peer)
            doors = Membership.read(folder).place.doors.split(",")
            assert sorted(doors) == sorted([first.door.address, second.door.address])
        await host.connect()
        contact = await cloud.hub.wait("home/two")
        assert await contact.driver.capacity() == await driver.capacity()
        await host.vanish()
