"""Registries on this machine, shared by the module's tests, and a site that may use them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver
from tests.harness.registry import Front, Registry, front, registry
from tests.sites.local.rigs import config, leave


@pytest.fixture(scope="package")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("public") / "registry") as found:
        yield found


@pytest.fixture(scope="package")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("private") / "registry", private=True) as found:
        yield found


@pytest.fixture
def gated(public: Registry) -> Iterator[Front]:
    """The public one, behind something that can stall."""
    with front(public) as found:
        yield found


@pytest.fixture
def settings(public: Registry, private: Registry, gated: Front) -> dict[str, object]:
    """Of the site's driver, for a test to change before the site is made."""
    return {
        "plainRegistries": (public.host, private.host, gated.host),
        "engines": ("runc",),
        "keepFree": 0,
        "stall": 1.0,
    }


@pytest.fixture
async def site(tmp_path: Path, settings: dict[str, object]) -> AsyncIterator[LocalDriver]:
    data = tmp_path / "site"
    driver = LocalDriver(read(config(data, **settings)))
    yield driver
    await leave(driver, data)
