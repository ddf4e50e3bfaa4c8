"""This machine as a site.

A workload's tasks run in the host's own userland, read-only, each in a sandbox (``engines``: runc,
else bubblewrap; ``process`` only when asked for), with its limits in control groups, and each
looked after by a *shim*, a small process of its own (``shim``) that outlives this driver. The
driver (``driver``) decides, the shims do; what both know is on disk (``state``), so either may be
killed at any moment: a driver that comes back finds the shims by the locks they hold, and a task
whose shim is gone is ended, cleaned up and called lost.

In reading order: ``start`` (a workload's way to its decision), ``launch`` (all or none), ``shim``
(a task's life), ``follow`` (hearing of it), ``stop``; ``volumes`` tells its own
story.
"""

from collections.abc import Mapping
from typing import Any

from skerry.sites.contract import Manifest, Workloads


def _open(config: Mapping[str, Any]) -> Workloads:
    from skerry.sites.local.config import read
    from skerry.sites.local.driver import LocalDriver

    return LocalDriver(read(config))


MANIFEST = Manifest(
    name="local",
    title="This machine",
    capabilities=frozenset({"Images", "Reach", "Usage", "Volumes", "Workloads"}),
    isolations=("sandbox", "process"),
    open=_open,
    remote=True,
)
