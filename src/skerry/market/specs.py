"""What the market's kinds say: specs and statuses.

Amounts of money in specs are decimal strings, as everywhere a person writes them; computed prices
are integers in nano (10^-9 of the currency unit) and named so.
"""

import uuid
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from skerry.kernel.kinds import Spec, Status
from skerry.ledger import money
from skerry.market.ask import Divisible, Evidence, Fixed, GpuStock, Isolation, Offer
from skerry.market.decision import Choice, Near

Money = Annotated[str, Meta(pattern=r"^[0-9]{1,7}(\.[0-9]{1,9})?$")]
Amount = Annotated[int, Meta(ge=0, le=1 << 50)]
Cores = Annotated[int, Meta(ge=0, le=1 << 20)]
Bytes = Annotated[int, Meta(ge=0, le=1 << 44)]
Gpus = Annotated[int, Meta(ge=0, le=1024)]
Milliseconds = Annotated[int, Meta(ge=0, le=60_000)]
Instant = Annotated[datetime, Meta(tz=True)]


class GpuOffer(Spec, kw_only=True):
    """Devices of one model in a pool."""

    model: Annotated[str, Meta(min_length=1, max_length=128, description="As its maker calls it")]
    mark: Annotated[
        str, Meta(max_length=64, description="Of parts of devices: what of the model says so")
    ] = ""
    memory: Annotated[Amount | None, Meta(description="Bytes on each; unknown if left out")] = None
    count: Annotated[int, Meta(ge=0, le=1024, description="How many there are")]
    price: Annotated[Money | None, Meta(description="For one, for an hour")] = None
    devices: Annotated[
        list[Annotated[str, Meta(max_length=128)]],
        Meta(max_length=1024, description="Their UUIDs, where they can be given by name"),
    ] = []
    out: Annotated[
        str, Meta(max_length=1000, description="Which are there but not sold, and why")
    ] = ""


class PoolOffer(Spec, kw_only=True):
    """Sold by amount."""

    millicores: Annotated[int, Meta(ge=0, le=1 << 30, description="Thousandths of a core")]
    memory: Annotated[Amount, Meta(description="Bytes")]
    disk: Annotated[Amount, Meta(description="Bytes")] = 0
    gpus: Annotated[list[GpuOffer], Meta(max_length=15, description="Devices, by model")] = []
    core_price: Annotated[Money | None, Meta(description="For one core, for an hour")] = None
    memory_price: Annotated[Money | None, Meta(description="For one GiB, for an hour")] = None
    storage_price: Annotated[
        Money | None,
        Meta(description="For one GiB of a volume, for 30 days; it keeps none if left out"),
    ] = None


class InstanceOffer(Spec, kw_only=True):
    """Sold in whole instances of one type. What is left out is unknown."""

    instance_type: Annotated[
        str, Meta(min_length=1, max_length=128, description="As its operator calls it")
    ]
    count: Annotated[int, Meta(ge=0, le=1 << 30, description="How many there are")]
    millicores: Annotated[Cores | None, Meta(description="Thousandths of a core")] = None
    memory: Annotated[Bytes | None, Meta(description="Bytes")] = None
    disk: Annotated[Bytes | None, Meta(description="Bytes")] = None
    gpus: Annotated[Gpus | None, Meta(description="In each")] = None
    gpu_model: Annotated[str, Meta(max_length=64, description="Their model")] = ""
    gpu_memory: Annotated[Bytes | None, Meta(description="Bytes on each")] = None
    price: Annotated[Money | None, Meta(description="For one, for an hour")] = None
    spot_price: Annotated[
        Money | None, Meta(description="While it may be taken back at any time")
    ] = None


