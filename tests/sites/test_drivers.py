"""Drivers are found without a list, and held to what they declare."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import skerry.sites
from skerry.sites.contract import Manifest, Refused
from skerry.sites.drivers import DriverFault, discover, open_driver, verify, verify_class
from skerry.sites.local.driver import LocalDriver
from skerry.sites.simulated.driver import Simulated

FOLDER = '''
"""A driver that a test dropped in."""
from skerry.sites.contract import Manifest
from skerry.sites.simulated.driver import Simulated

MANIFEST = Manifest(
    name="dropped",
    title="Dropped in",
    capabilities=frozenset({"Workloads"}),
    isolations=("sandbox",),
    open=Simulated.open,
)
'''


class Half:
    """A driver that forgot most of it."""

    def __init__(self, config: Any) -> None:
        pass

    async def capacity(self) -> None: ...


def manifest(**changes: Any) -> Manifest:
    return replace(discover()["simulated"], **changes)


def test_the_house_has_its_drivers() -> None:
    found = discover()
    assert {"local", "simulated"} <= found.keys()
    assert found["local"].remote
    assert not found["simulated"].remote


def test_the_house_s_drivers_keep_their_word() -> None:
    found = discover()
    verify_class(found["local"], LocalDriver)
    verify_class(found["simulated"], Simulated)


async def test_a_folder_is_a_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dropped").mkdir()
    (tmp_path / "dropped" / "__init__.py").write_text(FOLDER)
    monkeypatch.setattr(skerry.sites, "__path__", list(skerry.sites.__path__))
    monkeypatch.setenv("SKERRY_DRIVERS", str(tmp_path))
    driver = open_driver(discover()["dropped"], {"millicores": 1000})
    assert (await driver.capacity()).millicores == 1000
    await driver.close()


ONE = frozenset({"Workloads"})


def test_a_missing_method_is_named() -> None:
    with pytest.raises(DriverFault, match="declares Workloads but lacks 'upload'"):
        verify(manifest(name="half", capabilities=ONE, open=Half))


def test_a_missing_method_is_named_at_the_latest_when_opened() -> None:
    lazy = manifest(name="half", capabilities=ONE, open=lambda config: Half(config))
    verify(lazy)
    with pytest.raises(DriverFault, match="lacks 'upload'"):
        open_driver(lazy, {})


def test_a_method_that_takes_something_else_is_named() -> None:
    class Odd(Simulated):
        async def apply(self, workload: Any) -> None:  # type: ignore[override]
            ...

    with pytest.raises(DriverFault, match="'apply' must take"):
        verify(manifest(open=Odd.open))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"capabilities": frozenset()}, "declares no capability"),
        ({"capabilities": frozenset({"Teleport"})}, "'Teleport', which nobody knows"),
        ({"lacks": {"fly": "it has no wings"}}, "lacks 'fly', which is no verb"),
    ],
)
def test_an_odd_manifest_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DriverFault, match=words):
        verify(manifest(**changes))


def test_a_package_that_is_missing_is_named() -> None:
    with pytest.raises(Refused, match="needs the Python package no_such_package") as refused:
        open_driver(manifest(requires=("no_such_package",)), {})
    assert refused.value.reason == "MissingPackage"
