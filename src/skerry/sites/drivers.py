"""Drivers: found, checked and opened.

A driver is any folder ``skerry/sites/<name>/`` with a ``MANIFEST``, in the house or in a folder
that ``SKERRY_DRIVERS`` names, or the manifest that an installed package offers as an entry point
of the group ``skerry.drivers``. None is listed anywhere. A driver that lacks a method of a
capability it declares is an error at load, not at the first customer; where ``open`` is a function
that imports the driver only when called, it is one when the driver is opened.
"""

import importlib
import importlib.metadata
import importlib.util
import inspect
import os
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import skerry.sites
from skerry.sites import contract
from skerry.sites.contract import Manifest, Refused, Workloads

ENTRY_POINTS = "skerry.drivers"
CAPABILITIES: Mapping[str, type] = {
    one.__name__: one
    for one in (
        contract.Workloads,
        contract.Images,
        contract.Volumes,
        contract.Reach,
        contract.Usage,
    )
}


class DriverFault(Exception):
    """A driver's folder does not keep what its manifest promises."""


def discover() -> dict[str, Manifest]:
    """Every driver there is, by name. Raises ``DriverFault`` naming what one of them lacks."""
    found: dict[str, Manifest] = {}
    for where, manifest in (*_folders(), *_installed()):
        if not isinstance(manifest, Manifest):
            raise DriverFault(f"{where}: its MANIFEST is not a Manifest")
        if manifest.name in found:
            raise DriverFault(f"{where}: there is another driver named {manifest.name!r}")
        verify(manifest)
        found[manifest.name] = manifest
    return found


def _folders() -> Iterator[tuple[str, Any]]:
    for folder in filter(None, os.environ.get("SKERRY_DRIVERS", "").split(os.pathsep)):
        if folder not in skerry.sites.__path__:
            skerry.sites.__path__.append(folder)
    for module in sorted(pkgutil.iter_modules(skerry.sites.__path__), key=lambda m: m.name):
        if module.ispkg:
            package = importlib.import_module(f"skerry.sites.{module.name}")
            if hasattr(package, "MANIFEST"):
                yield package.__name__, package.MANIFEST


def _installed() -> Iterator[tuple[str, Any]]:
    for point in sorted(importlib.metadata.entry_points(group=ENTRY_POINTS)):
        yield point.value, point.load()


def verify(manifest: Manifest) -> None:
    """Check what can be checked without opening the driver."""
    name = manifest.name
    if not manifest.capabilities:
        raise DriverFault(f"driver {name!r} declares no capability")
    for capability in sorted(manifest.capabilities - CAPABILITIES.keys()):
        raise DriverFault(f"driver {name!r} declares {capability!r}, which nobody knows")
    for verb in sorted(manifest.lacks.keys() - _methods(Workloads).keys()):
        raise DriverFault(f"driver {name!r} says it lacks {verb!r}, which is no verb")
    maker = manifest.open
    owner = maker if isinstance(maker, type) else getattr(maker, "__self__", None)
    if isinstance(owner, type):
        verify_class(manifest, owner)


def verify_class(manifest: Manifest, cls: type) -> None:
    """Check that ``cls`` has every method of each capability that the manifest declares."""
    name = manifest.name
    for capability in sorted(manifest.capabilities):
        for verb, wanted in _methods(CAPABILITIES[capability]).items():
            have = getattr(cls, verb, None)
            if not callable(have):
                raise DriverFault(f"driver {name!r} declares {capability} but lacks {verb!r}")
            needed = inspect.signature(wanted)
            if list(inspect.signature(have).parameters) != list(needed.parameters):
                raise DriverFault(f"driver {name!r}: {verb!r} must take {needed}")


def _methods(protocol: type) -> dict[str, Any]:
    return {
        name: member
        for name, member in vars(protocol).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }


def open_driver(manifest: Manifest, config: Mapping[str, Any]) -> Workloads:
    """Make a driver for a site's ``spec.config``.

    Refused (``MissingPackage``) where a package that the driver needs is not installed, or for
    what the driver itself finds wrong with the configuration.
    """
    missing = [name for name in manifest.requires if importlib.util.find_spec(name) is None]
    if missing:
        raise Refused(
            "MissingPackage",
            f"{manifest.title} needs the Python package {missing[0]}, which is not installed",
        )
    driver = manifest.open(config)
    verify_class(manifest, type(driver))
    return driver
