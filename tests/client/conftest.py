"""Clouds to ask: the real edge over test kinds, and a stand-in that can be told to falter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.api.catalogue import render
from skerry.client.sync import Client
from skerry.kernel.kinds import Registry
from tests.client.edge import Edge, registry
from tests.client.kinds import KINDS
from tests.client.standin import TOKEN, Cloud, Served


@pytest.fixture(scope="session")
def catalogue_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in's kinds."""
    file = tmp_path_factory.mktemp("catalogue") / "catalogue.json"
    file.write_bytes(render(Registry(KINDS)))
    return file


@pytest.fixture(scope="session")
def edge_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kinds of the real edge: the house's, and some for tests."""
    file = tmp_path_factory.mktemp("catalogue") / "edge.json"
    file.write_bytes(render(registry()))
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
    """A client of the stand-in."""
    with Client(url, TOKEN, tenant="acme", workspace="w") as client:
        yield client


@pytest.fixture
def edge(
    pg_url: str, tmp_path: Path, edge_catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Edge]:
    """The real edge, with the tenant ``acme`` and its workspace ``w``."""
    monkeypatch.setenv("SKERRY_CATALOGUE", str(edge_catalogue))
    (tmp_path / "edge").mkdir(mode=0o700)
    with Edge(pg_url, tmp_path / "edge") as edge:
        with Client(edge.url, edge.token, tenant="acme") as operator:
            operator.kind("tenant").put("acme")
            operator.kind("workspace").put("w")
        yield edge


@pytest.fixture
def real(edge: Edge) -> Iterator[Client]:
    """A client of the real edge."""
    with Client(edge.url, edge.token, tenant="acme", workspace="w") as client:
        yield client
