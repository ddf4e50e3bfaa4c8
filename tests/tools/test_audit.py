"""The audit of dependencies finds what it is for, and says what it could not look at."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tools import audit

LOCK = """\
click==8.5.1 \\
    --hash=sha256:00 \\
    --hash=sha256:11
    # via skerry
PyYAML==5.0 ; sys_platform == "linux" \\
    --hash=sha256:22
"""
ADVISORY = """\
id: PYSEC-2018-49
modified: '2024-07-01T00:00:00Z'
affected:
- package: {name: pyyaml, ecosystem: PyPI}
  ranges:
  - type: GIT
    events: [{introduced: '0'}]
  - type: ECOSYSTEM
    events: [{introduced: '0'}, {fixed: '5.1'}]
  versions: ['3.01']
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.lock"
    file.write_text(LOCK)
    return file


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "database/vulns/pyyaml"
    folder.mkdir(parents=True)
    (folder / "PYSEC-2018-49.yaml").write_text(ADVISORY)
    withdrawn = ADVISORY.replace("49", "50") + "withdrawn: '2024-01-01T00:00:00Z'\n"
    (folder / "PYSEC-2018-50.yaml").write_text(withdrawn)
    return tmp_path / "database"


@contextmanager
def pypi(told: dict[str, Any]) -> Iterator[str]:
    """An API that knows these paths."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = told.get(self.path)
            self.send_response(200 if answer else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_lock_is_read(lock: Path) -> None:
    assert audit.pins(LOCK) == [
        audit.Pin("click", "8.5.1", True),
        audit.Pin("pyyaml", "5.0", True),
    ]
    assert not audit.pins("six==1.17.0\n")[0].hashed
    assert len({pin.name for lock in audit.LOCKS for pin in audit.pins(lock.read_text())}) > 100


def test_an_advisory_of_the_database_is_found(
    lock: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main(["--database", str(database)], (lock,)) == 1
    said = capsys.readouterr().out
    assert "pyyaml 5.0: PYSEC-2018-49, mended in 5.1" in said
    assert "PYSEC-2018-50" not in said
    assert "those of 2024-07-01" in said
    lock.write_text(LOCK.replace("5.0", "5.1"))
    assert audit.main(["--database", str(database)], (lock,)) == 0


@pytest.mark.parametrize(
    ("version", "events", "hit"),
    [
        ("2.0", [{"introduced": "1.0"}, {"fixed": "2.0"}], False),
        ("2.0rc1", [{"introduced": "1.0"}, {"fixed": "2.0"}], True),
        ("0.9", [{"introduced": "1.0"}], False),
        ("9", [{"introduced": "1.0"}], True),
        ("3.1", [{"introduced": "1"}, {"fixed": "2"}, {"introduced": "3"}, {"fixed": "4"}], True),
        ("2.5", [{"introduced": "1"}, {"last_affected": "2.5"}], True),
        ("2.6", [{"introduced": "1"}, {"last_affected": "2.5"}], False),
    ],
)
def test_ranges(version: str, events: list[dict[str, str]], hit: bool) -> None:
    affected = {"ranges": [{"type": "ECOSYSTEM", "events": events}]}
    assert audit._hits(affected, version) is hit


def test_an_advisory_of_the_index_is_found(lock: Path) -> None:
    bad = {"id": "PYSEC-1", "fixed_in": ["5.1"], "withdrawn": None}
    old = {"id": "PYSEC-2", "fixed_in": [], "withdrawn": "2020-01-01"}
    told = {
        "/click/8.5.1/json": {"vulnerabilities": []},
        "/pyyaml/5.0/json": {"vulnerabilities": [bad, old]},
    }
    pins = audit.pins(LOCK)
    with pypi(told) as api:
        assert list(audit.audit_advisories(pins, {}, None, api)) == [
            "pyyaml 5.0: PYSEC-1, mended in 5.1"
        ]
        assert list(audit.audit_advisories(pins, {"PYSEC-1": "not called"}, None, api)) == []


@pytest.mark.parametrize("told", [{}, {"/click/8.5.1/json": {"info": {}}}])
def test_what_can_not_be_asked_is_said(
    lock: Path,
    told: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is no failure unless that is wanted, and it is never silent."""
    real = audit.online
    with pypi(told) as api:
        monkeypatch.setattr(audit, "online", lambda pin, _: real(pin, api))
        assert audit.main([], (lock,)) == 0
        said = capsys.readouterr()
        assert "NOT CHECKED" in said.err
        assert "alone" in said.out
        assert audit.main(["--strict"], (lock,)) == 1


def test_a_package_without_a_hash_is_a_finding(lock: Path, database: Path) -> None:
    lock.write_text("click==8.5.1\n")
    assert audit.main(["--database", str(database)], (lock,)) == 1


@pytest.mark.parametrize(
    ("expression", "fine"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-2.0-or-later OR Apache-2.0", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR GPL-3.0-only) AND BSD-3-Clause", True),
        ("(GPL-3.0-only AND MIT) OR LGPL-3.0-only", False),
        ("none told", False),
    ],
)
def test_licences(expression: str, fine: bool) -> None:
    allowed = {"MIT", "Apache-2.0", "BSD-3-Clause"}
    assert audit.permitted(expression, allowed) is fine


def test_every_package_here_has_a_licence_that_is_allowed() -> None:
    locked = [pin for lock in audit.LOCKS for pin in audit.pins(lock.read_text())]
    rules = audit.tomllib.loads((audit.ROOT / "tools/audit.toml").read_text())
    assert list(audit.audit_licences(locked, rules["licences"])) == []
    assert list(audit.audit_licences(locked, {"allowed": []})) != []
