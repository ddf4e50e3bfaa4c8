"""Settings: argument over environment over context, and no secret where it can be read."""

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import skerry
from skerry.client import BadSetting, Client, config, redact
from skerry.client.config import Contexts, Settings
from skerry.client.units import parse_bytes, parse_millicores, parse_seconds
from tests.client.standin import TOKEN

HOME = Settings("http://home:1", "t-home", "acme", "w")


def test_argument_over_environment_over_context(monkeypatch: pytest.MonkeyPatch) -> None:
    config.save_contexts(Contexts().having("home", HOME, use=True))
    assert config.resolve(Settings()) == HOME
    monkeypatch.setenv("SKERRY_TENANT", "other")
    assert config.resolve(Settings()).tenant == "other"
    assert config.resolve(Settings(tenant="third")).tenant == "third"
    away = Settings("http://away:1", "t-away", "a", "b")
    config.save_contexts(config.load_contexts().having("away", away, use=False))
    monkeypatch.setenv("SKERRY_CONTEXT", "away")
    assert config.resolve(Settings()).token == "t-away"
    assert config.resolve(Settings(), context="home").token == "t-home"


def test_a_token_is_not_sent_to_another_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    config.save_contexts(Contexts().having("home", HOME, use=True))
    assert config.resolve(Settings(url="http://elsewhere:1")).token == ""
    monkeypatch.setenv("SKERRY_URL", "http://home:1/")
    assert config.resolve(Settings()).token == "t-home"


def test_the_file_is_the_users_own(tmp_path: Path) -> None:
    config.save_contexts(Contexts().having("home", HOME, use=True))
    assert config.contexts_file().stat().st_mode & 0o777 == 0o600
    assert config.contexts_file().parent.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in config.contexts_file().parent.iterdir()] == ["contexts.json"]
    assert "t-home" not in repr(config.load_contexts())
    config.contexts_file().write_text("{")
    with pytest.raises(BadSetting, match="can't be read"):
        config.load_contexts()


def test_an_unknown_context_names_the_known() -> None:
    config.save_contexts(Contexts().having("home", HOME, use=True))
    with pytest.raises(BadSetting) as caught:
        config.resolve(Settings(), context="hoem")
    assert caught.value.hint == "Contexts: home."
    assert config.load_contexts().without("home") == Contexts()


def test_the_debug_log_hides_secrets(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "skerry.client")
    client.login("acme", "ann", "correct horse")
    client.kind("cipher").put("k", {"password": "hunter2", "rotateDays": 3})
    client.kind("job").put("j", {"command": ["true"], "secretEnv": {"KEY": "s3cret"}})
    text = caplog.text
    for secret in (TOKEN, "correct horse", "hunter2", "s3cret"):
        assert secret not in text
    assert '"secretEnv": {"KEY": "[hidden]"}' in text
    assert '"rotateDays": 3' in text
    assert "> authorization: [hidden]" in text
    assert "< 201 in" in text


def test_bodies_that_are_no_json_are_only_measured() -> None:
    assert redact.body(b"\x00" * 10, "application/octet-stream", frozenset()) == (
        "(10 bytes of application/octet-stream)"
    )
    assert redact.body(b"{", "application/json", frozenset()) == "(1 bytes that are not JSON)"
    long = redact.body(b'["' + b"x" * 9000 + b'"]', "application/json", frozenset())
    assert long.endswith("… (9004 characters)")
    assert redact.body(b'{"skipToken": "s"}', "application/json", frozenset()).count("s") == 2


def test_the_client_is_imported_when_used() -> None:
    assert skerry.Client is Client
    assert not hasattr(skerry, "Cloud")


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1024", 1024), ("1K", 1024), ("1KB", 1000), ("1.5GiB", 3 << 29), ("2g", 2 << 30)],
)
def test_sizes(text: str, amount: int) -> None:
    assert parse_bytes(text) == amount


@pytest.mark.parametrize(
    ("text", "amount"), [("90", 90), ("90s", 90), ("1.5h", 5400), ("2d", 172800)]
)
def test_durations(text: str, amount: int) -> None:
    assert parse_seconds(text) == amount


@pytest.mark.parametrize(("text", "amount"), [("1", 1000), (0.5, 500), ("0.001", 1), ("250m", 250)])
def test_cores(text: str | float, amount: int) -> None:
    assert parse_millicores(text) == amount


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "1XB", "NaN", "1e3"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(BadSetting):
        parse_bytes(text)


@pytest.mark.parametrize("text", ["0", "-1", "0.0001", "many", "inf", "nan"])
def test_cores_that_are_none(text: str) -> None:
    with pytest.raises(BadSetting):
        parse_millicores(text)


@given(st.integers(0, 1 << 60))
def test_whole_numbers_are_themselves(number: int) -> None:
    assert parse_bytes(str(number)) == parse_seconds(str(number)) == number
