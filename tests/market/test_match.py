"""``match`` against a plain reading of its rules, and the promises it makes to askers."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.ledger.meters import meter
from skerry.ledger.streams import cost
from skerry.market.ask import GIB, ISOLATIONS, GpuStock, Row, Used
from skerry.market.columns import NEVER, line_key, node_key
from skerry.market.decision import Decision
from skerry.market.failures import failure
from skerry.market.match import match
from skerry.market.nearest import Spot
from skerry.market.policy import Policy, PolicySpec, compiled, intersect
from skerry.market.prices import charges, mebibytes
from skerry.market.reasons import REASONS, SUMMARY, Reason
from skerry.market.snapshot import Snapshot
from skerry.market.terms import facts_of
from tests.market.supply import EURO, NOW, ask, asks, instance, policies, pool, rows

ANY = Policy()


def decide(wanted, offers, policy=ANY) -> Decision:
    made = [o if isinstance(o, Row) else Row(offer=o) for o in offers]
    return match(wanted, Snapshot.of(made), policy, NOW)


def plain(wanted, offers, policy):
    """The same by going through the lines one by one, with nothing shared but the words."""
    snapshot = Snapshot.of(offers)
    fine, refused = [], []
    for view in snapshot.views:
        for line in range(len(view.segment)):
            facts = facts_of(Spot(view, line), snapshot.tables)
            offer = next(r.offer for r in offers if r.offer.id == facts.offer)
            price = _price(facts, wanted)
            total = None if price is None else price * wanted.tasks
            failed = [r for r in REASONS if failure(r, facts, total, wanted, policy, NOW)]
            key = line_key(facts.offer, facts.gpu if facts.group.divisible else "")
            packed = key
            if facts.place.node:
                packed = _packed(key, facts)
                key = node_key(facts.place.at, facts.offer, facts.gpu)
            sortable = NEVER if price is None else price
            if failed:
                refused.append((len(failed), -failed[0], sortable, key, facts.offer, failed))
            else:
                latency = 60_000 if offer.latency is None else offer.latency
                score = total + latency * wanted.latency_worth
                near = (offer.at, offer.where) if offer.node else (offer.at,)
                score += sum(map(wanted.spread_from.count, near)) * wanted.spread_worth
                fine.append((score, packed, facts.offer))
    return sorted(fine), sorted(refused)


def _packed(key, facts):
    """Of a place's nodes the one with the fewest free devices, then cores."""
    free = min(facts.values["free_gpus"], 2047), facts.values["free_millicores"] // 128
    own = free[0] << 32 | min(free[1], (1 << 20) - 1) << 12 | key % 4096
    return line_key(facts.place.at, "") >> 43 << 43 | own


def nodes_of(offers):
    return {row.offer.id for row in offers if row.offer.node}


