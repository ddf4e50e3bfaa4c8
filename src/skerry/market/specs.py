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

    model: Annotated[str, Meta(min_length=1, max_length=64)]
    memory: Annotated[Amount | None, Meta(description="Bytes on each; unknown if left out")] = None
    count: Annotated[int, Meta(ge=0, le=1024)]
    price: Annotated[Money | None, Meta(description="For one, for an hour")] = None


class PoolOffer(Spec, kw_only=True):
    """Sold by amount."""

    millicores: Annotated[int, Meta(ge=0, le=1 << 30, description="Thousandths of a core")]
    memory: Annotated[Amount, Meta(description="Bytes")]
    disk: Annotated[Amount, Meta(description="Bytes")] = 0
    gpus: Annotated[list[GpuOffer], Meta(max_length=15)] = []
    core_price: Annotated[Money | None, Meta(description="For one core, for an hour")] = None
    memory_price: Annotated[Money | None, Meta(description="For one GiB, for an hour")] = None


class InstanceOffer(Spec, kw_only=True):
    """Sold in whole instances of one type. What is left out is unknown."""

    instance_type: Annotated[str, Meta(min_length=1, max_length=128)]
    count: Annotated[int, Meta(ge=0, le=1 << 30)]
    millicores: Annotated[Cores | None, Meta(description="Thousandths of a core")] = None
    memory: Annotated[Bytes | None, Meta(description="Bytes")] = None
    disk: Annotated[Bytes | None, Meta(description="Bytes")] = None
    gpus: Gpus | None = None
    gpu_model: Annotated[str, Meta(max_length=64)] = ""
    gpu_memory: Annotated[Bytes | None, Meta(description="Bytes on each")] = None
    price: Annotated[Money | None, Meta(description="For one, for an hour")] = None
    spot_price: Annotated[
        Money | None, Meta(description="While it may be taken back at any time")
    ] = None


class OfferSpec(Spec, kw_only=True):
    """Capacity on sale at one place: a pool, or instances."""

    pool: PoolOffer | None = None
    instances: InstanceOffer | None = None
    operator: Annotated[str, Meta(max_length=64, description="Who runs it")] = ""
    seller: Annotated[str, Meta(max_length=64, description="Who is paid, if not the operator")] = ""
    site: Annotated[str, Meta(max_length=128)] = ""
    region: Annotated[str, Meta(max_length=64)] = ""
    zone: Annotated[str, Meta(max_length=64)] = ""
    jurisdiction: Annotated[
        str,
        Meta(pattern="^([A-Z]{2})?$", description="ISO 3166-1 alpha-2; unknown if left out"),
    ] = ""
    trust_tier: Annotated[int, Meta(ge=0, le=4)] = 0
    evidence: Annotated[Evidence, Meta(description="Who vouches for these facts")] = "declared"
    isolations: Annotated[
        list[Isolation], Meta(max_length=3, description="By default only sandbox")
    ] = msgspec.field(default_factory=lambda: ["sandbox"])
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    price_version: Annotated[int, Meta(ge=0, description="Of this cloud's price list")] = 0
    valid_until: Instant | None = None
    latency: Annotated[Milliseconds | None, Meta(description="Milliseconds")] = None
    notice: Annotated[
        int, Meta(ge=0, le=31 * 86400, description="Seconds of warning before it is taken back")
    ] = 0
    suspended: Annotated[bool, Meta(description="Not sold for now")] = False


class OfferStatus(Status, kw_only=True):
    """What of it is free now."""

    free: dict[str, Any] = {}
    version: int = 0


class Lines(Status, kw_only=True):
    """One part of a price."""

    meter: str
    sku: str = ""
    quantity: int
    per: int
    unit_price_nano: int
    amount_nano: int


class PlaceStatus(Status, kw_only=True):
    """Where it is, and on whose word."""

    offer: str
    operator: str = ""
    site: str = ""
    region: str = ""
    zone: str = ""
    jurisdiction: str = ""
    trust_tier: int = 0
    evidence: Evidence = "declared"
    isolation: Isolation = "sandbox"
    gpu_model: str = ""
    spot: bool = False


class NearStatus(Status, kw_only=True):
    """A refused offer that came near, and what stands against it."""

    offer: str
    jurisdiction: str = ""
    price_per_hour_nano: int | None = None
    why: list[str]


class LeaseSpec(Spec, kw_only=True):
    """Frozen terms."""

    subject: Annotated[str, Meta(description="What it is for")]
    decision: uuid.UUID
    place: PlaceStatus
    currency: str
    price_per_hour_nano: int
    lines: list[Lines]
    price_version: int = 0
    notice_seconds: int = 0
    policies: Annotated[list[str], Meta(description="Versions of the policies it was made under")]


class LeaseStatus(Status, kw_only=True):
    phase: str = "active"
    reason: Annotated[str, Meta(description="Why it was closed")] = ""
    started_at: datetime | None = None
    drains_until: datetime | None = None
    ended_at: datetime | None = None
    cost_nano: Annotated[int | None, Meta(description="Charged so far")] = None


class QuoteSpec(Spec, kw_only=True):
    """What is to be quoted: a resource as one would put it."""

    kind: Annotated[str, Meta(min_length=1, max_length=64, description="Its noun, such as job")]
    spec: Annotated[dict[str, Any], Meta(description="Its spec")] = {}


class QuoteStatus(Status, kw_only=True):
    phase: Annotated[str, Meta(description="offered, refused, expired or accepted")] = ""
    decision: uuid.UUID | None = None
    place: PlaceStatus | None = None
    currency: str = ""
    price_per_hour_nano: int | None = None
    lines: list[Lines] = []
    most_nano: Annotated[
        int | None, Meta(description="The most it can cost in all, if it has a time limit")
    ] = None
    valid_until: datetime | None = None
    policy: Annotated[str, Meta(description="What the policies allow, in words")] = ""
    message: Annotated[str, Meta(description="Why nothing was offered")] = ""
    hint: str = ""
    considered: int = 0
    refused: Annotated[dict[str, int], Meta(description="Refused offers by reason")] = {}
    nearest: list[NearStatus] = []
    created: Annotated[str, Meta(description="Ref of what it was accepted as")] = ""


class Accept(Spec, kw_only=True):
    """Create what was quoted, at the quoted price."""

    name: Annotated[str, Meta(min_length=1, max_length=128, description="Name of the new resource")]
    secrets: Annotated[
        dict[str, Any], Meta(description="Secret fields of its spec; a quote holds none")
    ] = {}
    labels: dict[str, str] = {}


def place_of(choice: Choice) -> PlaceStatus:
    p = choice.place
    return PlaceStatus(
        offer=choice.offer,
        operator=p.operator,
        site=p.site,
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
            GpuStock(model=g.model, memory=g.memory, count=g.count, price=_nano(g.price))
            for g in pool.gpus
        ),
        core_price=_nano(pool.core_price),
        memory_price=_nano(pool.memory_price),
    )


def _instances(given: InstanceOffer | None) -> Fixed:
    assert given is not None
    fields = {name: getattr(given, name) for name in given.__struct_fields__}
    return Fixed(**fields | {"price": _nano(given.price), "spot_price": _nano(given.spot_price)})


def builtins(value: Any) -> dict[str, Any]:
    """A spec as it stands in a document."""
    return msgspec.to_builtins(value)  # type: ignore[no-any-return]
