"""Whether a notebook is in use, by Jupyter's own word.

A cell that computes is use, and so is a terminal that prints. What a browser asks for by itself is
none: what counts is when something last happened in a kernel or a terminal.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from skerry.products.notebook.jupyter import KEY_HEADER, PORT
from skerry.sites.contract import Refused
from skerry.sites.dial import dial
from skerry.sites.hub import Hub

SECONDS = 10.0
"""For one answer."""
_MOST = 1 << 20
_BUSY = ("busy", "starting", "restarting", "autorestarting")


class Unanswered(Exception):
    """Jupyter was asked and gave no answer that could be read; the words say why."""


class Kernel(msgspec.Struct):
    execution_state: str
    last_activity: datetime


class Terminal(msgspec.Struct):
    name: str
    last_activity: datetime | None = None


class Use(msgspec.Struct, frozen=True):
    """What Jupyter tells."""

    computing: int
    """Kernels that compute now."""
    last: datetime | None
    """When something last happened in a kernel or a terminal."""


def use_of(kernels: Sequence[Kernel], terminals: Sequence[Terminal]) -> Use:
    """What follows from the two lists."""
    at = [kernel.last_activity for kernel in kernels]
    at += [terminal.last_activity for terminal in terminals if terminal.last_activity]
    computing = sum(kernel.execution_state in _BUSY for kernel in kernels)
    return Use(computing, max(at, default=None))


async def ask(hub: Hub, at: str, workload: str, key: str) -> Use:
    """Ask the Jupyter of a workload. Raises ``SiteUnreachable`` and ``Unanswered``."""
    try:
        async with asyncio.timeout(SECONDS):
            kernels = await _get(hub, at, workload, key, "/api/kernels", list[Kernel])
            terminals = await _get(hub, at, workload, key, "/api/terminals", list[Terminal])
    except (TimeoutError, OSError, Refused, ValueError, msgspec.MsgspecError) as error:
        raise Unanswered(str(error) or f"nothing within {SECONDS:g} s") from error
    return use_of(kernels, terminals)


async def _get(hub: Hub, at: str, workload: str, key: str, path: str, shape: Any) -> Any:
    """One question on a connection of its own. ``no_track_activity``: it is no use itself."""
    head = (
        f"GET {path}?no_track_activity=1 HTTP/1.0\r\nHost: localhost\r\n"
        f"Accept: application/json\r\n{KEY_HEADER}: {key}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(sock=await dial(hub, at, workload, 0, PORT))
    try:
        writer.write(head.encode())
        await writer.drain()
        first = await reader.readline()
        if not first.startswith(b"HTTP/1.") or first.split()[1:2] != [b"200"]:
            raise ValueError(f"{path}: {first[:100].decode('latin-1')!r}")
        said = await _whole(reader)
    finally:
        writer.close()
    return msgspec.json.decode(said.partition(b"\r\n\r\n")[2], type=shape)


async def _whole(reader: asyncio.StreamReader) -> bytes:
    """All until the other side ends. Raises ``ValueError`` if that is too much."""
    said = b""
    while piece := await reader.read(1 << 16):
        said += piece
        if len(said) > _MOST:
            raise ValueError("it says too much")
    return said
