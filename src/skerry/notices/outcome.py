"""What came of one try to deliver something."""

import random
from dataclasses import dataclass
from datetime import timedelta

FIRST_PAUSE = 30.0
LONGEST_PAUSE = 3600.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """``said`` is in words, for who reads the log. ``final``: trying again is no use."""

    ok: bool
    said: str
    code: int = 0
    final: bool = False
    unwanted: bool = False
    """The receiver says that it wants nothing any more."""


def pause(tries: int) -> timedelta:
    """Until the next try: twice as long each time, up to an hour, give or take a quarter."""
    seconds = min(FIRST_PAUSE * 2.0 ** min(tries - 1, 20), LONGEST_PAUSE)
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 - no secret