def _price(facts, wanted):
    v = facts.values
    if not facts.group.divisible:
        known = [v["price"]] + [v["spot"]] * wanted.spot
        if wanted.storage:
            return None
        return None if min(known) == NEVER else min(known)
    total = 0
    for name, quantity, per in (
        ("core_price", wanted.millicores, 1000),
        ("memory_price", mebibytes(wanted.memory), 1024),
        ("gpu_price", wanted.gpus, 1),
        ("storage_price", mebibytes(wanted.storage), 1024 * 720),
    ):
        if quantity and v[name] == NEVER:
            return None
        if quantity:
            total += -(-quantity * v[name] // per)
    return total


@settings(max_examples=80)
@given(asks, rows(), policies)
def test_it_agrees_with_a_plain_reading_of_the_rules(wanted, offers, policy):
    got = match(wanted, Snapshot.of(offers), policy, NOW)
    fine, refused = plain(wanted, offers, policy)
    if got.chosen is not None and got.chosen.shares:
        assert not fine
        parts = [entry for entry in refused if entry[5] == [Reason.TOGETHER]]
        together = [entry for entry in parts if entry[4] in nodes_of(offers)]
        refused = [entry for entry in refused if entry not in together]
        fine = [(got.chosen.score, 0, got.chosen.offer)] * len(together)
    assert got.eligible == len(fine)
    assert (got.chosen and (got.chosen.score, got.chosen.offer)) == (
        fine[0] and (fine[0][0], fine[0][2]) if fine else None
    )
    others = [f for f in fine if f[2] != fine[0][2]]
    assert (got.runner_up and got.runner_up.offer) == (others[0][2] if others else None)
    counts: dict[str, int] = {}
    for entry in refused:
        slug = entry[5][0].slug
        counts[slug] = counts.get(slug, 0) + 1
    assert got.refused == counts
    assert [(n.offer, [f.reason for f in n.failures]) for n in got.nearest] == [
        (entry[4], [r.slug for r in entry[5]]) for entry in refused[:10]
    ]
    assert all(f.words for n in got.nearest for f in n.failures)


@settings(max_examples=80)
@given(asks, rows(), policies, st.randoms())
def test_the_order_of_offers_makes_no_difference(wanted, offers, policy, dice):
    mixed = list(offers)
    dice.shuffle(mixed)
    one = match(wanted, Snapshot.of(offers), policy, NOW)
    two = match(wanted, Snapshot.of(mixed), policy, NOW)
    assert msgspec.json.encode(one) == msgspec.json.encode(two)


@settings(max_examples=80)
@given(asks, rows(), rows(most=6), policies)
def test_how_a_snapshot_came_about_makes_no_difference(wanted, offers, before, policy):
    old = [Row(offer=r.offer, used=r.used, version=r.version + 10) for r in before]
    grown = Snapshot.of(before[: len(before) // 2]).replaced((r, None) for r in old)
    ids = {r.offer.id for r in offers}
    grown = grown.replaced(
        [(r, None) for r in offers], [r.offer.id for r in old if r.offer.id not in ids]
    )
    one = match(wanted, Snapshot.of(offers), policy, NOW)
    two = match(wanted, grown, policy, NOW)
    assert msgspec.structs.replace(two, snapshot=one.snapshot) == one
    assert grown.as_base().digest == Snapshot.of(offers).digest


@settings(max_examples=80)
@given(asks, rows(), policies)
def test_every_line_is_counted_once(wanted, offers, policy):
    got = match(wanted, Snapshot.of(offers), policy, NOW)
    lines = sum(
        max(1, len(getattr(r.offer.supply, "gpus", ()) or ()))
        if hasattr(r.offer.supply, "core_price")
        else 1
        for r in offers
    )
    assert got.eligible + sum(got.refused.values()) == got.considered == lines


@settings(max_examples=80)
@given(asks, rows(), policies, policies)
def test_a_choice_never_violates_ask_or_policy(wanted, offers, one, two):
    policy = intersect((one, two))
    got = match(wanted, Snapshot.of(offers), policy, NOW)
    for choice in filter(None, (got.chosen, got.runner_up)):
        for each in (one, two):
            assert each.allowed is None or choice.place.jurisdiction in each.allowed
            assert choice.place.jurisdiction not in each.forbidden
            assert each.operators is None or choice.place.operator in each.operators
            assert choice.place.tier >= each.tier
            assert ISOLATIONS.index(choice.isolation) >= ISOLATIONS.index(each.isolation)
        assert not wanted.regions or choice.place.region in wanted.regions
        assert wanted.price_ceiling is None or choice.price.per_hour <= wanted.price_ceiling
        assert choice.price.per_hour == sum(line.amount for line in choice.price.lines)
        row = next(r for r in offers if r.offer.id == choice.offer)
        assert row.offer.currency == choice.price.currency == wanted.currency


@settings(max_examples=80)
@given(asks, rows(), policies, st.integers(0, 3 * EURO))
def test_a_higher_ceiling_never_loses_an_offer(wanted, offers, policy, more):
    ceiling = wanted.price_ceiling or 0
    snapshot = Snapshot.of(offers)
    low = match(msgspec.structs.replace(wanted, price_ceiling=ceiling), snapshot, policy, NOW)
    high = match(
        msgspec.structs.replace(wanted, price_ceiling=ceiling + more), snapshot, policy, NOW
    )
    assert high.eligible >= low.eligible
    if low.chosen and wanted.latency_worth == wanted.spread_worth == 0:
        assert high.chosen is not None
        assert high.chosen.score == low.chosen.score


@settings(max_examples=100)
@given(asks, rows(), policies, policies)
def test_a_further_policy_only_takes_away(wanted, offers, one, two):
    snapshot = Snapshot.of(offers)
    before = match(wanted, snapshot, one, NOW)
    after = match(wanted, snapshot, intersect((one, two)), NOW)
    assert after.eligible <= before.eligible


def test_the_cheapest_wins_and_the_second_is_kept():
    got = decide(ask(), [pool(), instance(price=EURO), instance("cheap", price=EURO // 500)])
    assert got.chosen.offer == "cheap"
    assert got.runner_up.offer == "alpha"
    assert got.runner_up.price.per_hour == EURO // 100 + EURO // 1000
    assert [(x.meter, x.quantity, x.per) for x in got.runner_up.price.lines] == [
        ("cpu-hour", 1000, 1000), ("memory-gib-hour", 1024, 1024),
    ]  # fmt: skip
    assert [(x.meter, x.sku, x.quantity) for x in got.chosen.price.lines] == [
        ("instance-hour", "small", 1000)
    ]


def test_a_gang_needs_room_for_all_of_it():
    assert decide(ask(tasks=8), [pool()]).chosen.price.per_hour == 8 * 11 * EURO // 1000
    got = decide(ask(tasks=8), [Row(offer=pool(), used=Used(millicores=1500))])
    assert got.chosen is None
    assert got.nearest[0].failures[0].words == "1.5 more cores would have to be free"
    got = decide(ask(tasks=11), [instance()])
    assert got.nearest[0].failures[0].words == "1 more instances would have to be free"


def test_the_ledger_charges_what_was_shown():
    wanted = ask(millicores=1500, memory=3 * GIB, gpus=1, tasks=2)
    price = decide(wanted, [pool()]).chosen.price
    assert cost(charges(price, 1), 3600) == price.per_hour == 2 * (15 + 3 + 2000) * EURO // 1000


def test_unknown_is_never_zero():
    unpriced = decide(ask(), [instance(price=None)])
    assert unpriced.refused == {"price-unknown": 1}
    assert unpriced.nearest[0].per_hour is None
    nowhere = compiled(PolicySpec(forbidden=["US"]))
    assert decide(ask(), [instance(jurisdiction="")], nowhere).refused == {
        "jurisdiction-unknown": 1
    }
    assert decide(ask(), [instance(memory=None)]).refused == {"shape": 1}
    assert decide(ask(memory=0), [instance(memory=None)]).chosen is not None
    stock = (GpuStock(model="H100", memory=None, count=2, price=None),)
    assert decide(ask(gpus=1), [pool(gpus=stock)]).refused == {"price-unknown": 1}
    assert decide(ask(), [pool(gpus=stock)]).chosen is not None
    operators = compiled(PolicySpec(operators=["lab"]))
    assert decide(ask(), [instance(operator="")], operators).refused == {"operator": 1}


def test_spot_is_taken_only_if_allowed():
    offers = [instance(spot_price=EURO // 50)]
    assert not decide(ask(), offers).chosen.spot
    got = decide(ask(spot=True), offers)
    assert got.chosen.spot
    assert got.chosen.price.per_hour == EURO // 50


def test_latency_and_company_break_ties_and_can_be_worth_money():
    far, near = instance("a", latency=90), instance("b", latency=10)
    assert decide(ask(), [far, near]).chosen.offer == "b"
    dear = instance("b", latency=10, price=EURO // 5)
    assert decide(ask(), [far, dear]).chosen.offer == "a"
    assert decide(ask(latency_worth=EURO // 100), [far, dear]).chosen.offer == "b"
    one, two = pool("one", core_price=EURO // 100), pool("two", core_price=EURO // 90)
    assert decide(ask(spread_from=("one",)), [one, two]).chosen.offer == "one"
    apart = ask(spread_from=("one", "one"), spread_worth=EURO // 100)
    assert decide(apart, [one, two]).chosen.offer == "two"


def test_volumes_hold_the_work_where_they_are():
    offers = [pool("one"), pool("two")]
    assert decide(ask(volume_sites=("two", "two")), offers).chosen.offer == "two"
    assert decide(ask(volume_sites=("one", "two")), offers).refused == {"volumes": 2}


def test_space_for_a_volume_is_sold_by_the_month():
    volume = ask(millicores=0, memory=0, storage=72 * GIB)
    got = decide(volume, [pool(storage_price=EURO // 20)])
    assert got.chosen.price.per_hour == 72 * (EURO // 20) // 720
    [line] = got.chosen.price.lines
    assert (line.meter, line.quantity) == ("storage-gib-month", 72 << 10)
    [charge] = charges(got.chosen.price, 1)
    assert (charge.rate, charge.per) == (72 << 10, meter("storage-gib-month").per)


def test_what_has_no_price_for_volumes_keeps_none():
    volume = ask(millicores=0, memory=0, storage=GIB)
    got = decide(volume, [pool(storage_price=None), instance()])
    assert got.refused == {"price-unknown": 2}
    assert {n.failures[0].words for n in got.nearest} == {"it keeps no volumes"}
    assert decide(ask(), [pool(storage_price=None)]).chosen is not None
    free = decide(volume, [pool(storage_price=0)])
    assert free.chosen.price.per_hour == 0


def test_volumes_take_of_the_disk():
    volume = ask(millicores=0, memory=0, storage=60 * GIB)
    full = Row(offer=pool(disk=100 * GIB), used=Used(disk=50 * GIB))
    got = match(volume, Snapshot.of([full]), Policy(), NOW)
    assert got.refused == {"capacity": 1}
    assert got.nearest[0].failures[0].words == "10 GiB more disk would have to be free"
    assert decide(ask(disk=50 * GIB, storage=60 * GIB), [pool()]).refused == {"shape": 1}


def test_a_host_of_a_site_is_a_place_of_its_own():
    hosts = [pool(f"home.{name}", site="home", host=name) for name in ("one", "two")]
    offers = [pool("home"), pool("away"), *hosts]
    place = decide(ask(sites=("home/two",)), offers).chosen.place
    assert (place.site, place.host, place.at) == ("home", "two", "home/two")
    assert decide(ask(sites=("home",)), offers).eligible == 3
    assert decide(ask(volume_sites=("home/one",)), offers).chosen.offer == "home.one"
    held = decide(ask(volume_sites=("home",)), offers)
    assert (held.chosen.offer, held.refused) == ("home", {"volumes": 3})
    beside = ask(sites=("home",), spread_from=("home", "home/one"), spread_worth=EURO // 100)
    assert decide(beside, offers).chosen.offer == "home.two"
    refused = decide(ask(sites=("elsewhere",)), hosts[:1]).nearest[0].failures[0]
    assert refused.words == "asked for site elsewhere, this offer is in home/one"


def test_the_weakest_isolation_that_is_strong_enough_is_used():
    both = pool(isolations=("process", "sandbox", "vm"))
    assert decide(ask(), [both]).chosen.isolation == "sandbox"
    assert decide(ask(), [both], compiled(PolicySpec(isolation="vm"))).chosen.isolation == "vm"


def test_many_equals_do_not_hide_the_order():
    offers = [instance(f"i{n}", price=5) for n in range(5000)]
    got = decide(ask(), offers)
    first = sorted(offers, key=lambda o: line_key(o.id, ""))
    assert [got.chosen.offer, got.runner_up.offer] == [first[0].id, first[1].id]
    got = decide(ask(price_ceiling=4), offers)
    assert [n.offer for n in got.nearest] == [o.id for o in first[:10]]


def test_the_nearest_of_many_groups_are_the_cheapest():
    offers = [instance(f"i{n}", instance_type=f"t{n}", jurisdiction="US", price=n % 3000)
              for n in range(6000)]  # fmt: skip
    got = decide(ask(), offers, compiled(PolicySpec(jurisdictions=["EU"])))
    assert [n.per_hour for n in got.nearest] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_an_expired_offer_is_refused_in_words():
    got = decide(ask(), [instance(valid_until=NOW)])
    assert [f.words for f in got.nearest[0].failures] == ["the offer is no longer valid"]


def test_refusals_say_what_would_have_to_change():
    wanted = ask(memory=18 * GIB, gpus=1, gpu_models=("A100",), price_ceiling=EURO // 10)
    policy = compiled(
        PolicySpec(jurisdictions=["EU"], operators=["lab"], trust_tier=3, evidence="host")
    )
    got = decide(wanted, [instance(jurisdiction="US", price=EURO // 4, gpu_model="T4")], policy)
    assert [(f.reason, f.words) for f in got.nearest[0].failures] == [
        ("gpu-model", "asked for A100; this offer has T4"),
        ("jurisdiction", "policy: only in EU; this offer is in US"),
        ("trust-tier", "policy demands trust tier 3 (proven for 90 days); this operator has 1 "
                       "(identified)"),
        ("evidence", "policy demands facts attested by host; these are declared"),
        ("shape", "the instance is too small: 2 GiB more memory, 1 more GPU"),
        ("operator", "policy: only run by lab; the operator is us-corp"),
        ("price-ceiling", "costs 0.25 EUR an hour; the ceiling would have to be 0.15 EUR an hour "
                          "higher"),
    ]  # fmt: skip


def test_every_reason_has_a_summary():
    assert set(SUMMARY) == set(Reason)
