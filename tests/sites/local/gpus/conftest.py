"""Devices that only say they are there, and sites that have them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver
from tests.harness.gpus import Nvml, library, stand_in
from tests.sites.local.rigs import config, leave


@pytest.fixture(scope="package")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return library(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch, compiled: Path, tmp_path: Path) -> Nvml:
    return stand_in(monkeypatch, compiled, tmp_path)


@pytest.fixture
def engine() -> str:
    return "runc"


@pytest.fixture
async def site(nvml: Nvml, tmp_path: Path, engine: str) -> AsyncIterator[LocalDriver]:
    """Its CDI specifications are in ``cdi``."""
    more = {"engines": (engine,), "cdi": (str(tmp_path / "cdi"),)}
    data = tmp_path / "site"
    driver = LocalDriver(read(config(data, **more)))
    yield driver
    await leave(driver, data, **more)
