"""Lines of a snapshot read out of their columns: as terms, or with all that stands against them."""

from datetime import datetime

import msgspec

from skerry.market.agreed import price_of
from skerry.market.ask import EVIDENCE, LEVELS, Ask
from skerry.market.columns import NEVER, Tables, isolations_of
from skerry.market.decision import Choice, Failure, Near, Place, Share
from skerry.market.failures import Facts, Values, failure
from skerry.market.gang import Gang
from skerry.market.groups import accepted_isolations
from skerry.market.nearest import Spot
from skerry.market.policy import Policy
from skerry.market.prices import CORE, GPU, INSTANCE, MEMORY, MONTH, STORAGE, breakdown, mebibytes
from skerry.market.reasons import reasons_in


def facts_of(spot: Spot, tables: Tables) -> Facts:
    """Read a line."""
    values = Values(spot.view.segment.columns, spot.line)
    group, names = tables.groups.list[values["group"]], tables.names.list
    at, pool = names[values["at"]], spot.view.segment.divisible
    place = Place(
        operator=names[values["operator"]],
        site=names[values["site"]],
        host=at.removeprefix(names[values["site"]]).removeprefix("/"),
        node=names[values["node"]].removeprefix(at).removeprefix("/") if pool else "",
        rack=names[values["rack"]] if pool else "",
        link=names[values["link"]] if pool else "",
        region=names[group.region],
        zone=names[values["zone"]],
        jurisdiction=names[group.jurisdiction],
        tier=group.tier,
        evidence=EVIDENCE[group.evidence],
    )
    return Facts(
        tables.offers.list[values["offer"]],
        values,
        group,
        names[group.gpu],
        isolations_of(group.isolations),
        names[group.currency],
        names[group.instance_type],
        place,
        names[group.mark],
        names[group.closed],
        names[values["out"]] if pool else "",
    )


def choice_of(spot: Spot, score: int, ask: Ask, policy: Policy, tables: Tables) -> Choice:
    """The terms of an eligible line."""
    facts = facts_of(spot, tables)
    v, spots = facts.values, ask.spot or bool(facts.group.spot)
    if facts.group.divisible:
        listed = [
            (CORE, "", ask.millicores, 1000, v["core_price"]),
            (MEMORY, "", mebibytes(ask.memory), 1024, v["memory_price"]),
            (GPU, facts.gpu, 1000 * ask.gpus, 1000, v["gpu_price"]),
            (STORAGE, "", mebibytes(ask.storage), 1024 * MONTH, v["storage_price"]),
        ]
        version = facts.group.price_version
        parts = [
            (meter, sku, quantity, per, price_of(ask, meter, sku, price, version))
            for meter, sku, quantity, per, price in listed
        ]
    else:
        spots = ask.spot and v["spot"] < v["price"]
        parts = [(INSTANCE, facts.instance_type, 1000, 1000, v["spot"] if spots else v["price"])]
    strong = isolations_of(facts.group.isolations & accepted_isolations(ask, policy))
    return Choice(
        offer=facts.offer,
        version=v["version"],
        place=facts.place,
        isolation=strong[0],
        gpu_model=facts.gpu if ask.gpus else "",
        spot=spots,
        price=breakdown(ask.currency, ask.tasks, parts),
        price_version=facts.group.price_version,
        notice=facts.group.notice,
        score=score,
    )


def spread_choice(gang: Gang, ask: Ask, policy: Policy, tables: Tables) -> Choice:
    """The terms of a gang: those of its first share, since all have the same price."""
    shares = []
    for spot, tasks in gang.parts:
        facts = facts_of(spot, tables)
        shares.append(
            Share(
                offer=facts.offer,
                version=facts.values["version"],
                node=facts.place.node,
                tasks=tasks,
            )
        )
    first = choice_of(gang.parts[0][0], gang.score, ask, policy, tables)
    level = LEVELS[gang.level]
    nowhere = dict.fromkeys(_NARROWER[level], "")
    return msgspec.structs.replace(
        first,
        place=msgspec.structs.replace(first.place, **nowhere),
        shares=tuple(shares),
        level=level,
        domain=gang.domain,
    )


_NARROWER = {
    "link": ("node",),
    "rack": ("node", "link"),
    "zone": ("node", "link", "rack"),
    "site": ("node", "link", "rack", "zone"),
}
"""What of a place is not true of all shares."""


def near_of(spot: Spot, ask: Ask, policy: Policy, tables: Tables, now: datetime) -> Near:
    """A refused line, with all that stands against it."""
    facts = facts_of(spot, tables)
    per_hour = None if spot.price == NEVER else spot.price * ask.tasks
    return Near(
        offer=facts.offer,
        version=facts.values["version"],
        place=facts.place,
        per_hour=per_hour,
        failures=tuple(
            Failure(reason=r.slug, words=failure(r, facts, per_hour, ask, policy, now))
            for r in reasons_in(spot.failed)
        ),
    )
