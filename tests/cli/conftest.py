"""The command line as a user has it: arguments in; stdout, stderr and an exit code out."""

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from skerry.cli.main import invoke
from tests.client.conftest import (
    _own_settings,
    catalogue_file,
    cloud,
    edge,
    edge_catalogue,
    url,
)
from tests.client.edge import Edge
from tests.client.standin import TOKEN

__all__ = ["_own_settings", "catalogue_file", "cloud", "edge", "edge_catalogue", "url"]


class Said(NamedTuple):
    code: int
    out: str
    err: str


TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC")
Skerry = Callable[..., Said]


@pytest.fixture
def bare(capfdbinary: pytest.CaptureFixture[bytes]) -> Skerry:
    """Run a command line without any settings."""

    def run(*args: str) -> Said:
        capfdbinary.readouterr()
        code = invoke(args)
        out, err = capfdbinary.readouterr()
        return Said(code, out.decode(), err.decode())

    return run


@pytest.fixture
def skerry(bare: Skerry, edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Skerry:
    """Run a command line against the real edge."""
    use(monkeypatch, edge.url, edge.token)

    def run(*args: str) -> Said:
        said = bare(*args)
        err = re.sub(r"(?m)^Request: [0-9a-f]{32}$", "Request: ID", said.err)
        return Said(said.code, TIME.sub("TIME", said.out), err)

    return run


@pytest.fixture
def standin(bare: Skerry, url: str, monkeypatch: pytest.MonkeyPatch) -> Skerry:
    """Run a command line against the stand-in, which can be told what to answer."""
    use(monkeypatch, url, TOKEN)
    return bare


def use(monkeypatch: pytest.MonkeyPatch, url: str, token: str) -> None:
    monkeypatch.setenv("SKERRY_URL", url)
    monkeypatch.setenv("SKERRY_TOKEN", token)
    monkeypatch.setenv("SKERRY_TENANT", "acme")
    monkeypatch.setenv("SKERRY_WORKSPACE", "w")
