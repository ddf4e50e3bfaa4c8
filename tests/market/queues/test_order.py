"""Who is admitted, of what is used and what waits: the pure part."""

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from skerry.market.queues.order import Release, Waiting, admit, forecast
from skerry.market.queues.quota import Book, Line, Queue, Want

NOW = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)


def queue(key: str, nominal: int, borrow: int | None = None, **more) -> Queue:
    lend = more.pop("lend", None)
    lines = {"gpus": Line(nominal, borrow, lend)}
    return Queue(key, more.pop("cohort", "all"), lines, **more)


def waits(number: int, queue: str, gpus: int, *, since: float = 0, **more) -> Waiting:
    return Waiting(
        owner=uuid.UUID(int=number),
        queue=queue,
        priority=more.pop("priority", 0),
        asked_at=NOW - timedelta(seconds=since),
        number=number,
        want=Want(gpus=gpus),
        **more,
    )


def who(book: Book, *entries: Waiting, releases=()) -> list[int]:
    """The numbers of those who are admitted, in order."""
    lines: dict[str, list[Waiting]] = {}
    for one in sorted(entries, key=lambda e: (-e.priority, e.asked_at, e.number)):
        lines.setdefault(one.queue, []).append(one)
    return [a.entry.number for a in admit(book, lines, releases, NOW).admitted]


def test_a_queue_borrows_what_others_leave_up_to_its_limit() -> None:
    queues = [queue("a", 8, borrow=4), queue("b", 8)]
    assert who(Book(queues), *(waits(n, "a", 4) for n in range(5))) == [0, 1, 2]
    assert who(Book([queue("a", 8, cohort="")]), *(waits(n, "a", 4) for n in range(5))) == [0, 1]


def test_what_is_not_lent_stays() -> None:
    queues = [queue("a", 0), queue("b", 8, lend=2)]
    assert who(Book(queues), *(waits(n, "a", 1) for n in range(5))) == [0, 1]
    book = Book(queues)
    book.take("a", {"gpus": 2})
    assert who(book, *(waits(n, "b", 1) for n in range(9))) == [0, 1, 2, 3, 4, 5]


def test_within_the_nominal_share_comes_first_then_priority_then_share_then_age() -> None:
    queues = [queue("a", 2), queue("b", 2), queue("c", 4)]
    entries = [
        waits(1, "a", 3, priority=9, since=9),
        waits(2, "b", 2),
        waits(3, "c", 4, priority=1),
    ]
    assert who(Book(queues), *entries) == [3, 2]
    book = Book(queues)
    book.take("a", {"gpus": 3})
    book.take("b", {"gpus": 2})
    fair = [waits(1, "a", 1, since=9), waits(2, "b", 1)]
    assert who(book, *fair) == [2, 1]
    older = [waits(1, "b", 1), waits(2, "b", 1, since=1)]
    assert who(book, *older) == [2]


def test_a_heavier_queue_may_borrow_more() -> None:
    queues = [queue("a", 0, weight=3), queue("b", 0, weight=1), queue("c", 8)]
    entries = [waits(n, "ab"[n % 2], 1) for n in range(20)]
    admitted = who(Book(queues), *entries)
    assert [n % 2 for n in admitted].count(0) == 6


def test_smaller_ones_go_past_one_that_does_not_fit_until_it_has_waited_long() -> None:
    queues = [queue("a", 4, patience=600), queue("b", 4)]
    book = Book(queues)
    book.take("b", {"gpus": 3})
    big, small = waits(1, "a", 8, since=10), waits(2, "a", 2)
    assert who(book, big, small) == [2]
    book = Book(queues)
    book.take("b", {"gpus": 3})
    assert who(book, waits(1, "a", 8, since=601), small) == []


def test_what_is_kept_goes_to_those_who_end_in_time() -> None:
    queues = [queue("a", 4, patience=0), queue("b", 4)]
    book = Book(queues)
    book.take("b", {"gpus": 3})
    ends = [Release("b", {"gpus": 3}, NOW + timedelta(seconds=60))]
    big = waits(1, "a", 8, since=10)
    assert who(book.copy(), big, waits(2, "a", 2, duration=60), releases=ends) == [2]
    assert who(book.copy(), big, waits(2, "a", 2, duration=61), releases=ends) == []
    assert who(book.copy(), big, waits(2, "a", 2), releases=ends) == []


def test_nobody_borrows_what_one_within_its_share_waits_for() -> None:
    queues = [queue("a", 4), queue("b", 4)]
    book = Book(queues)
    book.take("b", {"gpus": 6})
    assert who(book, waits(1, "a", 4), waits(2, "b", 2, priority=9, since=99)) == []
    assert who(book, waits(1, "a", 2)) == [1]


