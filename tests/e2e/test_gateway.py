"""A service, reached by its URL as people and programs do, and what a crash leaves of that."""

import html
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.e2e.conftest import Cloud, until
from tests.harness.issuer import CLIENT, SECRET, issuing

HOST = "site-default-operator.apps.localhost"
PROGRAM = """
import base64, hashlib, http.server, json
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.headers.get("upgrade") == "websocket":
            key = self.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            self.send_response(101)
            self.send_header("upgrade", "websocket")
            self.send_header("connection", "upgrade")
            made = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            self.send_header("sec-websocket-accept", made)
            self.end_headers()
            self.wfile.write(bytes([0x81, 5]) + b"hello")
            self.close_connection = True
            return
        body = json.dumps([self.path, sorted(self.headers.items())]).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("", 8000), Answer).serve_forever()
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names below localhost are this machine, as browsers have it (RFC 6761); not each system."""
    real = socket.getaddrinfo

    def found(host: str, *more: Any, **other: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith(".localhost") else host, *more, **other)

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud whose routes have TLS by an authority of its own, and a service that asks who comes.

    Its ports stay the same when it is started again.
    """
    flags = ("--gateway-ca", "--gateway", f"127.0.0.1:{free_port()}")
    made = Cloud(tmp_path_factory.mktemp("cloud"), *flags)
    made.start()
    until(made.offers, made.tail)
    made.skerry(
        "service", "create", "site", "--port", "8000", "--cpus", "0.2", "--memory", "128MiB",
        "--login", "--", "python3", "-c", PROGRAM,
    )  # fmt: skip
    yield made
    # What runs outlives the server, and so it would the test.
    made.skerry("service", "delete", "site", "--yes")
    made.stop()


class Site:
    """The service's URL, for a client that trusts the cloud's authority."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.url = cloud.json("service", "get", "site")["status"]["url"]
        self.port = urlsplit(self.url).port
        self.trusted = cloud.home / "ca.pem"
        self.trusted.write_text(cloud.skerry("route", "ca").stdout)

    @property
    def token(self) -> str:
        return self.cloud.token_file.read_text().strip()

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.trusted))

    def client(self) -> httpx2.Client:
        return httpx2.Client(verify=self.context(), base_url=self.url)

    def counted(self) -> int:
        """Requests that are in the ledger's reach, as its route shows it."""
        return int(self.cloud.json("route", "get", "site")["status"].get("requests", 0))


@pytest.fixture(scope="module")
def site(cloud: Cloud) -> Site:
    return Site(cloud)


def test_a_person_signs_in_on_the_apis_page_and_comes_back(site: Site) -> None:
    assert site.url == f"https://{HOST}:{site.port}"
    with site.client() as browser:
        away = browser.get("/lab?x=1", headers={"accept": "text/html"})
        page = away.headers["location"]
        api = json.loads((site.cloud.data / "server.json").read_text())["url"]
        assert (away.status_code, page.split("?")[0]) == (303, f"{api}/enter")
        form = {name: values[0] for name, values in parse_qs(urlsplit(page).query).items()}
        shown = browser.get(page)
        assert shown.status_code == 200
        assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
        wrong = browser.post(f"{api}/enter", data={**form, "token": "skerry_user_no"})
        assert wrong.status_code == 401
        foreign = browser.post(
            f"{api}/enter", data={**form, "token": site.token}, headers={"origin": "https://evil"}
        )
        assert foreign.status_code == 403
        back = browser.post(f"{api}/enter", data={**form, "token": site.token})
        assert back.status_code == 303
        entered = browser.get(back.headers["location"])
        assert (entered.status_code, entered.headers["location"]) == (303, "/lab?x=1")
        assert entered.headers["set-cookie"].startswith("__Host-skerry=")
        path, headers = browser.get("/lab?x=1").json()
        assert path == "/lab?x=1"
        assert "__Host-skerry" not in str(headers)


