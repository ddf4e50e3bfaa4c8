"""What the host and all its tasks use, read at once."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from skerry.sites.contract import DeviceUsage, HostUsage, TaskUsage
from skerry.sites.local import use
from skerry.sites.local.held import HeldTask
from skerry.sites.local.machine import Machine
from skerry.sites.local.networks import links
from skerry.sites.local.shim import figures
from skerry.sites.local.shim.plan import FIGURES

_TICK = os.sysconf("SC_CLK_TCK")
_IDLE = (3, 4)
"""Places in the first line of ``/proc/stat``: idle, and waiting for the disk."""
_COUNTED = 8
"""The rest is counted among those before it."""
Devices = Mapping[str, DeviceUsage]


def of_all(
    machine: Machine, tasks: Sequence[HeldTask], numbers: Mapping[int, HeldTask]
) -> tuple[HostUsage, tuple[TaskUsage, ...]]:
    """``tasks`` are those that run, ``numbers`` their places in the network. Blocking."""
    devices = machine.gpus.usage()
    traffic = machine.networks.traffic()
    ours = {task.name: traffic[n] for n, task in numbers.items() if n in traffic}
    found = [_task(machine, task, ours.get(task.name, (0, 0)), devices) for task in tasks]
    return _host(machine, devices), tuple(found)


def _task(
    machine: Machine, task: HeldTask, traffic: tuple[int, int], devices: Devices
) -> TaskUsage:
    record = task.record
    assert record is not None
    now = datetime.now(UTC)
    if machine.cgroups.reason:
        seen = use.loose(task, now)
        cpu, memory = seen.cpu_seconds, seen.memory
    else:
        group = machine.cgroups.group(task.name)
        used = group.use()
        cpu, memory = used["cpu"] / 1e9, max(used["memory"] - group.cache(), 0)
    # At the moment of a restart what it used before is in neither place.
    task.cpu = max(task.cpu, record.cpu / 1e9 + cpu)
    disk, log = figures.read(str(task.directory.path / FIGURES))
    known = [devices[uuid] for uuid in task.gpus if uuid in devices]
    return TaskUsage(
        id=task.id,
        rank=task.rank,
        at=now,
        cpu_seconds=task.cpu,
        memory=memory,
        received=traffic[0],
        sent=traffic[1],
        gpu=_mean([use.busy for use in known]),
        gpu_memory=_sum([use.memory for use in known]),
        disk=disk,
        log=log,
    )


def _host(machine: Machine, devices: Devices) -> HostUsage:
    space = os.statvfs(machine.data)
    received, sent = _outside(machine.networks.bridge)
    return HostUsage(
        at=datetime.now(UTC),
        cpu_seconds=_busy(),
        memory=_memory(),
        disk=(space.f_blocks - space.f_bfree) * space.f_frsize,
        received=received,
        sent=sent,
        gpu=_mean([use.busy for use in devices.values()]),
        devices=tuple(devices.values()),
    )


def _busy() -> float:
    """Processor seconds since the host was started."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1 : 1 + _COUNTED]]
    return sum(n for place, n in enumerate(ticks) if place not in _IDLE) / _TICK


def _memory() -> int:
    sizes = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        sizes[name] = int(rest.split()[0]) * 1024
    return sizes["MemTotal"] - sizes["MemAvailable"]


def _outside(bridge: str) -> tuple[int, int]:
    """Bytes by the interfaces that lead out of this host."""
    traffic = links.traffic()
    names = {name for name, _ in links.routes() if name != bridge}
    pairs = [traffic[name] for name in names if name in traffic]
    return sum(received for received, _ in pairs), sum(sent for _, sent in pairs)


def _mean(shares: Sequence[float | None]) -> float | None:
    """Over those that are known."""
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None


def _sum(amounts: Sequence[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None
