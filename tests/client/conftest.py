"""A catalogue of test kinds, a cloud that speaks the contract, and a client of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.api.catalogue import render
from skerry.client.sync import Client
from skerry.kernel.kinds import Registry
from tests.client.kinds import KINDS
from tests.client.standin import TOKEN, Cloud, Served


@pytest.fixture(scope="session")
def catalogue_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("catalogue") / "catalogue.json"
    file.write_bytes(render(Registry(KINDS)))
    return file


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, catalogue_file: Path) -> None:
    """No setting of whoever runs the tests reaches them."""
    for name in ("URL", "TOKEN", "TENANT", "WORKSPACE", "CONTEXT", "CA_FILE"):
        monkeypatch.delenv(f"SKERRY_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SKERRY_CATALOGUE", str(catalogue_file))


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def url(cloud: Cloud) -> Iterator[str]:
    with Served(cloud) as served:
        yield served.url


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url, TOKEN, tenant="acme", workspace="w") as client:
        yield client
