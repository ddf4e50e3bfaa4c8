"""Gangs over nodes: all or nothing, as near together as asked, the same in any order."""

from itertools import combinations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.market.ask import GIB, LEVELS, Ask, Divisible, GpuStock, Row, Used
from skerry.market.decision import Decision
from skerry.market.lease import why_refused
from skerry.market.match import match
from skerry.market.policy import Policy
from skerry.market.snapshot import Snapshot
from tests.market.supply import EURO, NOW, pool

GANG = {"millicores": 1000, "memory": GIB, "gpus": 1, "currency": "EUR"}


def node(
    name: str, free: int = 8, *, of: int = 8, model: str = "H100", mark: str = "", **facts
) -> Row:
    """A machine of site ``fleet`` with so many free GPUs."""
    stock = GpuStock(model=model, mark=mark, memory=80 * GIB, count=of, price=2 * EURO)
    offer = pool(
        f"fleet.{name}", site="fleet", node=name, gpus=(stock,), millicores=64_000,
        memory=512 * GIB, storage_price=None, **({"zone": "z"} | facts),
    )  # fmt: skip
    return Row(offer=offer, used=Used(gpus={model: of - free} if of > free else {}))


def decide(rows: list[Row], **wanted) -> Decision:
    return match(Ask(**(GANG | wanted)), Snapshot.of(rows), Policy(), NOW)


def where(decision: Decision) -> dict[str, int]:
    assert decision.chosen is not None
    return {share.node: share.tasks for share in decision.chosen.shares}


RACKS = [
    *(node(f"a{n}", 4, rack="r1") for n in range(4)),
    *(node(f"b{n}", 8, rack="r2") for n in range(3)),
    *(node(f"c{n}", 8, rack="r3", zone="y") for n in range(2)),
]


def test_what_one_node_holds_goes_to_one():
    got = decide(RACKS, tasks=3)
    assert got.chosen.place.node.startswith("a")
    assert got.chosen.shares == ()
    assert got.chosen.level == ""


def test_the_smallest_domain_that_holds_it_is_taken():
    assert where(decide(RACKS, tasks=16)) == {"c0": 8, "c1": 8}
    got = decide(RACKS, tasks=20)
    assert where(got) == {"b0": 8, "b1": 8, "b2": 4}
    assert (got.chosen.level, got.chosen.domain) == ("rack", "r2")
    assert (got.chosen.place.rack, got.chosen.place.node) == ("r2", "")
    assert got.eligible == 9
    assert got.refused == {}


def test_what_is_left_over_goes_to_the_smallest_that_holds_it():
    rows = [node("big", 8, rack="r"), node("half", 4, rack="r"), node("rest", 2, rack="r")]
    assert where(decide(rows, tasks=10)) == {"big": 8, "rest": 2}
    assert where(decide(rows, tasks=11)) == {"big": 8, "half": 3}


def test_a_wide_gang_fills_whole_racks():
    got = decide(RACKS, tasks=36)
    assert (got.chosen.level, got.chosen.domain) == ("zone", "z")
    assert sum(where(got).values()) == 36
    assert {n: t for n, t in where(got).items() if n[0] == "b"} == {"b0": 8, "b1": 8, "b2": 8}
    assert decide(RACKS, tasks=56).chosen.level == "site"
    assert decide(RACKS, tasks=57).chosen is None


def test_a_refusal_names_the_topology():
    got = decide(RACKS, tasks=32, topology="rack", topology_required=True)
    assert got.chosen is None
    assert got.together == "no rack has 32 free GPUs of this model; the largest has 24"
    assert got.refused == {"together": 9}
    assert got.together in why_refused(got)[0]
    got = decide(RACKS, tasks=9, topology="host", topology_required=True)
    assert got.together == "no host has 9 free GPUs of this model; the largest has 8"
    got = decide(RACKS, tasks=9, topology="link", topology_required=True)
    assert got.together == "no node says which NVLink domain it is in, and it is required"
    got = decide(RACKS, tasks=100)
    assert got.together == "no site has 100 free GPUs of this model; the largest has 56"
    got = decide([node("a", 7), node("b", 7)], tasks=3, gpus=4)
    assert got.together == (
        "no site has 12 free GPUs of this model, 4 on a node for each task; the largest has 8"
    )


