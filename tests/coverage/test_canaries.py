"""What is secret is written nowhere in clear: not in the database, the data directory or the log,
not in an error, not in an argument or variable of a process that others can read.

Every field that any kind calls secret gets a word of its own, every token that is made is one; at
the end all places are searched for all of them.
"""

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.kernel.kinds import Kind
from tests.coverage.conftest import KINDS, REGISTRY, path
from tests.harness.samples import name_of, sample
from tests.harness.served import Served, elsewhere, until

IDENTITY = "/providers/skerry.identity/v1"
PASSWORD = "canary-of-the-password"


def planted(kind: Kind) -> dict[str, Any]:
    """A spec with a word of its own in each secret field."""
    spec = dict(sample(kind))
    for field in kind.secrets:
        word = f"canary-of-{kind.noun}-{field}"
        shaped = {"secretEnv": {"KEY": word}, "data": {"key": word}, "key": word}
        spec[field] = shaped.get(field, word)
    return spec


@pytest.fixture(scope="module")
def canaries(cloud: Served) -> list[str]:
    """All that must not be found, after a life with it."""
    words = [PASSWORD, cloud.token]
    refused = []
    for kind in (kind for kind in KINDS if kind.secrets):
        words += [f"canary-of-{kind.noun}-{field}" for field in kind.secrets]
        name = name_of(kind, f"canary-{kind.noun}")
        answer = cloud.call("PUT", path(kind, name), {"spec": planted(kind)})
        assert answer.is_success, answer.text
        refused.append(answer.text)
        # Once more with a fault, in the hope of an error that repeats what was sent.
        wrong = {"spec": {**planted(kind), "noSuchField": "x"}}
        refused.append(cloud.call("PUT", path(kind, f"{name}-wrong"), wrong).text)
        refused.append(cloud.call("GET", path(kind, name)).text)
        refused.append(cloud.call("GET", path(kind)).text)
    words += tokens(cloud)
    quote = {"kind": "job", "spec": {"command": ["true"], "secretEnv": {"K": "canary-of-a-quote"}}}
    refused.append(cloud.call("PUT", path(REGISTRY["quote"], "canary"), {"spec": quote}).text)
    words.append("canary-of-a-quote")
    secret = cloud.user("acme", "canary", "seca.admin")
    words.append(secret)
    for where in (f"/providers/x?token={secret}", "/providers/skerry.run/v1/tenants/acme/nothing"):
        refused.append(cloud.call("GET", where, token=secret).text)
    refused.append(cloud.call("GET", f"{IDENTITY}/whoami", token=f"{secret}x").text)
    assert [(word, text) for word in words for text in refused if word in text] == []
    return words


def tokens(cloud: Served) -> list[str]:
    """One of each sort: of a user, of a session, of a site's agent, of a machine that joins."""
    users = f"{IDENTITY}/tenants/acme/users"
    cloud.put(f"{users}/canary-person")
    body = {"password": PASSWORD}
    answer = cloud.call("POST", f"{users}/canary-person/set-password", body)
    assert answer.status_code == 202, answer.text
    sign_in = {"tenant": "acme", "user": "canary-person", "password": PASSWORD}
    session = cloud.call("POST", f"{IDENTITY}/sessions", sign_in, token="").json()["token"]
    wrong = {**sign_in, "password": "canary-of-a-wrong-password"}
    assert cloud.call("POST", f"{IDENTITY}/sessions", wrong, token="").status_code == 401
    cloud.put("/providers/skerry.site/v1/sites/canary", sample(REGISTRY["site"]))
    site = "/providers/skerry.site/v1/sites/canary"
    agent = cloud.call("POST", f"{site}/issue-token").json()
    joining = cloud.call("POST", f"{site}/invite", {}).json()
    found = [session, "canary-of-a-wrong-password", str(agent["token"]), str(joining["token"])]
    assert all(len(word) > 20 for word in found)
    return found


def forms(word: str) -> Iterator[bytes]:
    """The word as it is, and as it would look packed or encoded."""
    yield word.encode()
    yield word.encode().hex().encode()
    for shift in range(3):
        packed = base64.b64encode(b"\0" * shift + word.encode())
        yield packed[4:-4] if shift else packed.rstrip(b"=")[:-2]


def found_in(data: bytes, words: list[str]) -> list[str]:
    return [word for word in words if any(form in data for form in forms(word))]


def test_the_database_has_none_in_clear(cloud: Served, canaries: list[str]) -> None:
    async def dump() -> bytes:
        import asyncpg

        connection = await asyncpg.connect(cloud.database)
        try:
            names = await connection.fetch(
                "select format('%I.%I', schemaname, tablename) as name from pg_tables"
                " where schemaname not in ('pg_catalog', 'information_schema')"
            )
            text = []
            for row in names:
                of_table = await connection.fetch(f"select t::text from {row['name']} t")
                text += [r[0] for r in of_table]
            return "\n".join(text).encode()
        finally:
            await connection.close()

    dumped = elsewhere(dump())
    assert b"canary-person" in dumped
    assert b"canary-secret" in dumped
    assert found_in(dumped, canaries) == []


def test_no_file_has_one_but_the_operators_own(cloud: Served, canaries: list[str]) -> None:
    own = {cloud.home / "token"}
    for file in cloud.home.rglob("*"):
        if file.is_file() and file not in own:
            assert found_in(file.read_bytes(), canaries) == [], file
    for file in own:
        assert file.stat().st_mode & 0o077 == 0


def test_the_log_tells_what_was_asked_and_no_secret(cloud: Served, canaries: list[str]) -> None:
    until(lambda: b"whoami" in (cloud.home / "log").read_bytes(), cloud.told)
    log = (cloud.home / "log").read_bytes()
    assert found_in(log, canaries) == []
    requests = [json.loads(line) for line in log.splitlines() if b'"request"' in line]
    assert all("?" not in request["path"] for request in requests)


def test_no_process_shows_one_to_others(cloud: Served, canaries: list[str]) -> None:
    """Arguments anybody may read; variables only the same user and root."""
    shown = b""
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            shown += place.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
    assert found_in(shown, canaries) == []
    variables = Path(f"/proc/{cloud.process.pid}/environ").read_bytes()
    assert found_in(variables, canaries) == []
    if os.geteuid() == 0:
        look = ["cat", f"/proc/{cloud.process.pid}/environ", str(cloud.home / "data/server.json")]
        seen = subprocess.run(look, capture_output=True, user=65534, group=65534, cwd="/")
        assert (seen.returncode, seen.stdout) == (1, b"")


def test_every_secret_field_is_planted() -> None:
    for kind in (kind for kind in KINDS if kind.secrets):
        assert planted(kind).keys() >= set(kind.secrets)
