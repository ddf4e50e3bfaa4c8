"""Faults on demand: what a site far away can do to those who talk to it.

A fault is a rule: which verbs, which workloads, how often, for how long. A site has some from its
config; a workload brings its own in the variable ``SKERRY_SIM_FAULTS``; a test adds and clears
them while it runs. A workload's own count again when a kept world is read anew.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec

from skerry.sites.contract import NoRoom, Refused, SiteUnreachable

Kind = Literal[
    "unreachable",
    "answer-lost",
    "hang",
    "slow",
    "refuse",
    "no-room",
    "doubled",
    "late",
]
Count = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class Fault(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """``unreachable``: no contact, nothing done. ``answer-lost``: done, and contact lost before
    the answer. ``hang``: neither done nor answered while it lasts. ``slow``: done after ``delay``.
    ``refuse``, ``no-room``: not done, in words. ``doubled``, ``late``: a watch's events come
    twice, or after ``delay``."""

    kind: Kind
    verbs: tuple[str, ...] = ()
    """Empty: all of them."""
    workload: str = "*"
    """Glob on the workload's id."""
    times: Count = 0
    """How often before it is over; 0: until it is cleared or its time is up."""
    seconds: Seconds = 0.0
    """How long it lasts from when it was added; 0: for ever."""
    delay: Seconds = 1.0
    reason: str = "Simulated"
    message: str = "the simulated site was told to refuse this"


class _Active(msgspec.Struct):
    fault: Fault
    until: float
    left: int


class Faults:
    """The rules in force, oldest first."""

    def __init__(self) -> None:
        self._active: list[_Active] = []

    def add(self, fault: Fault, now: float) -> None:
        until = now + fault.seconds if fault.seconds else float("inf")
        self._active.append(_Active(fault, until, fault.times))

    def clear(self, kind: Kind | None = None) -> None:
        """End all faults, or all of one kind."""
        self._active = [a for a in self._active if kind is not None and a.fault.kind != kind]

    def __bool__(self) -> bool:
        return bool(self._active)

    def until(self, now: float) -> float | None:
        """When the next one is over by time; None: never."""
        ends = [a.until for a in self._active if now < a.until < float("inf")]
        return min(ends, default=None)

    def hit(self, kinds: Iterable[Kind], verb: str, id: str, now: float) -> Fault | None:
        """The first rule of these kinds that applies now; that counts as one of its times."""
        self._active = [a for a in self._active if now < a.until]
        for active in self._active:
            fault = active.fault
            if (
                fault.kind in kinds
                and (not fault.verbs or verb in fault.verbs)
                and fnmatchcase(id, fault.workload)
            ):
                if fault.times:
                    active.left -= 1
                    if active.left == 0:
                        self._active.remove(active)
                return fault
        return None


def error(fault: Fault) -> Exception:
    """What the caller sees of a fault."""
    if fault.kind == "no-room":
        return NoRoom("NoRoom", fault.message)
    if fault.kind == "refuse":
        return Refused(fault.reason, fault.message)
    return SiteUnreachable("the simulated site does not answer")


def read(text: str) -> list[Fault]:
    """Those of a workload's ``SKERRY_SIM_FAULTS``."""
    try:
        return msgspec.json.decode(text, type=list[Fault])
    except msgspec.DecodeError as wrong:
        raise Refused("BadWorkload", f"SKERRY_SIM_FAULTS can't be read: {wrong}") from wrong
