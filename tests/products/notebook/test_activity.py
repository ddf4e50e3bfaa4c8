"""What follows from what Jupyter says of itself."""

from datetime import UTC, datetime

import msgspec
import pytest

from skerry.products.notebook.activity import Kernel, Terminal, use_of

EARLY, LATE = datetime(2026, 11, 21, 8, tzinfo=UTC), datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "computing"), [("busy", 1), ("starting", 1), ("idle", 0), ("dead", 0)]
)
def test_a_kernel_that_computes_is_use(state: str, computing: int) -> None:
    assert use_of([Kernel(state, EARLY), Kernel("idle", EARLY)], []).computing == computing


def test_the_last_of_all_counts() -> None:
    kernels, terminals = [Kernel("idle", EARLY)], [Terminal("1", LATE), Terminal("2")]
    assert use_of(kernels, terminals).last == LATE
    assert use_of(kernels, []).last == EARLY
    assert use_of([], []).last is None


def test_its_words_are_read() -> None:
    said = b"""[{"id": "446f6ed8", "name": "python3", "execution_state": "busy",
        "last_activity": "2026-11-21T09:00:00.000000Z", "connections": 1}]"""
    assert use_of(msgspec.json.decode(said, type=list[Kernel]), []).last == LATE
