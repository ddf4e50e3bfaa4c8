"""Into what runs: a command beside it, a connection to its port.

For every kind whose resources run something, themselves (a job, a pod) or through what they own (a
service): ``channels=(EXEC, CONNECT)``. Of several replicas the first that runs is entered, unless
one is named.
"""

from collections.abc import Awaitable, Mapping
from typing import Annotated, Any

from msgspec import Meta

from skerry.kernel.channels import Channel, Duplex
from skerry.kernel.errors import Conflict, NotFound, Unavailable
from skerry.kernel.kinds import Spec
from skerry.kernel.views import Asked
from skerry.sites import seen
from skerry.sites.contract import Refused, Session, SiteUnreachable, Workloads
from skerry.sites.hub import Hub

Size = Annotated[int, Meta(ge=1, le=1000)]


class Inside(Spec):
    """Which of its processes."""

    replica: Annotated[
        str, Meta(max_length=128, description="Of several that run: the replica's name")
    ] = ""
    rank: Annotated[int, Meta(ge=0, le=1 << 14, description="Which copy, from 0")] = 0


class Exec(Inside, kw_only=True):
    """A command to run beside it, with its rights and within its limits."""

    command: Annotated[
        list[Annotated[str, Meta(max_length=131072)]],
        Meta(min_length=1, max_length=4096, description="Program and arguments, no shell"),
    ]
    tty: Annotated[bool, Meta(description="Whether it gets a terminal")] = False
    columns: Annotated[Size, Meta(description="The terminal's width")] = 80
    rows: Annotated[Size, Meta(description="The terminal's height")] = 24


class Connect(Inside, kw_only=True):
    """A TCP port to connect to."""

    port: Annotated[int, Meta(ge=1, le=65535, description="The port")]


async def _exec(asked: Asked, wanted: Exec) -> Duplex:
    driver, id = await _running(asked, wanted)
    session = await _opened(driver.exec(id, wanted.rank, tuple(wanted.command), wanted.tty))
    if wanted.tty:
        await session.resize(wanted.columns, wanted.rows)
    return session


async def _connect(asked: Asked, wanted: Connect) -> Duplex:
    driver, id = await _running(asked, wanted)
    return await _opened(driver.connect(id, wanted.rank, wanted.port))


async def _opened(opening: Awaitable[Session]) -> Session:
    try:
        return await opening
    except SiteUnreachable as away:
        raise Unavailable(str(away)) from None
    except Refused as refused:
        if refused.reason == "UnknownWorkload":
            raise NotFound(refused.message) from None
        raise Conflict(refused.message) from None


async def _running(asked: Asked, wanted: Inside) -> tuple[Workloads, str]:
    """The driver and id of the workload to enter."""
    async with asked.db.transaction(readonly=True) as tx:
        found = await seen.below(tx, asked.resource.uid, wanted.replica)
    running = [w for w in found if w.status is not None and not w.status.ended and not w.gone_at]
    if not running:
        noun, name = asked.resource.kind, asked.resource.name
        what = f"replica {wanted.replica!r}" if wanted.replica else "nothing"
        raise Conflict(
            f"{what} of {noun} {name!r} " + ("does not run" if wanted.replica else "runs"),
            hint=f"See: skerry {noun} get {name}",
        )
    work = next((w for w in running if w.status is not None and w.status.running), running[0])
    try:
        return asked.services[Hub].driver(work.at), work.id
    except SiteUnreachable as away:
        raise Unavailable(str(away), hint="What runs there goes on; try again later.") from None


def _told_exec(wanted: Exec) -> Mapping[str, Any]:
    # Only the program: its arguments may hold anything.
    return {**_told(wanted), "program": wanted.command[0], "tty": wanted.tty}


def _told_port(wanted: Connect) -> Mapping[str, Any]:
    return {**_told(wanted), "port": wanted.port}


def _told(wanted: Inside) -> Mapping[str, Any]:
    return {"replica": wanted.replica, "rank": wanted.rank}


EXEC = Channel("exec", "Run a command beside what runs", Exec, _exec, _told_exec)
CONNECT = Channel("connect", "Connect to a TCP port of what runs", Connect, _connect, _told_port)
