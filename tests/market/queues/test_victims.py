"""Who gives way: the least harm, no more than needed, and never for nothing."""

import itertools
import uuid
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from skerry.market.ask import Used
from skerry.market.queues.order import Waiting
from skerry.market.queues.quota import Book, Line, Queue, Want
from skerry.market.queues.victims import Asker, Victim, choose

NOW = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def book(*queues: Queue) -> Book:
    return Book(queues)


def queue(key: str, nominal: int, **more) -> Queue:
    return Queue(key, "all", {"gpus": Line(nominal)}, **more)


def victim(at: Book | None, queue: str, gpus: int = 1, offer: str = "one", **more) -> Victim:
    number = next(_numbers)
    if at is not None and queue in at.queues:
        at.take(queue, {"gpus": gpus})
    return Victim(
        owner=uuid.UUID(int=number),
        queue=queue,
        tenant=queue,
        subject=f"job-{number}",
        priority=more.pop("priority", 0),
        preemptible=more.pop("preemptible", False),
        amounts={"gpus": gpus},
        takes=((offer, Used(gpus={"H100": gpus})),),
        lost=more.pop("lost", 0),
        notice=30,
    )


def asker(at: Book | None, queue: str, gpus: int, *, full: bool = False, **more) -> Asker:
    entry = Waiting(uuid.uuid4(), queue, more.pop("priority", 0), NOW, 0, Want(gpus=gpus), **more)
    return Asker(entry, {"gpus": gpus}, at, False, full=full)


async def anywhere(some) -> bool:
    return True


def gpus_at(offer: str, needed: int):
    """It is placed if so many GPUs are given back of one offer."""

    async def places(some) -> bool:
        return sum(u.gpus["H100"] for v in some for o, u in v.takes if o == offer) >= needed

    return places


async def test_who_is_within_its_share_takes_it_back_from_who_borrows() -> None:
    b = book(queue("a", 4), queue("b", 4))
    young, old = victim(b, "b", 4, lost=10), victim(b, "b", 4, lost=90)
    assert await choose(asker(b, "a", 2), [old, young], anywhere) == (young,)
    assert await choose(asker(b, "a", 5), [old, young], anywhere) == ()


async def test_a_queue_gives_back_what_it_borrowed_and_no_more() -> None:
    b = book(queue("a", 4), queue("b", 4))
    some = [victim(b, "b", 1) for _ in range(8)]
    assert len(await choose(asker(b, "a", 4), some, anywhere)) == 4
    b = book(queue("a", 8), queue("b", 4), queue("c", 0))
    mine = [victim(b, "b", 1) for _ in range(4)]
    borrowed = [victim(b, "c", 1, priority=9) for _ in range(8)]
    got = await choose(asker(b, "a", 8), [*mine, *borrowed], anywhere)
    assert {v.owner for v in got} == {v.owner for v in borrowed}


async def test_reclaim_may_be_limited() -> None:
    for reclaim, priority, helped in (("lower-priority", 0, False), ("lower-priority", 1, True),
                                      ("never", 9, False)):  # fmt: skip
        b = book(queue("a", 4, reclaim=reclaim), queue("b", 4))
        one = victim(b, "b", 8)
        got = await choose(asker(b, "a", 2, priority=priority), [one], anywhere)
        assert bool(got) == helped


async def test_of_its_own_queue_only_the_lower_priority_gives_way() -> None:
    b = book(queue("a", 2))
    low, same = victim(b, "a", 1, priority=1), victim(b, "a", 1, priority=5)
    assert await choose(asker(b, "a", 1, priority=5), [same, low], anywhere) == (low,)
    assert await choose(asker(b, "a", 2, priority=5), [same, low], anywhere) == ()
    b = book(queue("a", 1, preempt="never"))
    assert await choose(asker(b, "a", 1, priority=5), [victim(b, "a")], anywhere) == ()


async def test_for_a_place_the_preemptible_give_way_wherever_they_are() -> None:
    spot, other = victim(None, "", preemptible=True, lost=99), victim(None, "")
    some = [other, spot]
    assert await choose(asker(None, "", 1, full=True), some, anywhere) == (spot,)
    dear = victim(None, "", preemptible=True, priority=1)
    assert await choose(asker(None, "", 1, full=True), [dear], anywhere) == ()


async def test_nobody_ends_for_nothing() -> None:
    some = [victim(None, "", preemptible=True, offer="one") for _ in range(7)]
    assert await choose(asker(None, "", 8, full=True), some, gpus_at("one", 8)) == ()
    assert await choose(asker(None, "", 8, full=True), some, gpus_at("two", 1)) == ()


async def test_one_place_is_cleared_rather_than_a_bit_of_each() -> None:
    spread = [
        victim(None, "", preemptible=True, offer=f"n{n}", lost=n) for n in range(4) for _ in "ab"
    ]
    got = await choose(asker(None, "", 2, full=True), spread, gpus_at("n2", 2))
    assert [v.takes[0][0] for v in got] == ["n2", "n2"]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(1, 4), st.integers(0, 9),
                       st.sampled_from("xyz")), max_size=8),
    st.integers(1, 8), st.integers(0, 3), st.sampled_from("xyz"),
)  # fmt: skip
async def test_each_one_chosen_was_needed(some, needed, priority, offer) -> None:
    victims = [
        victim(None, "", gpus, offer=at, priority=p, preemptible=spot, lost=lost)
        for p, spot, gpus, lost, at in some
    ]
    places = gpus_at(offer, needed)
    got = await choose(asker(None, "", needed, full=True, priority=priority), victims, places)
    possible = [v for v in victims if v.preemptible and v.priority <= priority]
    assert bool(got) == await places(possible)
    for one in got:
        assert one in possible
        assert not await places([v for v in got if v is not one])
