"""``exec`` and ``connect``."""

import socket

from skerry.sites.contract import Refused
from skerry.sites.local import seccomp
from skerry.sites.local.connect import Connectors, connect_here
from skerry.sites.local.engines.base import KEPT
from skerry.sites.local.held import Held, HeldTask
from skerry.sites.local.machine import Machine
from skerry.sites.local.sessions import LocalSession, encoded, run
from skerry.sites.local.state import Record


async def execute(
    machine: Machine, held: Held, task: HeldTask, command: tuple[str, ...], tty: bool
) -> LocalSession:
    """A command beside the task's own, with its rights and limits. Raises ``Refused``."""
    if not command or any("\0" in word for word in command):
        raise Refused("BadCommand", "there is no command to run, or it holds a NUL byte")
    return await run(_order(machine, held, task, command, tty))


def check_port(machine: Machine, held: Held, task: HeldTask, port: int) -> None:
    """Refuse what can't be connected to. In its own network all ports are the task's; in the
    host's, those that it has named are."""
    if not 1 <= port <= 65535:
        raise Refused("UnknownPort", "a port is a number from 1 to 65535")
    if _in_hosts_network(machine, held):
        named = next((p for p in held.workload.ports if p.port == port), None)
        if named is None:
            raise Refused("UnknownPort", f"{held.workload.id} has named no port {port}")
        if named.protocol != "tcp":
            raise Refused("Unsupported", f"port {port} is no TCP port: only to those one connects")
    _running(held, task)


async def connect(
    machine: Machine, held: Held, task: HeldTask, port: int, connectors: Connectors
) -> socket.socket:
    """A socket connected to a port of the task, non-blocking. Raises ``Refused``."""
    found = _running(held, task)
    if _in_hosts_network(machine, held):
        return await connect_here(port)
    return await connectors.connect(
        task.name, found, lambda: _order(machine, held, task, (), tty=False), port
    )


def _in_hosts_network(machine: Machine, held: Held) -> bool:
    shares = held.workload.network and not held.intent.network
    return shares or _isolation(machine, held) == "process"


def _isolation(machine: Machine, held: Held) -> str:
    return machine.engines.all[held.intent.engine].isolation


def _running(held: Held, task: HeldTask) -> Record:
    if task.record is None or task.run < 0:
        raise Refused("NotRunning", f"task {task.rank} of {held.workload.id} does not run")
    return task.record


def _order(
    machine: Machine, held: Held, task: HeldTask, command: tuple[str, ...], tty: bool
) -> dict[str, object]:
    found = _running(held, task)
    sandboxed = _isolation(machine, held) != "process"
    uid = held.uids()[task.rank] if machine.root and sandboxed else 0
    image, directory = held.intent.image, "/work"
    rights = None
    if image is not None:
        user = [image.uid, image.gid, *image.groups] if machine.root else []
        rights = {"user": user, "keep": KEPT if image.uid == 0 else ()}
        directory = held.directory
    return {
        "process": found.command,
        "shim": found.shim,
        "command": list(command),
        "env": machine.planner.variables(held.workload, task.rank, task.gpus, held.intent.gang),
        "directory": directory if sandboxed else str(task.directory.work),
        "uid": uid,
        "image": rights,
        "tty": tty,
        "filter": encoded(seccomp.for_bubblewrap()) if sandboxed else "",
        "groups": list(machine.cgroups.directories(task.name).values()),
    }
