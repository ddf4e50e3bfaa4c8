"""The command line as a user has it: arguments in; stdout, stderr and an exit code out."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from skerry.cli.main import invoke
from tests.client.conftest import _own_settings, catalogue_file, cloud, url
from tests.client.standin import TOKEN

__all__ = ["_own_settings", "catalogue_file", "cloud", "url"]


class Said(NamedTuple):
    code: int
    out: str
    err: str


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
def skerry(bare: Skerry, url: str, monkeypatch: pytest.MonkeyPatch) -> Skerry:
    """Run a command line against the cloud."""
    monkeypatch.setenv("SKERRY_URL", url)
    monkeypatch.setenv("SKERRY_TOKEN", TOKEN)
    monkeypatch.setenv("SKERRY_TENANT", "acme")
    monkeypatch.setenv("SKERRY_WORKSPACE", "w")
    return bare
