"""People come into a cloud over real HTTP: at a certified issuer, by the command line and a
browser's own steps; by an invitation, with a second factor, and back in after a password was lost.
"""

import base64
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import pytest

from skerry.identity.second_factor import code_at
from tests.harness.issuer import issuing
from tests.harness.served import Served, served

HERE = Path(__file__).parent.parent / "harness/oidc"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
MODULES = CACHE / "skerry/oidc-provider-9.13.3"
IDENTITY = "/providers/skerry.identity/v1"
PASSWORD = "correct horse battery"
needs_issuer = pytest.mark.skipif(
    not (MODULES / "node").exists(), reason="make deps-oidc installs the issuer"
)


@pytest.fixture(scope="module")
def cloud(_postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(_postgres, tmp_path_factory.mktemp("people")) as cloud:
        cloud.put(f"{IDENTITY}/tenants/acme")
        yield cloud


@contextmanager
def real_issuer(cloud: Served) -> Iterator[str]:
    """The real one, as the issuer ``corp`` of the cloud."""
    process = subprocess.Popen(
        [MODULES / "node", HERE / "issuer.mjs", MODULES, f"{cloud.url}/sign-in/done"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        spec = {
            "url": url, "clientId": "skerry", "clientSecret": "of-the-real-one",
            "tenants": [{"tenant": "acme", "domains": ["example.com"]}],
        }  # fmt: skip
        cloud.put(f"{IDENTITY}/issuers/corp", spec)
        yield url
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def issuer(cloud: Served) -> Iterator[str]:
    with real_issuer(cloud) as url:
        yield url


def person(url: str, email: str) -> httpx2.Response:
    """What a person's browser does from this address on: follow, fill in forms, say yes."""
    with httpx2.Client(follow_redirects=True, timeout=30, trust_env=False) as browser:
        page = browser.get(url)
        for _ in range(4):
            form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
            if form is None or "/interaction/" not in form[1]:
                return page
            prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
            assert prompt is not None, page.text
            sent = {"prompt": prompt[1], "login": email, "password": "any"}
            page = browser.post(urljoin(str(page.url), form[1]), data=sent)
    raise AssertionError(page.text)


class Line:
    """The command line of somebody with a home of their own."""

    def __init__(self, cloud: Served, home: Path) -> None:
        self.url = cloud.url
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SKERRY_")}
        self.env = {**kept, "XDG_CONFIG_HOME": str(home), "BROWSER": "true"}

    def begin(self, *args: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "skerry.cli.main", "--url", self.url, *args]
        return subprocess.Popen(
            command, env=self.env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip

    def __call__(self, *args: str, given: str = "") -> str:
        process = self.begin(*args)
        out, err = process.communicate(given, timeout=60)
        assert process.returncode == 0, err
        return out


@needs_issuer
def test_the_command_line_signs_in_at_an_issuer(cloud: Served, issuer: str, tmp_path: Path) -> None:
    cloud.put(f"{IDENTITY}/tenants/acme/users/ann", {"email": "ann@example.com"})
    line = Line(cloud, tmp_path)
    login = line.begin("login", "--tenant", "acme", "--issuer", "corp", "--no-browser")
    end = threading.Timer(60, login.kill)
    end.start()
    assert login.stderr is not None
    address = login.stderr.readline().split()[-1]
    assert "You are signed in." in person(address, "ann@example.com").text
    out, _ = login.communicate(timeout=60)
    end.cancel()
    assert login.returncode == 0
    assert out.startswith("signed in as ann@acme until ")
    kept = json.loads((tmp_path / "skerry/contexts.json").read_text())
    who = cloud.get(f"{IDENTITY}/whoami", token=kept["contexts"]["default"]["token"])
    assert who["subject"] == "users/ann"


def invite(cloud: Served, name: str, **more: Any) -> str:
    """The link of an invitation, which is shown where no mail is sent."""
    spec = {"email": f"{name}@example.com", **more}
    return str(cloud.put(f"{IDENTITY}/tenants/acme/invitations/{name}", spec)["status"]["link"])


def code_of(uri: str, steps: int = 0) -> str:
    secret = parse_qs(urlsplit(uri).query)["secret"][0]
    return code_at(base64.b32decode(secret), int(time.time()) // 30 + steps)


def test_an_invitation_a_second_factor_and_a_lost_password(cloud: Served, tmp_path: Path) -> None:
    link = invite(cloud, "bob", roles=["seca.admin"])
    line = Line(cloud, tmp_path)
    assert line("join", link, "--password-stdin", given=f"{PASSWORD}\n") == (
        "skerry login --tenant acme --user bob\n"
    )
    sent = {"code": link.partition("code=")[2], "password": PASSWORD}
    again = cloud.call("POST", f"{IDENTITY}/joins", sent, token="")
    assert (again.status_code, again.json()["detail"]) == (410, "This link was used already.")

    cloud.put(f"{IDENTITY}/tenants/acme", {"secondFactor": ["seca.admin"]})
    who = {"tenant": "acme", "user": "bob", "password": PASSWORD}
    refused = cloud.call("POST", f"{IDENTITY}/sessions", who, token="")
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("/second-factor-missing")
    setting = line.begin(
        "login", "--tenant", "acme", "--user", "bob", "--password-stdin", "--second-factor"
    )
    assert setting.stdin is not None
    assert setting.stdout is not None
    setting.stdin.write(f"{PASSWORD}\n")
    setting.stdin.flush()
    uri = next(text for text in setting.stdout if text.startswith("otpauth://")).strip()
    out, said = setting.communicate(f"{code_of(uri)}\n", timeout=60)
    assert setting.returncode == 0, said
    first, *recovery = out.split("\n")[:-1]
    assert first.startswith("signed in as bob@acme")
    assert len(recovery) == 10
    kept = json.loads((tmp_path / "skerry/contexts.json").read_text())
    token = kept["contexts"]["default"]["token"]
    assert cloud.get(f"{IDENTITY}/whoami", token=token)["subject"] == "users/bob"

    # A new password ends the session, and asks for the second factor all the same.
    at = f"{IDENTITY}/tenants/acme/users/bob/reset-password"
    link = cloud.call("POST", at).json()["link"]
    with httpx2.Client(trust_env=False) as browser:
        assert "A new password" in browser.get(link).text
        sent = {"code": link.partition("code=")[2], "password": "another horse battery"}
        evil = {"origin": "https://evil.example"}
        assert browser.post(f"{cloud.url}/join", data=sent, headers=evil).status_code == 403
        assert "You are bob in acme." in browser.post(f"{cloud.url}/join", data=sent).text
        assert "used already" in browser.post(f"{cloud.url}/join", data=sent).text
    assert cloud.call("GET", f"{IDENTITY}/whoami", token=token).status_code == 401
    who["password"] = "another horse battery"
    refused = cloud.call("POST", f"{IDENTITY}/sessions", who, token="")
    assert refused.json()["type"].endswith("/second-factor-required")
    who["code"] = recovery[0]
    assert cloud.call("POST", f"{IDENTITY}/sessions", who, token="").status_code == 201
    assert cloud.call("DELETE", f"{IDENTITY}/second-factors", who, token="").status_code == 401
    who["code"] = recovery[1]
    assert cloud.call("DELETE", f"{IDENTITY}/second-factors", who, token="").status_code == 202
    told = cloud.rows("select actor from change where verb = 'drop-second-factor'")
    assert [row["actor"] for row in told] == ["bob@acme"]


def test_a_program_from_elsewhere_signs_in(cloud: Served, tmp_path: Path) -> None:
    with issuing() as ci:
        cloud.put(f"{IDENTITY}/issuers/ci", {"url": ci.url})
        trust = {"issuer": "ci", "audience": cloud.url, "subject": "repo:acme/*"}
        cloud.put(f"{IDENTITY}/tenants/acme/service-accounts/deploy", {"trusts": [trust]})
        ci.person = {"sub": "repo:acme/site"}
        (tmp_path / "token").write_text(ci.token(cloud.url) + "\n")
        said = Line(cloud, tmp_path)(
            "login", "--tenant", "acme", "--service-account", "deploy", "--id-token-file",
            str(tmp_path / "token"),
        )  # fmt: skip
    assert said.startswith("signed in as service-accounts/deploy@acme until ")


@needs_issuer
def test_an_invitation_is_accepted_at_an_issuer(cloud: Served, issuer: str) -> None:
    link = invite(cloud, "carol", roles=["seca.workspace-viewer"], userName="carol-c")
    code = link.partition("code=")[2]
    assert "With corp" in httpx2.get(link, trust_env=False).text
    begin = f"{cloud.url}/sign-in/begin?issuer=corp&join={code}"
    # Whoever has the link is who was invited, under whatever address the issuer knows them.
    assert "You are carol-c in acme." in person(begin, "carol@elsewhere.example").text
    assert "used already" in person(begin, "mallory@elsewhere.example").text
    user = cloud.get(f"{IDENTITY}/tenants/acme/users/carol-c")
    assert user["spec"] == {"email": "carol@example.com"}
    status = cloud.get(f"{IDENTITY}/tenants/acme/invitations/carol")["status"]
    assert (status["phase"], status["user"]) == ("accepted", "carol-c")
    assert "link" not in status
