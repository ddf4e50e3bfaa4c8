"""What a driver declares of itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from skerry.sites.contract.workloads import Isolation, Workloads


@dataclass(frozen=True)
class Manifest:
    """What a driver's folder declares in its ``__init__``: ``MANIFEST = Manifest(...)``."""

    name: str
    title: str
    capabilities: frozenset[str]
    isolations: tuple[Isolation, ...]
    open: Callable[[Mapping[str, Any]], Workloads]
    """Make a driver from a site's ``spec.config``; reaches nothing yet."""
    check: Callable[[Mapping[str, Any]], object] | None = None
    """Refuse a site's ``spec.config`` that can't be, when the site is declared."""
    remote: bool = False
    """True where a host agent connects to the server instead of the server to the site."""
    requires: tuple[str, ...] = ()
    """Optional Python packages; missing ones are named when the driver is opened."""
    lacks: Mapping[str, str] = field(default_factory=dict)
    """Verbs the driver can't do, each with the reason in words; it refuses them (``Unsupported``)
    with the same words."""