def test_a_preference_goes_before_the_price():
    dear = [node(f"d{n}", rack="r") for n in range(2)]
    cheap = [node(f"e{n}", rack=f"q{n}") for n in range(2)]
    for at, row in enumerate(cheap):
        supply = row.offer.supply
        assert isinstance(supply, Divisible)
        less = (msgspec.structs.replace(supply.gpus[0], price=EURO),)
        supply = msgspec.structs.replace(supply, gpus=less)
        offer = msgspec.structs.replace(row.offer, site="other", supply=supply)
        cheap[at] = msgspec.structs.replace(row, offer=offer)
    assert set(where(decide([*dear, *cheap], tasks=16))) == {"e0", "e1"}
    assert set(where(decide([*dear, *cheap], tasks=16, topology="rack"))) == {"d0", "d1"}
    got = decide([*dear, *cheap], tasks=16, topology="rack", price_ceiling=20 * EURO)
    assert set(where(got)) == {"e0", "e1"}


def test_a_gang_has_one_model_and_one_price():
    rows = [node("a", model="H100"), node("b", model="A100")]
    assert decide(rows, tasks=16).together.startswith("no site has 16 free GPUs")
    assert decide(rows, tasks=8).chosen is not None


def test_hosts_of_their_own_and_closed_nodes_are_no_gang():
    apart = [
        msgspec.structs.replace(
            row, offer=msgspec.structs.replace(row.offer, node="", host=row.offer.node)
        )
        for row in (node("a"), node("b"))
    ]
    assert decide(apart, tasks=16).refused == {"shape": 2}
    got = decide([node("a"), node("b", closed="cordoned by anna")], tasks=16)
    assert got.refused == {"closed": 1, "together": 1}
    words = [failure.words for near in got.nearest for failure in near.failures]
    assert "nothing new is placed there: cordoned by anna" in words
    assert "it has room for 8 of 16 tasks" in words


def test_single_asks_leave_whole_nodes_free():
    rows = [node("a", 8), node("b", 3), node("c", 5)]
    assert decide(rows, gpus=2).chosen.place.node == "b"
    assert decide(rows, gpus=4).chosen.place.node == "c"
    assert decide([*rows, node("d", 0, of=0)], gpus=0).chosen.place.node == "d"


def test_one_node_can_be_asked_for():
    assert decide(RACKS, sites=("fleet/b1",)).chosen.place.where == "fleet/b1"
    assert decide(RACKS, tasks=16, sites=("fleet/b1",)).refused == {"site": 8, "together": 1}


def test_spot_nodes_are_for_who_asks_for_them():
    rows = [node("s", spot=True)]
    assert decide(rows).refused == {"spot": 1}
    got = decide(rows, spot=True)
    assert got.chosen.spot


@pytest.mark.parametrize(
    ("asked", "model", "mark", "serves"),
    [
        ((), "A100-SXM4-80GB 1g.10gb", "1g.10gb", False),
        (("A100",), "A100-SXM4-80GB 1g.10gb", "1g.10gb", False),
        (("A100-80GB",), "A100-SXM4-80GB 1g.10gb", "1g.10gb", False),
        (("A100 1g.10gb",), "A100-SXM4-80GB 1g.10gb", "1g.10gb", True),
        (("A100 2g.20gb",), "A100-SXM4-80GB 1g.10gb", "1g.10gb", False),
        (("A100 1g.10gb",), "A100-SXM4-80GB", "", False),
        (("T4",), "T4 shared", "shared", False),
        (("T4 shared",), "T4 shared", "shared", True),
        (("T4 shared",), "T4", "", False),
        ((), "T4 shared", "shared", False),
        ((), "T4", "", True),
    ],
)
def test_parts_of_devices_serve_who_names_them(asked, model, mark, serves):
    got = decide([node("a", model=model, mark=mark)], gpu_models=asked)
    assert (got.chosen is not None) == serves
    if not serves:
        assert got.refused == {"gpu-model": 1}
        assert model in got.nearest[0].failures[0].words


# Against every possible choice

