"""``dial``: a connected socket to a port of a task, wherever the task runs.

Where the driver knows a direct way (``Reach.address``) there is nothing between the two ends: a
socket that the host's agent made inside the task's network and handed over, or an ordinary TCP
connection. Where it knows none, or where the way it knows is one of another machine, the driver's
``connect`` carries the bytes, and what the caller holds is one end of a pair that is pumped into
it, with back pressure and half-close both ways.

What a driver has answered is kept for as long as its connection stands, so that a dial to a task
on this machine asks nobody but the agent's door.
"""

import asyncio
import contextlib
import select
import socket
from pathlib import Path
from typing import Protocol
from weakref import WeakKeyDictionary

from skerry.sites.contract import Address, Reach, Refused, Session, SiteUnreachable, Workloads
from skerry.sites.sockets import short_name
from skerry.sites.wire import PeerFault

PATIENCE = 10.0
"""Seconds for a direct way to answer."""
_PIECE = 256 << 10
_LOOK_EVERY = 1.0
_MOST_KNOWN = 10_000
_Key = tuple[str, int, int]
_known: "WeakKeyDictionary[Workloads, dict[_Key, Address | None]]" = WeakKeyDictionary()
_pumps: set[asyncio.Task[None]] = set()


class Drivers(Protocol):
    """As much of the ``Hub`` as is needed here."""

    def driver(self, at: str) -> Workloads: ...


class _NoWay(Exception):
    """The direct way does not lead there from here."""


async def dial(hub: Drivers, at: str, id: str, rank: int, port: int) -> socket.socket:
    """Connect to ``port`` of the task ``rank`` of the workload ``id`` at ``at``.

    The socket is non-blocking and the caller's to close; it may be a TCP or a Unix one. Raises
    ``Refused`` in the driver's words (``NotRunning``, ``NotListening``, …) and
    ``SiteUnreachable``.
    """
    driver = hub.driver(at)
    key = (id, rank, port)
    address = await _address(driver, key)
    if address is not None:
        try:
            return await (_by_path if address.path else _by_host)(address, key)
        except _NoWay:
            _known[driver][key] = None
    return _tunnel(await driver.connect(id, rank, port))


async def _address(driver: Workloads, key: _Key) -> Address | None:
    known = _known.setdefault(driver, {})
    if key in known:
        return known[key]
    found = None
    if isinstance(driver, Reach):
        try:
            found = await driver.address(*key)
        except Refused as refused:
            if refused.reason != "Unsupported":  # by an agent that does not know the verb
                raise
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[key] = found
    return found


async def _by_path(address: Address, key: _Key) -> socket.socket:
    """From the door of an agent on this machine."""
    loop = asyncio.get_running_loop()
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    with door:
        try:
            async with asyncio.timeout(PATIENCE):
                with short_name(Path(address.path)) as name:
                    await loop.sock_connect(door, name)
                await loop.sock_sendall(door, b"%s %d %d\n" % (key[0].encode(), *key[1:]))
                await _readable(door)
            said, descriptors, _, _ = socket.recv_fds(door, 4096, 1)
        except TimeoutError as error:
            raise SiteUnreachable("the host's agent does not answer") from error
        except OSError as error:
            raise _NoWay from error
    if descriptors:
        connection = socket.socket(fileno=descriptors[0])
        connection.setblocking(False)
        return connection
    reason, _, message = said.decode(errors="replace").strip().partition(" ")
    if reason in ("", "UnknownWorkload"):  # it is ending, or it is another machine's
        raise _NoWay
    raise Refused(reason, message)


async def _readable(end: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def readable() -> None:
        if not future.done():
            future.set_result(None)

    loop.add_reader(end.fileno(), readable)
    try:
        await future
    finally:
        loop.remove_reader(end.fileno())


async def _by_host(address: Address, key: _Key) -> socket.socket:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(PATIENCE):
            [found, *_] = await loop.getaddrinfo(
                address.host, address.port, type=socket.SOCK_STREAM
            )
            connection = socket.socket(*found[:3])
            connection.setblocking(False)
            try:
                await loop.sock_connect(connection, found[4])
            except BaseException:
                connection.close()
                raise
    except ConnectionRefusedError as error:
        raise Refused("NotListening", f"nothing answers on port {key[2]} of the task") from error
    except (OSError, TimeoutError) as error:
        raise _NoWay from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _tunnel(session: Session) -> socket.socket:
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    pump = asyncio.get_running_loop().create_task(_pump(session, theirs))
    _pumps.add(pump)
    pump.add_done_callback(_pumps.discard)
    return ours


async def _pump(session: Session, end: socket.socket) -> None:
    """Carry both directions until both have ended, or either end is gone."""
    loop = asyncio.get_running_loop()

    async def outward() -> None:
        while data := await session.read():
            await loop.sock_sendall(end, data)
        end.shutdown(socket.SHUT_WR)

    try:
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(outward())
            while data := await loop.sock_recv(end, _PIECE):
                await session.write(data)
            await session.close_write()
            while not answer.done():
                # It may read on, or have left: the end of its words looks the same.
                await asyncio.wait((answer,), timeout=_LOOK_EVERY)
                if _gone(end):
                    answer.cancel()
    except* (OSError, SiteUnreachable, PeerFault):
        pass  # what it means to the caller is that its end of the pair closes
    finally:
        end.close()
        with contextlib.suppress(OSError, SiteUnreachable):
            await session.close()


def _gone(end: socket.socket) -> bool:
    """Whether the other end of the pair is closed and not only silent."""
    poll = select.poll()
    poll.register(end, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))