class OfferSpec(Spec, kw_only=True):
    """Capacity on sale at one place: a pool, or instances."""

    pool: Annotated[PoolOffer | None, Meta(description="Capacity sold by amount")] = None
    instances: Annotated[
        InstanceOffer | None, Meta(description="Capacity sold in whole instances")
    ] = None
    operator: Annotated[str, Meta(max_length=64, description="Who runs it")] = ""
    seller: Annotated[str, Meta(max_length=64, description="Who is paid, if not the operator")] = ""
    site: Annotated[str, Meta(max_length=128, description="The site whose capacity it is")] = ""
    host: Annotated[
        str, Meta(max_length=64, description="Of a site with several hosts: which one")
    ] = ""
    node: Annotated[
        str, Meta(max_length=256, description="Of a place with several machines: which one")
    ] = ""
    rack: Annotated[str, Meta(max_length=256, description="The rack the node is in")] = ""
    link: Annotated[str, Meta(max_length=256, description="The NVLink domain it is in")] = ""
    spot: Annotated[bool, Meta(description="Whether it may be taken back at any time")] = False
    closed: Annotated[
        str, Meta(max_length=1000, description="Why nothing new is placed there; open if left out")
    ] = ""
    region: Annotated[str, Meta(max_length=64, description="Where it is: the region")] = ""
    zone: Annotated[str, Meta(max_length=256, description="Where it is: the zone")] = ""
    jurisdiction: Annotated[
        str,
        Meta(pattern="^([A-Z]{2})?$", description="ISO 3166-1 alpha-2; unknown if left out"),
    ] = ""
    trust_tier: Annotated[
        int, Meta(ge=0, le=4, description="How far its operator is trusted, from 0 to 4")
    ] = 0
    evidence: Annotated[Evidence, Meta(description="Who vouches for these facts")] = "declared"
    isolations: Annotated[
        list[Isolation], Meta(max_length=3, description="By default only sandbox")
    ] = msgspec.field(default_factory=lambda: ["sandbox"])
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="Of all its prices, ISO 4217")]
    price_version: Annotated[int, Meta(ge=0, description="Of this cloud's price list")] = 0
    valid_until: Annotated[Instant | None, Meta(description="When it ends; never if left out")] = (
        None
    )
    latency: Annotated[Milliseconds | None, Meta(description="Milliseconds")] = None
    notice: Annotated[
        int, Meta(ge=0, le=31 * 86400, description="Seconds of warning before it is taken back")
    ] = 0
    suspended: Annotated[bool, Meta(description="Not sold for now")] = False


class OfferStatus(Status, kw_only=True):
    """What of it is free now."""

    free: Annotated[dict[str, Any], Meta(description="What nobody has leased")] = {}
    version: Annotated[int, Meta(description="Grows with each change of what is free")] = 0


class Lines(Status, kw_only=True):
    """One part of a price."""

    meter: Annotated[str, Meta(description="What is counted")]
    sku: Annotated[
        str, Meta(description="The variant of it that has this price, such as a GPU model")
    ] = ""
    quantity: Annotated[int, Meta(description="For all copies: thousandths of the thing, or MiB")]
    per: Annotated[int, Meta(description="How much of the quantity the unit price is for")]
    unit_price_nano: Annotated[int, Meta(description="Price of that for an hour, in nano")]
    amount_nano: Annotated[int, Meta(description="Price of this part for an hour, in nano")]


class PlaceStatus(Status, kw_only=True):
    """Where it is, and on whose word."""

    offer: Annotated[str, Meta(description="The offer that was taken")]
    operator: Annotated[str, Meta(description="Who runs it")] = ""
    site: Annotated[str, Meta(description="The site")] = ""
    host: Annotated[str, Meta(description="Of a site with several hosts: which one")] = ""
    node: Annotated[str, Meta(description="The machine, of a place with several")] = ""
    rack: Annotated[str, Meta(description="The rack it is in")] = ""
    link: Annotated[str, Meta(description="The NVLink domain it is in")] = ""
    near: Annotated[
        str, Meta(description="Of several machines: what they share, such as rack r7")
    ] = ""
    region: Annotated[str, Meta(description="The region")] = ""
    zone: Annotated[str, Meta(description="The zone")] = ""
    jurisdiction: Annotated[str, Meta(description="Whose law holds there, ISO 3166-1 alpha-2")] = ""
    trust_tier: Annotated[int, Meta(description="How far its operator is trusted, from 0 to 4")] = 0
    evidence: Annotated[Evidence, Meta(description="Who vouches for these facts")] = "declared"
    isolation: Annotated[Isolation, Meta(description="What separates it from others")] = "sandbox"
    gpu_model: Annotated[str, Meta(description="Model of its devices")] = ""
    spot: Annotated[bool, Meta(description="Whether it may be taken back at any time")] = False


