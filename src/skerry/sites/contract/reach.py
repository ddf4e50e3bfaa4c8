"""``Reach``: a shorter way to a port than a tunnel through the driver's own connection."""

from typing import Protocol, runtime_checkable

from skerry.sites.contract.workloads import Struct


class Address(Struct, frozen=True):
    """Where a port of a task can be reached; exactly one of ``path`` and ``host``.

    ``path`` is a Unix socket of this machine: who connects writes one line, ``id rank port``, and
    is sent a connected socket (``SCM_RIGHTS``) or a line that says why not. ``host`` and ``port``
    are an ordinary TCP address.
    """

    path: str = ""
    host: str = ""
    port: int = 0


@runtime_checkable
class Reach(Protocol):
    async def address(self, id: str, rank: int, port: int) -> Address | None:
        """A direct way to the port of a running task; None: use ``connect``. Good while the task
        runs."""
