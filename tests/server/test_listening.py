"""How the API's listener speaks: TLS from files and from an authority, over real sockets; and when
plain HTTP is refused."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
import httpx2
import pytest
import uvicorn

from skerry.api.protocol import web_config
from skerry.gateway.authority import Authority, found
from skerry.gateway.settings import GatewaySettings
from skerry.kernel import alerts
from skerry.kernel.kinds import Registry
from skerry.kernel.resources import Resources
from skerry.kernel.sealing import Sealer
from skerry.listening import CA_FILE, Secured, check, names_of, secured
from skerry.settings import Settings
from skerry.store import Database


async def app(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def listening(own: Secured) -> AsyncIterator[int]:
    sock = socket.create_server(("127.0.0.1", 0))
    web = uvicorn.Server(web_config(app, "127.0.0.1", 0, own.server))
    web.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    serving = asyncio.create_task(web.serve([sock]))
    try:
        yield sock.getsockname()[1]
    finally:
        web.should_exit = web.force_exit = True
        await serving


async def seen(port: int, trusted: ssl.SSLContext, name: str = "localhost") -> ssl.SSLObject:
    """The connection as a client gets it. Raises what the handshake raises."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted, server_hostname=name)
    facts = writer.get_extra_info("ssl_object")
    writer.close()
    assert isinstance(facts, ssl.SSLObject)
    return facts


def put_pair(authority: Authority, chain: Path, key: Path) -> None:
    texts = authority.issue("localhost")
    chain.write_bytes(texts[0])
    key.write_bytes(texts[1])


async def test_files_are_shown_and_read_again(db: Database, tmp_path: Path) -> None:
    authority = Authority(*found("test"))
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    put_pair(authority, chain, key)
    settings = Settings(data=tmp_path, tls_cert=chain, tls_key=key)
    resources = Resources(Registry(()), Sealer(tmp_path / "seal"))
    own = await secured(db, resources, settings)
    assert own is not None
    trusted = ssl.create_default_context(cadata=authority.pem.decode())
    trusted.set_alpn_protocols(["h2", "http/1.1"])
    async with listening(own) as port:
        first = await seen(port, trusted)
        assert first.version() in ("TLSv1.2", "TLSv1.3")
        # The API's listener speaks no HTTP/2, and must not promise it.
        assert first.selected_alpn_protocol() is None
        old = ssl.create_default_context(cadata=authority.pem.decode())
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await seen(port, old)

        put_pair(authority, chain, key)
        await own.look(db)
        assert (await seen(port, trusted)).getpeercert() != first.getpeercert()

        chain.write_text("no certificate")
        await own.look(db)
        await seen(port, trusted)
        said = [row["reason"] for row in await alerts.open_alerts(db)]
        assert said == ["certificate-unreadable"]
        put_pair(authority, chain, key)
        await own.look(db)
        assert await alerts.open_alerts(db) == []


async def test_the_authority_vouches_for_the_api(db: Database, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, tls_ca=True, tls_names=("api.example", "10.1.2.3"))
    resources = Resources(Registry(()), Sealer(tmp_path / "seal"))
    own = await secured(db, resources, settings)
    assert own is not None
    trusted = ssl.create_default_context(cafile=str(tmp_path / CA_FILE))
    async with listening(own) as port:
        for name in ("localhost", "127.0.0.1", "api.example", "10.1.2.3"):
            await seen(port, trusted, name)
        with pytest.raises(ssl.SSLCertVerificationError):
            await seen(port, trusted, "other.example")
        with pytest.raises(ssl.SSLCertVerificationError):
            await seen(port, ssl.create_default_context())
        async with httpx2.AsyncClient(verify=trusted) as http:
            assert (await http.get(f"https://127.0.0.1:{port}/")).text == "ok"


async def test_files_that_fit_nothing_are_refused_in_words(db: Database, tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("nothing")
    settings = Settings(data=tmp_path, tls_cert=tmp_path / "a.pem", tls_key=tmp_path / "a.pem")
    resources = Resources(Registry(()), Sealer(tmp_path / "seal"))
    with pytest.raises(ValueError, match=r"the API can't use .*a\.pem"):
        await secured(db, resources, settings)


OPEN = GatewaySettings(listen="0.0.0.0:8421")
PLAIN = {
    "the API": (Settings(listen="0.0.0.0:8420"), "--tls-ca"),
    "the API at an address": (Settings(listen="10.0.0.5:8420"), "--tls-cert and --tls-key"),
    "the gateway": (Settings(listen="127.0.0.1:8420", gateway=OPEN), "--gateway-ca"),
    "the gateway beside TLS": (Settings(listen="[::]:8420", tls_ca=True, gateway=OPEN), "gateway"),
}


@pytest.mark.parametrize("what", PLAIN)
def test_plain_http_outside_loopback_has_to_be_asked_for(what: str) -> None:
    settings, remedy = PLAIN[what]
    with pytest.raises(click.UsageError) as refused:
        check(settings, insecure=False)
    assert remedy in refused.value.message
    assert "--insecure-http" in refused.value.message
    check(settings, insecure=True)


def test_what_is_safe_is_not_refused() -> None:
    inside = GatewaySettings(listen="127.0.0.1:8421")
    check(Settings(listen="127.0.0.1:8420", gateway=inside), insecure=False)
    check(Settings(listen="[::1]:8420"), insecure=False)
    outside = GatewaySettings(listen="0.0.0.0:8421", authority=True)
    check(Settings(listen="0.0.0.0:8420", tls_ca=True, gateway=outside), insecure=False)
    check(Settings(listen="0.0.0.0:8420", roles=frozenset({"worker"})), insecure=False)


def test_names_follow_from_the_address() -> None:
    assert names_of(Settings(listen="10.0.0.5:1"))[0] == "10.0.0.5"
    assert names_of(Settings(listen="0.0.0.0:1"))[0] == socket.getfqdn()