def test_one_that_never_fits_keeps_nothing() -> None:
    queues = [queue("a", 4, patience=0), queue("b", 4)]
    assert who(Book(queues), waits(1, "a", 9, since=99), waits(2, "a", 8)) == [2]


def test_one_that_found_no_place_for_long_holds_others_back() -> None:
    queues = [queue("a", 8, patience=60)]
    since = NOW - timedelta(seconds=61)
    door = waits(1, "a", 4, since=99, rests=True, unplaced_since=since)
    ends = [Release("a", {"gpus": 1}, NOW + timedelta(seconds=30))]
    book = Book(queues)
    book.take("a", {"gpus": 1})
    others = waits(2, "a", 1), waits(3, "a", 1, duration=30)
    assert who(book.copy(), door, *others, releases=ends) == [3]
    young = waits(1, "a", 4, since=99, rests=True, unplaced_since=NOW)
    assert who(book.copy(), young, *others, releases=ends) == [2, 3]


def test_models_are_counted_apart() -> None:
    lines = {"gpus:H100": Line(4), "gpus:A100": Line(8)}
    book = Book([Queue("a", "", lines)])
    any_model = Waiting(uuid.UUID(int=1), "a", 0, NOW, 1, Want(gpus=8))
    a100 = Waiting(uuid.UUID(int=2), "a", 0, NOW, 2, Want(gpus=1, models=("A100-80GB",)))
    other = Waiting(uuid.UUID(int=3), "a", 0, NOW, 3, Want(gpus=1, models=("L4",)))
    found = admit(book, {"a": [any_model, a100, other]}, [], NOW)
    assert [(a.entry.number, a.model) for a in found.admitted] == [(1, "A100")]
    assert [e.number for e in found.passed] == [2, 3]


def test_a_forecast_lets_those_before_go_first() -> None:
    book = Book([queue("a", 8, cohort="")])
    book.take("a", {"gpus": 8})
    ends = [Release("a", {"gpus": 8}, NOW + timedelta(seconds=60))]
    first, second = waits(1, "a", 8, duration=30), waits(2, "a", 1)
    assert forecast(book, ends, [], first, NOW) == NOW + timedelta(seconds=60)
    assert forecast(book, ends, [first], second, NOW) == NOW + timedelta(seconds=90)
    unknown = [Release("a", {"gpus": 8}, None)]
    assert forecast(book, unknown, [], first, NOW) is None
    assert forecast(Book([queue("a", 8)]), [], [], first, NOW) == NOW


_amounts = st.integers(0, 12)
_limits = st.none() | st.integers(0, 12)


@st.composite
def worlds(draw):
    queues = []
    for key in "abcd"[: draw(st.integers(1, 4))]:
        nominal = draw(_amounts)
        lend = draw(st.none() | st.integers(0, nominal))
        cohort = draw(st.sampled_from(("all", "all", "all"))) if key != "d" else "all"
        queues.append(
            Queue(key, cohort, {"gpus": Line(nominal, draw(_limits), lend)},
                  weight=draw(st.integers(1, 3)), patience=draw(st.sampled_from((0, 600))))
        )  # fmt: skip
    entries = [
        waits(n, draw(st.sampled_from(queues)).key, draw(st.integers(1, 8)),
              since=draw(st.sampled_from((0, 599, 601))), priority=draw(st.integers(0, 2)),
              duration=draw(st.sampled_from((0, 30, 90))))
        for n in range(draw(st.integers(0, 12)))
    ]  # fmt: skip
    return queues, entries


@given(worlds())
def test_no_quota_is_ever_exceeded_and_what_fits_is_not_left_waiting(world) -> None:
    queues, entries = world
    book = Book(queues)
    admitted = set(who(book, *entries))
    total = sum(q.lines["gpus"].nominal for q in queues)
    used = {q.key: sum(e.want.gpus for e in entries if e.queue == q.key and e.number in admitted)
            for q in queues}  # fmt: skip
    assert sum(used.values()) <= total
    for q in queues:
        line = q.lines["gpus"]
        if line.borrow is not None:
            assert used[q.key] <= line.nominal + line.borrow
        others = sum(o.lines["gpus"].kept for o in queues if o is not q)
        kept_by_others = sum(min(o.lines["gpus"].kept, used[o.key]) for o in queues if o is not q)
        assert sum(used.values()) - kept_by_others <= total - others
    # Whoever fits within the nominal share, with all its cohort has, is not left behind for one
    # that borrows: nothing is admitted beyond a share while such a one waits and would fit.
    for e in entries:
        if e.number not in admitted and book.fits(e.queue, {"gpus": e.want.gpus}):
            assert any(not book.fits(o.queue, {"gpus": o.want.gpus}) for o in entries
                       if o.number not in admitted)  # fmt: skip