class NearStatus(Status, kw_only=True):
    """A refused offer that came near, and what stands against it."""

    offer: Annotated[str, Meta(description="The offer")]
    jurisdiction: Annotated[str, Meta(description="Whose law holds there")] = ""
    price_per_hour_nano: Annotated[int | None, Meta(description="Its price, in nano")] = None
    why: Annotated[list[str], Meta(description="What stands against it")]


class ShareStatus(Status, kw_only=True):
    """What is taken of one machine."""

    offer: Annotated[str, Meta(description="Its offer")]
    node: Annotated[str, Meta(description="The machine, of a place with several")] = ""
    copies: Annotated[int, Meta(description="How many copies are there, the lowest ranks first")]
    devices: Annotated[list[str], Meta(description="UUIDs of the devices, rank by rank")] = []


class LeaseSpec(Spec, kw_only=True):
    """Frozen terms."""

    subject: Annotated[str, Meta(description="What it is for")]
    decision: Annotated[uuid.UUID, Meta(description="Id of the decision that placed it")]
    place: Annotated[PlaceStatus, Meta(description="Where it is")]
    currency: Annotated[str, Meta(description="Of its price, ISO 4217")]
    price_per_hour_nano: Annotated[int, Meta(description="Price of an hour, in nano")]
    lines: Annotated[list[Lines], Meta(description="What the price is made of")]
    price_version: Annotated[
        int, Meta(description="Version of the price list it was made under")
    ] = 0
    notice_seconds: Annotated[int, Meta(description="Warning before it is taken back")] = 0
    policies: Annotated[list[str], Meta(description="Versions of the policies it was made under")]
    shares: Annotated[
        list[ShareStatus], Meta(description="Machine by machine, and device by device")
    ] = []


class LeaseStatus(Status, kw_only=True):
    phase: Annotated[str, Meta(description="reserved, active, draining or closed")] = "active"
    reason: Annotated[str, Meta(description="Why it was closed")] = ""
    started_at: Annotated[datetime | None, Meta(description="When its meters started")] = None
    drains_until: Annotated[datetime | None, Meta(description="When it is taken back")] = None
    ended_at: Annotated[datetime | None, Meta(description="When its meters ended")] = None
    cost_nano: Annotated[int | None, Meta(description="Charged so far")] = None


class QuoteSpec(Spec, kw_only=True):
    """What is to be quoted: a resource as one would put it."""

    kind: Annotated[str, Meta(min_length=1, max_length=64, description="Its noun, such as job")]
    spec: Annotated[dict[str, Any], Meta(description="Its spec")] = {}


class QuoteStatus(Status, kw_only=True):
    phase: Annotated[str, Meta(description="offered, refused, expired or accepted")] = ""
    decision: Annotated[uuid.UUID | None, Meta(description="Id of the decision behind it")] = None
    place: Annotated[PlaceStatus | None, Meta(description="Where it would run")] = None
    currency: Annotated[str, Meta(description="Of its price, ISO 4217")] = ""
    price_per_hour_nano: Annotated[int | None, Meta(description="Price of an hour, in nano")] = None
    lines: Annotated[list[Lines], Meta(description="What the price is made of")] = []
    most_nano: Annotated[
        int | None, Meta(description="The most it can cost in all, if it has a time limit")
    ] = None
    valid_until: Annotated[datetime | None, Meta(description="Until when it can be accepted")] = (
        None
    )
    policy: Annotated[str, Meta(description="What the policies allow, in words")] = ""
    agreed: Annotated[
        list[str], Meta(description="What is agreed with the tenant and holds now, in words")
    ] = []
    message: Annotated[str, Meta(description="Why nothing was offered")] = ""
    hint: Annotated[str, Meta(description="What to do about a refusal")] = ""
    considered: Annotated[int, Meta(description="How many offers were looked at")] = 0
    refused: Annotated[dict[str, int], Meta(description="Refused offers by reason")] = {}
    nearest: Annotated[
        list[NearStatus], Meta(description="The refused offers that came nearest")
    ] = []
    created: Annotated[str, Meta(description="Ref of what it was accepted as")] = ""


