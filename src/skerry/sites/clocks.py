"""Clocks of hosts, and times that hosts report.

Bills go by the times that hosts report, so a host whose clock is an hour wrong would charge for an
hour that never was. Each time a host is heard, its clock is compared with the database's, by which
everything else here goes. What it reports is then put right by the difference, and a difference
beyond ``TOLERATED`` raises an alert. Smaller ones are left: they are as likely the network's.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

TOLERATED = timedelta(seconds=2)


@dataclass(frozen=True)
class Offset:
    """How far a host's clock is ahead of ours, give or take ``error``."""

    ahead: timedelta
    error: timedelta = timedelta(0)

    @property
    def wrong(self) -> bool:
        """Whether it is more than can be overlooked."""
        return abs(self.ahead) > TOLERATED + self.error

    @property
    def correction(self) -> timedelta:
        """What has to be taken from the times that the host reports."""
        return self.ahead if self.wrong else timedelta(0)

    @classmethod
    def measured(cls, theirs: float, ours: datetime, took: float) -> "Offset":
        """``theirs`` is the host's time in seconds since 1970, read within ``took`` seconds after
        it was ``ours`` here."""
        middle = ours.timestamp() + took / 2
        return cls(timedelta(seconds=theirs - middle), timedelta(seconds=took / 2))

    def in_words(self) -> str:
        seconds = round(abs(self.ahead).total_seconds())
        how = "ahead of" if self.ahead > timedelta(0) else "behind"
        span = f"{seconds // 60} minutes" if seconds >= 600 else f"{seconds} seconds"
        return f"{span} {how} the cloud's"


def now() -> float:
    """This host's clock, in seconds since 1970."""
    return time.time()


def shifted(value: Any, by: timedelta) -> Any:
    """The value with every time in it put back by so much; what holds none is not copied."""
    if isinstance(value, datetime):
        return value - by
    if isinstance(value, tuple):
        moved = tuple(shifted(one, by) for one in value)
        return moved if any(a is not b for a, b in zip(moved, value, strict=True)) else value
    if isinstance(value, msgspec.Struct):
        changes = {}
        for name in value.__struct_fields__:
            old = getattr(value, name)
            new = shifted(old, by)
            if new is not old:
                changes[name] = new
        return msgspec.structs.replace(value, **changes) if changes else value
    return value
