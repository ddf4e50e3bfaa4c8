"""The arithmetic of metered time: cutting, lateness and gaps change nothing in the sum."""

import uuid
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from skerry.ledger import money
from skerry.ledger.settle import cover
from skerry.ledger.windows import (
    Gap,
    Stream,
    Window,
    advance,
    cost_of,
    counted,
    micros,
    month_of,
    next_month,
)

START = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)


def stream(**more: object) -> Stream:
    fields = {"price": 12_000_000, "per": 3_600_000, "rate": 1500, "ended_at": None} | more
    return Stream(id=uuid.UUID(int=1), meter="cpu-hour", source="s", started_at=START,
                  settled_until=START, **fields)  # type: ignore[arg-type]  # fmt: skip


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def run(windows: list[Window], start: Stream) -> Stream:
    """The windows follow each other; the stream after the last one."""
    at = start.settled_until
    for window in windows:
        assert window.starts_at == at
        at = window.ends_at
    return windows[-1].after if windows else start


offsets = st.integers(0, 90 * 60 * 10**6).map(lambda us: START + timedelta(microseconds=us))


@st.composite
def gap_lists(draw: st.DrawFn) -> list[Gap]:
    edges = sorted(set(draw(st.lists(offsets, max_size=6))))
    return list(zip(edges[::2], edges[1::2], strict=False))


@given(
    price=st.integers(0, 10**11),
    per=st.integers(1, 10**10),
    rate=st.integers(0, 10**6),
    ticks=st.lists(offsets, max_size=8),
    end=offsets,
    gaps=gap_lists(),
)
def test_however_it_is_cut_the_sum_is_the_same(
    price: int, per: int, rate: int, ticks: list[datetime], end: datetime, gaps: list[Gap]
) -> None:
    begin = stream(price=price, per=per, rate=rate, ended_at=end)
    once = list(advance(begin, end, gaps))
    cut: list[Window] = []
    current = begin
    for tick in [*sorted(ticks), end, end]:
        cut += advance(current, tick, gaps)
        current = run(cut, begin)
    whole = run(once, begin)
    assert current == whole
    assert sum(w.amount for w in cut) == sum(w.amount for w in once) == whole.due
    assert whole.billed_us == micros(START, end, gaps) <= (end - START) / timedelta(microseconds=1)
    assert whole.due == money.due(price, per, rate * whole.billed_us // 10**6)
    assert all(w.amount >= 0 for w in cut)


@given(settled=offsets, end=offsets, gaps=gap_lists())
def test_a_late_end_takes_back_exactly_what_was_too_much(
    settled: datetime, end: datetime, gaps: list[Gap]
) -> None:
    ahead = run(list(advance(stream(), settled, gaps)), stream())
    known = Stream(**(vars(ahead) | {"ended_at": end}))
    final = run(list(advance(known, end, gaps)), known)
    right = run(list(advance(stream(ended_at=end), end, gaps)), stream())
    assert (final.quantity, final.due, final.billed_us) == (
        right.quantity, right.due, right.billed_us,
    )  # fmt: skip


def test_a_window_ends_with_the_month() -> None:
    windows = list(advance(stream(), after(60)))
    assert [(w.starts_at.day, w.ends_at.hour) for w in windows] == [(31, 0), (1, 0)]
    assert [w.quantity for w in windows] == [1500 * 1800, 1500 * 1800]
    assert next_month(date(2026, 12, 1)) == date(2027, 1, 1)
    assert month_of(datetime.fromisoformat("2026-11-01T00:30:00+01:00")) == date(2026, 10, 1)


def test_nothing_is_due_before_it_started_or_after_it_ended() -> None:
    assert list(advance(stream(), after(-5))) == []
    done = run(list(advance(stream(ended_at=after(3)), after(9))), stream())
    assert done.quantity == 1500 * 180
    assert list(advance(done, after(20))) == []


def test_time_out_of_sight_is_free() -> None:
    gaps = [(after(1), after(3)), (after(9), after(99))]
    windows = list(advance(stream(), after(10), gaps))
    assert windows[0].quantity == 1500 * 60 * 7


@given(st.permutations([(3, 1), (0, 1), (7, 2), (4, 3)]), st.integers(1, 10**9))
def test_readings_add_up_in_any_order(readings: list[tuple[int, int]], price: int) -> None:
    current = stream(rate=None, price=price)
    total = 0
    for at, quantity in readings:
        window = counted(current, after(at), after(at + 1), quantity)
        current, total = window.after, total + window.amount
    assert total == money.due(price, 3_600_000, 7)
    assert current.settled_until == after(8)


def test_enough_is_reserved() -> None:
    assert cost_of([(12_000_000, 3_600_000, 1000), (1, 7, 1)], 3600) == 12_000_000 + 515


A, B = uuid.UUID(int=1), uuid.UUID(int=2)


@given(
    dues=st.lists(st.tuples(st.sampled_from([A, B]), st.integers(-50, 50)), max_size=10),
    money=st.integers(0, 100),
)
def test_money_covers_what_it_can_and_no_more(
    dues: list[tuple[uuid.UUID, int]], money: int
) -> None:
    parts = cover(dues, money, {A: 0, B: 0})
    assert [paid + free for paid, free in parts] == [due for _, due in dues]
    left = money
    free = {A: 0, B: 0}
    for (stream_, due), (paid, unbilled) in zip(dues, parts, strict=True):
        left -= paid
        free[stream_] += unbilled
        assert left >= 0
        assert free[stream_] >= 0
        if due < 0:
            assert paid <= 0
            assert paid == 0 or free[stream_] == 0
