"""What others on the machine can see of pg_dump is no secret."""

import pytest

from skerry.backing.tools import _told


def test_a_password_is_in_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("SKERRY_TOKEN", "not for it")
    url, env = _told("postgresql://me:s%2Fcret@db.example:5433/skerry?sslmode=require")
    assert url == "postgresql://me@db.example:5433/skerry?sslmode=require"
    assert env["PGPASSWORD"] == "s/cret"
    assert env["PGSSLMODE"] == "verify-full"
    assert "SKERRY_TOKEN" not in env


def test_a_socket_needs_none() -> None:
    url, env = _told("postgresql://skerry@/skerry?host=/srv/x&port=5432")
    assert url == "postgresql://skerry@/skerry?host=/srv/x&port=5432"
    assert "PGPASSWORD" not in env