def test_a_person_signs_in_at_an_issuer_and_comes_back(site: Site) -> None:
    api = json.loads((site.cloud.data / "server.json").read_text())["url"]
    with issuing() as issuer, site.client() as browser:

        def put(path: str, spec: dict[str, Any]) -> None:
            headers = {"authorization": f"Bearer {site.token}"}
            answer = browser.put(f"{api}/providers/{path}", json={"spec": spec}, headers=headers)
            assert answer.is_success, answer.text

        put("skerry.identity/v1/tenants/operator/users/olaf", {"email": "olaf@example.com"})
        entry = {"tenant": "operator", "domains": ["example.com"]}
        put(
            "skerry.identity/v1/issuers/corp",
            {"url": issuer.url, "clientId": CLIENT, "clientSecret": SECRET, "tenants": [entry]},
        )
        issuer.person |= {"email": "olaf@example.com", "email_verified": True}

        def comes_back() -> httpx2.Response:
            away = browser.get("/lab?x=1", headers={"accept": "text/html"})
            shown = browser.get(away.headers["location"]).text
            assert 'name="issuer" value="corp"' in shown
            asked = dict(re.findall(r'type="hidden" name="(route|to)" value="([^"]*)"', shown))
            asked = {k: html.unescape(v) for k, v in asked.items()}
            begun = browser.get(
                f"{api}/sign-in/begin", params={**asked, "tenant": "operator", "issuer": "corp"}
            )
            returned = httpx2.get(begun.headers["location"], trust_env=False)
            return browser.get(returned.headers["location"])

        refused = comes_back()
        assert (refused.status_code, "may not enter" in refused.text) == (403, True)
        put(
            "seca.authorization/v1/tenants/operator/role-assignments/olaf",
            {"roles": ["seca.workspace-editor"], "subs": ["olaf"], "scopes": [{}]},
        )
        entered = browser.get(comes_back().headers["location"])
        assert (entered.status_code, entered.headers["location"]) == (303, "/lab?x=1")
        assert browser.get("/lab?x=1").json()[0] == "/lab?x=1"


def test_a_stranger_is_not_let_in(site: Site) -> None:
    cloud = site.cloud
    cloud.skerry("tenant", "create", "other")
    cloud.skerry("user", "create", "eve", "--tenant", "other")
    made = cloud.skerry(
        "token", "create", "eve.one", "--subject", "eve", "--tenant", "other", "-o", "json"
    )
    secret = json.loads(made.stdout)["status"]["secret"]
    with site.client() as client:
        refused = client.get("/", headers={"authorization": f"Bearer {secret}"})
        assert refused.status_code == 403
        assert client.get("/").status_code == 401


def test_a_websocket_opens_for_who_may_enter(site: Site) -> None:
    url = f"wss://{HOST}:{site.port}/ws"
    allowed = {"Authorization": f"Bearer {site.token}"}
    patient: dict[str, Any] = {"ssl": site.context(), "open_timeout": 60}
    with connect(url, additional_headers=allowed, **patient) as opened:
        assert opened.recv(60) == "hello"
    with pytest.raises(InvalidStatus, match="401"), connect(url, **patient):
        pass


def test_http_2_is_spoken(site: Site) -> None:
    done = subprocess.run(
        [
            "curl", "-sS", "--http2", "--cacert", site.trusted, "-w", "%{http_version}",
            "-H", f"authorization: Bearer {site.token}", f"{site.url}/two",
        ],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.startswith('["/two"')
    assert done.stdout.endswith("2")


@pytest.mark.long
def test_after_kill_9_the_url_answers_and_each_request_counts_once(site: Site) -> None:
    cloud, headers = site.cloud, {"authorization": f"Bearer {site.token}"}
    spool = cloud.data / "gateway" / "spool"
    until(lambda: not list(spool.glob("*.open")), cloud.tail)
    until(lambda: not list(spool.glob("*.piece")), cloud.tail)
    before = site.counted()
    with site.client() as client:
        for _ in range(20):
            assert client.get("/", headers=headers).status_code == 200
    until(lambda: _written(spool) == 20, cloud.tail)
    cloud.kill()
    cloud.start()
    with site.client() as client:
        until(lambda: _up(client, headers), cloud.tail)
        answered = 1
        for _ in range(4):
            answered += client.get("/", headers=headers).status_code == 200
    until(lambda: site.counted() >= before + 20 + answered, cloud.tail)
    assert site.counted() == before + 20 + answered
    assert cloud.audit().returncode == 0


def _written(spool: Path) -> int:
    """Requests in the lines of open pieces."""
    found = 0
    for file in (*spool.glob("*.open"), *spool.glob("*.piece")):
        for line in file.read_text().splitlines():
            sums: Any = json.loads(line.partition(" ")[2])
            found += sum(used[1] for used in sums[2])
    return found


def _up(client: httpx2.Client, headers: dict[str, str]) -> bool:
    try:
        return client.get("/", headers=headers).status_code == 200
    except httpx2.TransportError:
        return False
