"""Who a client is shown, by the name it asks for: from a file, from an authority of our own."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from skerry.gateway import authority, gateway, upkeep
from skerry.gateway.authority import Authority
from skerry.gateway.tls import CertificateFile
from skerry.kernel import alerts
from tests.gateway.cloud import Cloud, until
from tests.gateway.test_login import entered
from tests.gateway.world import World, opened

WEB = "web-prod-acme.apps.localhost"


class Files:
    """A certificate of an authority that only the test knows, in two files."""

    def __init__(self, folder: Path) -> None:
        self.chain, self.key = folder / "chain.pem", folder / "key.pem"
        self.root = Authority(*authority.found("test"))

    def write(self, *names: str, days: float = 60) -> bytes:
        """Write a new one; its serial number tells it from others."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(x509.load_pem_x509_certificate(self.root.pem).subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
            .sign(self.root._key, hashes.SHA256())
        )
        self.key.write_bytes(authority.private_pem(key))
        self.chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return made.public_bytes(serialization.Encoding.DER)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LOOK", 0.05)


def trusting(pem: bytes) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=pem.decode())
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


async def greeted(world: World, name: str, context: ssl.SSLContext) -> ssl.SSLObject:
    """What a client that asks for a name is shown. Raises ``ssl.SSLError``, as a client sees it."""
    _, writer = await asyncio.open_connection(
        "127.0.0.1", world.port, ssl=context, server_hostname=name
    )
    writer.close()
    shown: ssl.SSLObject = writer.get_extra_info("ssl_object")
    return shown


async def reasons(cloud: Cloud) -> set[str]:
    return {row["reason"] for row in await alerts.open_alerts(cloud.db)}


async def test_a_file_vouches_for_its_names_and_is_taken_up_when_it_changes(
    cloud: Cloud, files: Files
) -> None:
    first = files.write("*.apps.localhost")
    # A client of its own: the other one's library changes what is offered.
    context = trusting(files.root.pem)
    async with opened(cloud, cert=files.chain, key=files.key) as world:
        host = await world.route("web")
        async with world.client(host, verify=trusting(files.root.pem)) as client:
            assert (await client.get("/")).status_code == 200
            shown = await greeted(world, host, context)
            assert shown.selected_alpn_protocol() == "h2"
            assert shown.getpeercert(binary_form=True) == first
            # Garbage changes nothing but an alert.
            files.chain.write_text("half a certif")
            await until(lambda: _has(cloud, "certificate-unreadable"))
            assert (await greeted(world, host, context)).getpeercert(True) == first
            second = files.write("*.apps.localhost", "shop.example")

            async def renewed() -> bool:
                return (await greeted(world, host, context)).getpeercert(True) == second

            await until(renewed)
            await until(lambda: _has_not(cloud, "certificate-unreadable"))
            # The connection that was there goes on.
            assert (await client.get("/")).status_code == 200
        [certificate] = (await cloud.shown(await _route(cloud, "web")))["certificates"]
        assert (certificate["source"], certificate["state"]) == ("file", "valid")


async def _route(cloud: Cloud, name: str):  # type: ignore[no-untyped-def]
    async with cloud.db.transaction() as tx:
        ref = f"skerry.gateway/v1/tenants/acme/workspaces/prod/routes/{name}"
        return await cloud.resources.get(tx, ref)


async def _has(cloud: Cloud, reason: str) -> bool:
    return reason in await reasons(cloud)


async def _has_not(cloud: Cloud, reason: str) -> bool:
    return reason not in await reasons(cloud)


async def test_a_certificate_that_ends_soon_raises_an_alert_until_there_is_another(
    cloud: Cloud, files: Files
) -> None:
    files.write("*.apps.localhost", days=upkeep.SOON.days - 1)
    async with opened(cloud, cert=files.chain, key=files.key):
        await until(lambda: _has(cloud, "certificate-ends"))
        files.write("*.apps.localhost", days=upkeep.SOON.days + 1)
        await until(lambda: _has_not(cloud, "certificate-ends"))


def test_files_that_do_not_belong_together_are_refused(files: Files) -> None:
    files.write("*.apps.localhost")
    kept = files.key.read_bytes()
    files.write("*.apps.localhost")
    files.key.write_bytes(kept)
    with pytest.raises(ssl.SSLError, match="mismatch"):
        CertificateFile(files.chain, files.key)


@pytest.fixture
async def own(cloud: Cloud) -> AsyncIterator[World]:
    """A gateway with an authority of the cloud's own, and plain HTTP beside it."""
    async with opened(cloud, authority=True, http="127.0.0.1:0") as world:
        yield world


async def test_an_authority_of_our_own_vouches_for_every_name_of_a_route(own: World) -> None:
    await own.cloud.grant("example.com")
    await own.route("web", {"hosts": ["shop.example.com"]})
    pem = await authority.certificate(own.cloud.db)
    assert pem is not None
    context = trusting(pem)
    for host in (WEB, "shop.example.com"):
        shown = await greeted(own, host, context)
        assert shown.selected_alpn_protocol() == "h2"
        async with own.client(host, verify=trusting(pem)) as client:
            assert (await client.get("/")).status_code == 200
    # Shown the same one again, and none for names of nobody.
    again = await greeted(own, WEB, context)
    assert again.getpeercert(True) == (await greeted(own, WEB, context)).getpeercert(True)
    # The alert says which, unless the end of the connection comes before it.
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await greeted(own, "nobody.apps.localhost", context)
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        await greeted(own, WEB, ssl.create_default_context())


async def test_the_authority_outlives_the_gateway(cloud: Cloud) -> None:
    found = set()
    for _ in range(2):
        async with opened(cloud, authority=True) as world:
            if world.gateway.table.find(WEB) is None:
                await world.route("web")
            pem = await authority.certificate(cloud.db)
            assert pem is not None
            await greeted(world, WEB, trusting(pem))
            found.add(pem)
    assert len(found) == 1
    key = await cloud.db.fetchval("select sealed from gateway_key where name = 'authority'")
    assert b"PRIVATE KEY" not in bytes(key)


async def test_plain_http_is_sent_to_https(own: World) -> None:
    host = await own.route("web")
    reader, writer = await asyncio.open_connection("127.0.0.1", own.gateway.http_port)
    writer.write(f"GET /a?b=c HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    assert head.startswith("HTTP/1.1 308 ")
    assert f"location: https://{host}:{own.port}/a?b=c\r\n" in head.lower()


async def test_with_tls_the_session_is_a_cookie_that_no_neighbour_can_set(own: World) -> None:
    token = await own.token("acme", "ada", "seca.admin")
    host = await own.route("web", {"login": True})
    pem = await authority.certificate(own.cloud.db)
    assert pem is not None
    async with own.client(host, verify=trusting(pem)) as client:
        cookie = (await entered(own, client, token)).headers["set-cookie"]
        assert cookie.startswith("__Host-skerry=")
        assert "Secure" in cookie
        assert "Path=/;" in cookie
        answer = await client.get("/")
        assert answer.status_code == 200
        assert "__Host-skerry" not in answer.text
        secret = cookie.partition("=")[2].partition(";")[0]
    async with own.client(host, verify=trusting(pem)) as client:
        refused = await client.get("/", headers={"cookie": f"skerry-route={secret}"})
        assert refused.status_code == 401
