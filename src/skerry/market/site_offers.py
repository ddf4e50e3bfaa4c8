"""Offers of this cloud's own sites: made from what a place has and from the price list.

A place is a site, or a host that joined one (``site/host``). Who watches them calls ``sync_offers``
when one appears, when what it has changes and when a price list comes into force, and
``suspend_offers`` while it is out of sight: nothing new is placed there then, and what is leased
there stays leased.
"""

import hashlib
from collections.abc import Mapping, Sequence

from skerry.kernel.hooks import SYSTEM
from skerry.kernel.many import put_all
from skerry.kernel.paths import NAME_LIMIT, Path
from skerry.kernel.resources import Resource, Resources
from skerry.ledger import money
from skerry.ledger.prices import PriceList
from skerry.market.ask import Evidence, Fact, Isolation
from skerry.market.prices import CORE, GPU, MEMORY, STORAGE
from skerry.market.specs import GpuOffer, OfferSpec, PoolOffer, builtins
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.market", "site_offers.sql")

MADE_FOR = "skerry.market/site"
"""The annotation of an offer that is made here: the place that it is of."""


_FEW = 4
"""So many are put one by one."""


class Devices(Fact, frozen=True, kw_only=True):
    """GPUs of one sort."""

    model: str
    """With the profile of a slice behind it, or ``shared``: the name that the price list has."""
    mark: str = ""
    """What of it says that they are parts of devices."""
    memory: int | None
    count: int
    uuids: tuple[str, ...] = ()
    """Of each, where the place can give those that are named."""
    out: str = ""
    """Which others of them are not sold, and why."""


class Pool(Fact, frozen=True, kw_only=True):
    """What one machine has for us in all; not what is free of it."""

    name: str = ""
    """Of a node: unique at the place; empty for its only machine, or what is no machine of it."""
    zone: str = ""
    """Empty: the place's."""
    rack: str = ""
    link: str = ""
    spot: bool = False
    closed: str = ""
    millicores: int
    memory: int
    disk: int = 0
    volumes: bool = False
    """Whether it keeps volumes."""
    gpus: tuple[Devices, ...] = ()

    @property
    def models(self) -> list[Devices]:
        """One entry for each model; of one that comes in several sizes, the smallest counts."""
        found: dict[str, Devices] = {}
        for gpu in self.gpus:
            other = found.get(gpu.model)
            known = other is None or None not in (other.memory, gpu.memory)
            sizes = [d.memory for d in (other, gpu) if d is not None and d.memory is not None]
            found[gpu.model] = Devices(
                model=gpu.model,
                mark=gpu.mark,
                memory=min(sizes) if known and sizes else None,
                count=gpu.count + (other.count if other else 0),
                uuids=(other.uuids if other else ()) + gpu.uuids,
                out="; ".join(filter(None, (other.out if other else "", gpu.out))),
            )
        return list(found.values())


class SiteFacts(Fact, frozen=True, kw_only=True):
    """A place, as its operator declares it. Empty: unknown."""

    site: str
    host: str = ""
    """Of a host that joined the site."""
    operator: str = ""
    region: str = ""
    zone: str = ""
    jurisdiction: str = ""
    tier: int = 0
    evidence: Evidence = "declared"
    isolations: tuple[Isolation, ...] = ("sandbox",)
    latency: int | None = None

    @property
    def at(self) -> str:
        return f"{self.site}/{self.host}" if self.host else self.site


async def sync_offers(
    tx: Tx, resources: Resources, facts: SiteFacts, pools: Sequence[Pool], prices: PriceList
) -> None:
    """Let the place's offers be these pools at these prices. What is so already is not touched."""
    wanted = {
        shortened(".".join(filter(None, (facts.site, facts.host, pool.name)))): pool
        for pool in pools
    }
    known = {offer.name: offer for offer in await _offers(tx, resources, facts.at)}
    specs = {name: _spec(facts, wanted[name], prices) for name in sorted(wanted)}
    await _put(tx, resources, facts.at, specs, known)
    for name in sorted(known.keys() - wanted.keys()):
        await resources.delete(tx, known[name], SYSTEM)


async def suspend_offers(tx: Tx, resources: Resources, at: str) -> None:
    """Place nothing new there until the next ``sync_offers``."""
    known = {offer.name: offer for offer in await _offers(tx, resources, at)}
    specs = {name: {**offer.spec, "suspended": True} for name, offer in known.items()}
    await _put(tx, resources, at, specs, known)


async def withdraw_offers(tx: Tx, resources: Resources, at: str) -> None:
    """The place is gone for good."""
    for offer in await _offers(tx, resources, at):
        await resources.delete(tx, offer, SYSTEM)


async def leased_at(tx: Tx, at: str, most: int) -> list[str]:
    """The resources that lease something of the place, by their refs."""
    return [row["subject"] for row in await tx.fetch(_sql.leased_at, MADE_FOR, at, most)]


async def _offers(tx: Tx, resources: Resources, at: str) -> list[Resource]:
    rows = await tx.fetch(_sql.of_place, MADE_FOR, at)
    return [resources.locked(tx, row) for row in rows]


async def _put(
    tx: Tx,
    resources: Resources,
    at: str,
    specs: Mapping[str, dict[str, object]],
    known: Mapping[str, Resource],
) -> None:
    """Those that are another than is known."""
    bodies = {
        name: {"spec": spec, "annotations": {MADE_FOR: at}}
        for name, spec in specs.items()
        if name not in known or known[name].spec != spec
    }
    if not bodies:
        return
    kind = resources.registry["offer"]
    if len(bodies) < _FEW:
        for name, body in bodies.items():
            await resources.put(tx, kind, Path(name=name), body, SYSTEM)
    else:
        await put_all(resources, tx, kind, bodies, known, SYSTEM)


def shortened(name: str) -> str:
    """The same, or of one that is too long for a resource its beginning and its digest."""
    if len(name) <= NAME_LIMIT:
        return name
    return (
        f"{name[: NAME_LIMIT - 17].rstrip('.-')}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    )


def _spec(facts: SiteFacts, pool: Pool, prices: PriceList) -> dict[str, object]:
    def price(meter: str, sku: str = "") -> str | None:
        if pool.spot:
            sku = f"{sku} spot".lstrip()
        found = prices.price(meter, sku, region=facts.region, site=facts.site)
        return None if found is None else money.text(found.amount)

    return builtins(
        OfferSpec(
            pool=PoolOffer(
                millicores=pool.millicores,
                memory=pool.memory,
                disk=pool.disk,
                gpus=[
                    GpuOffer(
                        model=gpu.model, mark=gpu.mark, memory=gpu.memory, count=gpu.count,
                        price=price(GPU, gpu.model), devices=list(gpu.uuids), out=gpu.out,
                    )
                    for gpu in pool.models
                ],
                core_price=price(CORE),
                memory_price=price(MEMORY),
                storage_price=price(STORAGE) if pool.volumes else None,
            ),
            operator=facts.operator,
            site=facts.site,
            host=facts.host,
            node=pool.name,
            rack=pool.rack,
            link=pool.link,
            spot=pool.spot,
            closed=pool.closed,
            region=facts.region,
            zone=pool.zone or facts.zone,
            jurisdiction=facts.jurisdiction,
            trust_tier=facts.tier,
            evidence=facts.evidence,
            isolations=list(facts.isolations),
            currency=prices.currency,
            price_version=prices.version,
            latency=facts.latency,
        )
    )  # fmt: skip
