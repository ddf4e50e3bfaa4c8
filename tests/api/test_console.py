"""The console's files: who gets what, how it is kept, and what a page may do."""

import gzip
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from skerry.api.app import build
from skerry.identity import kinds as identity
from skerry.kernel.kinds import Registry
from tests.kernel.widgets import BOX, LABEL, SHELF, WIDGET

REGISTRY = Registry((*identity.KINDS, SHELF, WIDGET, BOX, LABEL))
INDEX = (
    '<!doctype html><meta property="csp-nonce" nonce="__CSP_NONCE__">'
    '<script type="module" src="/console/assets/app-1a2b.js" nonce="__CSP_NONCE__"></script>'
)
SCRIPT = "console.log('hello');" * 100


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """A build, instead of the one that may be there."""
    made = tmp_path / "static"
    (made / "assets").mkdir(parents=True)
    (made / "index.html").write_text(INDEX)
    (made / "assets/app-1a2b.js").write_text(SCRIPT)
    (made / "assets/map-3c4d.js").write_text(SCRIPT)
    (made / "assets/map-3c4d.js.br").write_bytes(b"as brotli has it")
    (made / "icon.svg").write_text("<svg/>")
    (made / ".hidden").write_text("not served")
    (made.parent / "secret.txt").write_text("not served")
    (made / "link.txt").symlink_to(made.parent / "secret.txt")
    return made


class Edge:
    """Nothing here asks more of it."""

    class resources:
        registry = REGISTRY


@pytest.fixture
async def browser(static: Path) -> AsyncIterator[httpx2.AsyncClient]:
    app = build(Edge(), ready=None, static=static)  # type: ignore[arg-type]
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://skerry") as http:
        http.headers["accept-encoding"] = "identity"
        yield http


async def test_the_page_may_run_its_own_scripts_only(browser: httpx2.AsyncClient) -> None:
    nonces = set()
    for path in ("/console/", "/console/acme/prod/jobs/my.job", "/console/a/../b?x=1"):
        answer = await browser.get(path, headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["content-type"]) == (
            200, "text/html; charset=utf-8",
        )  # fmt: skip
        assert answer.headers["cache-control"] == "no-cache"
        assert "etag" not in answer.headers  # each has a nonce of its own
        policy = dict(
            part.strip().split(" ", 1)
            for part in answer.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in policy["style-src"]
        (nonce,) = set(re.findall(r'nonce="([^"]+)"', answer.text))
        assert f"'nonce-{nonce}'" in policy["style-src"]
        nonces.add(nonce)
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(nonces) == 3


async def test_what_carries_its_digest_is_kept_for_ever(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/console/assets/app-1a2b.js")
    assert answer.text == SCRIPT
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    icon = await browser.get("/console/icon.svg")
    assert (icon.text, icon.headers["cache-control"]) == ("<svg/>", "no-cache")
    for etag in (icon.headers["etag"], f'"x", W/{icon.headers["etag"]}'):
        again = await browser.get("/console/icon.svg", headers={"if-none-match": etag})
        assert (again.status_code, again.content) == (304, b"")
    changed = await browser.get("/console/icon.svg", headers={"if-none-match": '"x"'})
    assert changed.status_code == 200


@pytest.mark.parametrize(
    ("asked", "file", "sent"),
    [
        ("gzip, deflate, br", "app-1a2b", "gzip"),
        ("gzip, deflate, br", "map-3c4d", "br"),
        ("gzip;q=1.0, br;q=0", "map-3c4d", "gzip"),
        ("*", "map-3c4d", "br"),
        ("*;q=0, gzip", "map-3c4d", "gzip"),
        ("identity", "map-3c4d", ""),
        (";;;,q=", "map-3c4d", ""),
    ],
)
async def test_it_is_squeezed_as_the_browser_takes_it(
    browser: httpx2.AsyncClient, asked: str, file: str, sent: str
) -> None:
    path = f"/console/assets/{file}.js"
    async with browser.stream("GET", path, headers={"accept-encoding": asked}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding", "") == sent
    assert answer.headers["vary"] == "accept-encoding"
    told = gzip.decompress(raw) if sent == "gzip" else raw
    assert told == (b"as brotli has it" if sent == "br" else SCRIPT.encode())
    head = await browser.head(path, headers={"accept-encoding": asked})
    assert (head.content, head.headers["content-length"]) == (b"", str(len(raw)))


@pytest.mark.parametrize(
    "path",
    [
        "/console/../secret.txt",
        "/console/..%2fsecret.txt",
        "/console/assets/..%2f..%2fsecret.txt",
        "/console/%2e%2e/secret.txt",
        "/console//etc/passwd",
        "/console/link.txt",
        "/console/.hidden",
        "/console/assets/map-3c4d.js.br",
        "/console/assets/%00",
        "/console/assets/\\..\\secret.txt",
        "/console/assets",
    ],
)
async def test_nothing_else_is_served(browser: httpx2.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert "not served" not in answer.text
    assert "brotli" not in answer.text
    assert answer.status_code in (200, 404)
    if "/assets/" in path:
        assert answer.status_code == 404
        assert answer.headers["cache-control"] == "no-store"


async def test_a_console_that_was_not_built_says_how(
    browser: httpx2.AsyncClient, static: Path
) -> None:
    (static / "index.html").rename(static / "kept")
    answer = await browser.get("/console/", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "make console" in answer.text
    # A server that runs while it is built finds it.
    (static / "kept").rename(static / "index.html")
    assert (await browser.get("/console/")).status_code == 200
    (static / "assets/new-5e6f.js").write_text("new")
    os.utime(static / "index.html", ns=(1, 1))
    assert (await browser.get("/console/assets/new-5e6f.js")).text == "new"


async def test_people_are_sent_to_the_console_and_programs_are_not(
    browser: httpx2.AsyncClient,
) -> None:
    seen = await browser.get("/", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (seen.status_code, seen.headers["location"]) == (307, "/console/")
    for accept in ("*/*", "application/json"):
        told = await browser.get("/", headers={"accept": accept})
        assert told.headers["location"] == "/openapi.json"
    bare = await browser.get("/console")
    assert (bare.status_code, bare.headers["location"]) == (308, "/console/")
    assert (await browser.post("/console/")).status_code == 405


async def test_what_describes_the_api_is_small_and_asked_for_once(
    browser: httpx2.AsyncClient,
) -> None:
    for path in ("/catalogue.json", "/openapi.json"):
        plain = await browser.get(path)
        small = await browser.get(path, headers={"accept-encoding": "gzip"})
        assert small.headers["content-encoding"] == "gzip"
        assert int(small.headers["content-length"]) < len(plain.content) / 2
        assert small.json() == plain.json()
        known = {"if-none-match": small.headers["etag"], "accept-encoding": "gzip"}
        assert (await browser.get(path, headers=known)).status_code == 304