_names = st.sampled_from
nodes = st.lists(
    st.tuples(
        st.integers(0, 8), _names(("", "r1", "r2")), _names(("", "l1", "l2")), _names(("y", "z"))
    ),
    min_size=2,
    max_size=8,
).map(
    lambda found: [
        node(f"n{at}", free, rack=rack, link=link, zone=zone)
        for at, (free, rack, link, zone) in enumerate(found)
    ]
)
levels = _names(("", *LEVELS[:4]))


def domain(row: Row, level: str) -> tuple[str, ...] | None:
    """What a node is in, by the reading of a person."""
    offer = row.offer
    if level == "host":
        return (offer.id,)
    known = {"link": offer.link, "rack": offer.rack, "zone": offer.zone, "site": "fleet"}
    if not known[level]:
        return None
    names = (offer.zone, offer.rack, offer.link)
    return names[: {"link": 3, "rack": 2, "zone": 1, "site": 0}[level]]


def room(rows: list[Row], level: str, each: int) -> dict[tuple[str, ...], list[int]]:
    """For each domain how many tasks its nodes hold."""
    found: dict[tuple[str, ...], list[int]] = {}
    for row in rows:
        name = domain(row, level)
        fit = (8 - row.used.gpus.get("H100", 0)) // each
        if name is not None and fit:
            found.setdefault(name, []).append(fit)
    return found


@settings(max_examples=200, deadline=None)
@given(nodes, st.integers(2, 24), _names((1, 2, 4)), levels, st.booleans(), st.randoms())
def test_all_or_nothing_in_the_smallest_domain_whatever_the_order(
    rows, tasks, each, topology, required, dice
):
    got = decide(rows, tasks=tasks, gpus=each, topology=topology, topology_required=required)
    mixed = list(rows)
    dice.shuffle(mixed)
    again = decide(mixed, tasks=tasks, gpus=each, topology=topology, topology_required=required)
    assert msgspec.json.encode(got) == msgspec.json.encode(again)
    allowed = LEVELS[: LEVELS.index(topology) + 1] if topology and required else LEVELS
    holding = [
        level
        for level in allowed
        if any(sum(fits) >= tasks for fits in room(rows, level, each).values())
    ]
    assert (got.chosen is not None) == bool(holding)
    if got.chosen is None:
        return
    if holding[0] == "host":
        assert got.chosen.shares == ()
        return
    taken = {share.offer: share.tasks for share in got.chosen.shares}
    assert sum(taken.values()) == tasks
    assert len(taken) == len(got.chosen.shares)
    assert got.chosen.level == holding[0]
    by_id = {row.offer.id: row for row in rows}
    assert len({domain(by_id[id], got.chosen.level) for id in taken}) == 1
    for id, count in taken.items():
        assert 1 <= count <= (8 - by_id[id].used.gpus.get("H100", 0)) // each
    # No other domain of that size would do with fewer nodes.
    fewest = min(
        next(n for n in range(1, len(fits) + 1) if sum(sorted(fits)[-n:]) >= tasks)
        for fits in room(rows, holding[0], each).values()
        if sum(fits) >= tasks
    )
    inner = LEVELS[1 : LEVELS.index(holding[0])]
    if not any(getattr(row.offer, name) for row in rows for name in inner):
        assert len(taken) == fewest
    assert len(taken) >= fewest


@settings(max_examples=60, deadline=None)
@given(nodes, st.integers(2, 12))
def test_the_price_is_that_of_all_tasks(rows, tasks):
    got = decide(rows, tasks=tasks)
    if got.chosen is not None:
        one = 2 * EURO + EURO // 100 + EURO // 1000
        assert got.chosen.price.per_hour == tasks * one


def test_a_pair_of_racks_is_found_among_many():
    """Where no rack holds it, as few racks as can be."""
    rows = [
        node(f"n{rack}-{n}", 8, rack=f"r{rack}") for rack in range(6) for n in range(rack % 3 + 2)
    ]
    got = decide(rows, tasks=64)
    racks = {row.offer.rack for row in rows if row.offer.node in where(got)}
    best = min(
        len(some)
        for size in range(1, 7)
        for some in combinations(range(6), size)
        if sum(8 * (rack % 3 + 2) for rack in some) >= 64
    )
    assert len(racks) == best == 2
    assert len(where(got)) == 8
