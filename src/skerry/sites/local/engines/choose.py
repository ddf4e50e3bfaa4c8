"""Which engines can be used here: those that have run ``/bin/true`` when asked."""

import asyncio
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from skerry.sites.contract import Isolation, Refused, Resources, Workload
from skerry.sites.local.engines.base import Engine, Host, Unusable
from skerry.sites.local.engines.bubblewrap import Bubblewrap
from skerry.sites.local.engines.process import Process
from skerry.sites.local.engines.runc import Runc
from skerry.sites.local.follow import Follower
from skerry.sites.local.launch import launch
from skerry.sites.local.plans import Attached, Planner, Setting
from skerry.sites.local.shim.plan import DECISION
from skerry.sites.local.state import TaskDirectory, save
from skerry.sites.local.sweep import remove_tree

_PROBE = Workload(
    id="probe.",
    tenant="",
    command=("/bin/true",),
    resources=Resources(millicores=1000, memory=64 << 20),
    time_limit=30,
)


_LEFT_OUT = "left out in the site's configuration"


@dataclass(frozen=True)
class Engines:
    """All there are, and what is known of them."""

    all: dict[str, Engine]
    found: dict[str, str]
    """Version of each, or the reason why it can't be used."""
    usable: tuple[str, ...]

    @property
    def isolations(self) -> tuple[Isolation, ...]:
        return tuple(dict.fromkeys(self.all[name].isolation for name in self.usable))

    def choose(self, isolation: Isolation) -> Engine:
        """The most wanted one. Raises ``Refused``: never a weaker one."""
        for name in self.usable:
            if self.all[name].isolation == isolation:
                return self.all[name]
        whys = [
            f"{name}: {self.found[name]}"
            for name, engine in self.all.items()
            if engine.isolation == isolation
        ]
        hint = f" ({'; '.join(whys)}): install runc or bubblewrap" if whys else ""
        raise Refused("Isolation", f"isolation {isolation!r} can't be had on this host{hint}")


async def find(host: Host, planner: Planner, wanted: Sequence[str], uid: int) -> Engines:
    """Ask the engines; of those for sandboxes only the ``wanted`` ones, in that order.

    The others are known, too: workloads may still run in them.
    """
    engines: dict[str, Engine] = {
        "runc": Runc(host),
        "bubblewrap": Bubblewrap(host),
        "process": Process(),
    }
    asked = [*wanted, "process"]
    directory = host.data / "probe"
    await asyncio.to_thread(remove_tree, directory)
    probes = [_probe(engines[name], planner, directory / name, uid) for name in asked]
    found = dict(zip(asked, await asyncio.gather(*probes), strict=True))
    left_out = dict.fromkeys(engines, (False, _LEFT_OUT))
    return Engines(
        engines,
        {name: said for name, (_, said) in {**left_out, **found}.items()},
        tuple(name for name in asked if found[name][0]),
    )


async def _probe(engine: Engine, planner: Planner, path: Path, uid: int) -> tuple[bool, str]:
    """Whether it works, and its version or what is wrong."""
    try:
        version = engine.version()
        # The dot keeps it apart from all workloads' names.
        work = msgspec.structs.replace(_PROBE, id=f"probe.{engine.name}")
        directory = TaskDirectory(path / "tasks" / "0")
        directory.make()
        directory.work.chmod(0o755)
        plan = planner.plan(Setting(engine), work, 0, directory, uid, (), Attached())
        left = asyncio.Event()
        follower = Follower(directory, lambda: None, left.set)
        follower.start()
        try:
            decision = await launch(
                [(directory, plan)], lambda d: save(path / DECISION, d), asyncio.Semaphore(1)
            )
            if not decision.go:
                return False, decision.message
            async with asyncio.timeout(60):
                await left.wait()
        finally:
            follower.stop()
        record = directory.record()
        if record is None or record.exit_code != 0:
            return False, f"/bin/true did not end well in it: {record}"
    except (Unusable, OSError, subprocess.SubprocessError) as error:
        return False, str(error)
    return True, version