class Accept(Spec, kw_only=True):
    """Create what was quoted, at the quoted price."""

    name: Annotated[str, Meta(min_length=1, max_length=128, description="Name of the new resource")]
    secrets: Annotated[
        dict[str, Any], Meta(description="Secret fields of its spec; a quote holds none")
    ] = {}
    labels: Annotated[dict[str, str], Meta(description="Its labels")] = {}


def place_of(choice: Choice) -> PlaceStatus:
    p = choice.place
    return PlaceStatus(
        offer=choice.offer,
        operator=p.operator,
        site=p.site,
        host=p.host,
        node=p.node,
        rack=p.rack,
        link=p.link,
        near=f"{choice.level} {choice.domain}" if choice.level else "",
        region=p.region,
        zone=p.zone,
        jurisdiction=p.jurisdiction,
        trust_tier=p.tier,
        evidence=p.evidence,
        isolation=choice.isolation,
        gpu_model=choice.gpu_model,
        spot=choice.spot,
    )


def lines_of(choice: Choice) -> list[Lines]:
    return [
        Lines(
            meter=line.meter,
            sku=line.sku,
            quantity=line.quantity,
            per=line.per,
            unit_price_nano=line.unit_price,
            amount_nano=line.amount,
        )
        for line in choice.price.lines
    ]


def near_status(near: Near) -> NearStatus:
    return NearStatus(
        offer=near.offer,
        jurisdiction=near.place.jurisdiction,
        price_per_hour_nano=near.per_hour,
        why=[failure.words for failure in near.failures],
    )


def offer_of(name: str, spec: OfferSpec) -> Offer:
    """The terms that a spec means. Raises ``ValueError`` unless it is one of pool and instances."""
    if (spec.pool is None) == (spec.instances is None):
        raise ValueError("an offer is either a pool or instances")
    supply = _pool(spec.pool) if spec.pool else _instances(spec.instances)
    return Offer(
        id=name,
        supply=supply,
        operator=spec.operator,
        seller=spec.seller,
        site=spec.site,
        host=spec.host,
        node=spec.node,
        rack=spec.rack,
        link=spec.link,
        spot=spec.spot,
        closed=spec.closed,
        region=spec.region,
        zone=spec.zone,
        jurisdiction=spec.jurisdiction,
        tier=spec.trust_tier,
        isolations=tuple(spec.isolations),
        evidence=spec.evidence,
        currency=spec.currency,
        price_version=spec.price_version,
        valid_until=spec.valid_until,
        latency=spec.latency,
        notice=spec.notice,
    )


def _nano(text: str | None) -> int | None:
    return None if text is None else money.parse(text)


def _pool(pool: PoolOffer) -> Divisible:
    return Divisible(
        millicores=pool.millicores,
        memory=pool.memory,
        disk=pool.disk,
        gpus=tuple(
            GpuStock(
                model=g.model,
                mark=g.mark,
                memory=g.memory,
                count=g.count,
                price=_nano(g.price),
                devices=tuple(g.devices),
                out=g.out,
            )
            for g in pool.gpus
        ),
        core_price=_nano(pool.core_price),
        memory_price=_nano(pool.memory_price),
        storage_price=_nano(pool.storage_price),
    )


def _instances(given: InstanceOffer | None) -> Fixed:
    assert given is not None
    fields = {name: getattr(given, name) for name in given.__struct_fields__}
    return Fixed(**fields | {"price": _nano(given.price), "spot_price": _nano(given.spot_price)})


def builtins(value: Any) -> dict[str, Any]:
    """A spec as it stands in a document."""
    return msgspec.to_builtins(value)  # type: ignore[no-any-return]
