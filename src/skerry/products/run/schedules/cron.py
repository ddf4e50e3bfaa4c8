"""Cron expressions: when is it due?

Five fields (minute, hour, day of month, month, day of week), in a time zone; daylight saving as
Debian's cron has it: a time that the clock skips runs right after, one that comes twice runs once
if it is a fixed time and by the clock if it is an interval.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}


def times(cron: str, zone: str, after: datetime) -> Iterator[datetime]:
    """Its times later than ``after``, in UTC; ends where there is none in the next fifty years.

    Raises ``ValueError`` in words for an expression or a zone that is none.
    """
    try:
        where = ZoneInfo(zone)
    except (LookupError, OSError, ValueError):
        raise ValueError(f"there is no time zone {zone[:64]!r}") from None
    try:
        found = CronSim(WORDS.get(cron, cron), after.astimezone(where))
    except CronSimError as error:
        words = str(error)
        raise ValueError(f"{words[:1].lower()}{words[1:]}") from None
    return (time.astimezone(UTC) for time in found)


def due(
    cron: str, zone: str, after: datetime, now: datetime, most: int
) -> tuple[list[datetime], int, datetime | None]:
    """The newest ``most`` times in (after, now], how many there were before them, and the next."""
    passed: list[datetime] = []
    dropped = 0
    for time in times(cron, zone, after):
        if time > now:
            return passed, dropped, time
        passed.append(time)
        if len(passed) > most:
            passed.pop(0)
            dropped += 1
    return passed, dropped, None
