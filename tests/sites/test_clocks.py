"""Hosts whose clocks are wrong: times put right, and only where that is needed."""

from datetime import UTC, datetime, timedelta

import pytest

from skerry.sites.clocks import Offset, shifted
from skerry.sites.contract import Event, LogChunk, TaskStatus, WorkloadStatus

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def status(**times: datetime) -> WorkloadStatus:
    return WorkloadStatus(id="w", fence=1, tasks=(TaskStatus(rank=0, phase="running", **times),))


def test_every_time_is_moved_and_nothing_else() -> None:
    event = Event(cursor=1, id="w", status=status(started_at=NOON + HOUR))
    assert shifted(event, HOUR) == Event(cursor=1, id="w", status=status(started_at=NOON))
    chunk = LogChunk(rank=0, offset=0, stream="stdout", at=NOON, data=b"x")
    assert shifted(chunk, -HOUR).at == NOON + HOUR
    untimed = (1, (status(),))
    assert shifted(untimed, HOUR) is untimed


@pytest.mark.parametrize(
    ("ahead", "took", "wrong", "words"),
    [
        (3600.0, 0.2, True, "60 minutes ahead of the cloud's"),
        (-3600.0, 0.2, True, "60 minutes behind the cloud's"),
        (90.0, 0.0, True, "90 seconds ahead of the cloud's"),
        (1.5, 0.0, False, "2 seconds ahead of the cloud's"),
        (4.0, 6.0, False, "4 seconds ahead of the cloud's"),
    ],
)
def test_what_may_be_the_networks_is_overlooked(
    ahead: float, took: float, wrong: bool, words: str
) -> None:
    theirs = NOON.timestamp() + took / 2 + ahead
    offset = Offset.measured(theirs, NOON, took)
    assert offset.wrong is wrong
    assert offset.in_words() == words
    wanted = timedelta(seconds=ahead) if wrong else timedelta(0)
    assert abs(offset.correction - wanted) < timedelta(milliseconds=1)
