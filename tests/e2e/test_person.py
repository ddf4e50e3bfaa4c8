"""One person's whole way: invited by a mail, in by its link, a second factor, a lost password that
another mail mends, and in at their company's issuer. Server, mail server and issuer are real.
"""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.test_notices import open_beside
from tests.e2e.test_people import (
    IDENTITY,
    PASSWORD,
    Line,
    code_of,
    needs_issuer,
    person,
    real_issuer,
)
from tests.harness.served import Served, served, until
from tests.notices.conftest import PostOffice

pytestmark = pytest.mark.long
ANN = "ann@example.com"


def mailed(office: PostOffice, cloud: Served, count: int) -> str:
    """The link in the latest of so many mails."""
    until(lambda: len(office.taken) == count, cloud.told, cloud.process)
    assert office.taken[-1]["to"] == ANN
    body = office.taken[-1].get_body(("plain",))
    assert body is not None
    found = re.search(r"(?m)^http\S+(?=\s)", body.get_content())
    assert found is not None, body.get_content()
    return found[0]


def chosen(link: str, cloud: Served, password: str) -> str:
    """What the link's page says when its form is sent."""
    with httpx2.Client(trust_env=False) as browser:
        assert browser.get(link).status_code == 200
        sent = {"code": link.partition("code=")[2], "password": password}
        return browser.post(f"{cloud.url}/join", data=sent).text


@needs_issuer
def test_a_persons_whole_way(_postgres: Any, tmp_path: Path) -> None:  # noqa: PT019 - its value is used
    office = PostOffice()
    with open_beside(office):
        env = {
            "SKERRY_SMTP": f"127.0.0.1:{office.port}", "SKERRY_SMTP_TLS": "none",
            "SKERRY_MAIL_FROM": "cloud@provider.example",
        }  # fmt: skip
        with served(_postgres, tmp_path, env) as cloud, real_issuer(cloud):
            cloud.put(f"{IDENTITY}/tenants/acme", {"secondFactor": ["seca.admin"]})
            invited = cloud.put(
                f"{IDENTITY}/tenants/acme/invitations/ann", {"email": ANN, "roles": ["seca.admin"]}
            )
            assert "link" not in invited["status"], "it goes to whom it is for"
            assert "You are ann in acme." in chosen(mailed(office, cloud, 1), cloud, PASSWORD)

            line = Line(cloud, tmp_path / "ann")
            setting = line.begin(
                "login", "--tenant", "acme", "--user", "ann", "--password-stdin", "--second-factor"
            )
            assert setting.stdin is not None
            assert setting.stdout is not None
            setting.stdin.write(f"{PASSWORD}\n")
            setting.stdin.flush()
            uri = next(text for text in setting.stdout if text.startswith("otpauth://")).strip()
            assert setting.communicate(f"{code_of(uri)}\n", timeout=60)[0].startswith("signed in")

            forgot = {"tenant": "acme", "user": "ann"}
            answer = cloud.call("POST", f"{IDENTITY}/resets", forgot, token="")
            nobody = cloud.call("POST", f"{IDENTITY}/resets", {**forgot, "user": "x"}, token="")
            assert (answer.status_code, answer.text) == (nobody.status_code, nobody.text)
            assert "You are ann in acme." in chosen(mailed(office, cloud, 2), cloud, "another " * 3)
            who = {**forgot, "password": "another " * 3}
            without = cloud.call("POST", f"{IDENTITY}/sessions", who, token="")
            assert without.json()["type"].endswith("/second-factor-required")
            who["code"] = code_of(uri, 1)
            assert cloud.call("POST", f"{IDENTITY}/sessions", who, token="").status_code == 201

            login = line.begin("login", "--tenant", "acme", "--issuer", "corp", "--no-browser")
            assert login.stderr is not None
            address = login.stderr.readline().split()[-1]
            assert "You are signed in." in person(address, ANN).text
            assert login.communicate(timeout=60)[0].startswith("signed in as ann@acme until ")
    assert len(office.taken) == 2, "nothing went to whom nobody knows"
