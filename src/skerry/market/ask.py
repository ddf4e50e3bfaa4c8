"""What is asked for and what is offered: the two sides that ``match`` brings together.

Amounts are integers: thousandths of a core, bytes, 10^-9 of the currency unit ("nano") per hour.
``None`` or an empty string is *unknown*: no price is not a price of zero, no country is no country
in particular, and whatever needs the missing fact is refused for its want.

An offer sells either by amount (``Divisible``: a host or a cluster of ours, whose cores, memory and
devices go out in any portion) or in whole pieces (``Fixed``: an instance type of another cloud).
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

GIB = 1 << 30
MIB = 1 << 20

Isolation = Literal["process", "sandbox", "vm"]
ISOLATIONS: tuple[Isolation, ...] = ("process", "sandbox", "vm")
"""From the weakest to the strongest; asking for one accepts the stronger ones."""

Evidence = Literal["declared", "host", "hardware"]
EVIDENCE: tuple[Evidence, ...] = ("declared", "host", "hardware")
"""Who vouches for an offer's facts: its operator, the host's agent, or hardware attestation."""

# The limits keep every product of an amount and a price within 64 bits; see ``match.MOST``.
Millicores = Annotated[int, Meta(ge=0, le=1 << 20)]
Bytes = Annotated[int, Meta(ge=0, le=1 << 44)]
Gpus = Annotated[int, Meta(ge=0, le=1 << 10)]
Tasks = Annotated[int, Meta(ge=1, le=1 << 14)]
UnitPrice = Annotated[int, Meta(ge=0, le=1 << 38)]
"""Nano per hour for one core or GiB: at most 274 currency units."""
Price = Annotated[int, Meta(ge=0, le=1 << 50)]
"""Nano per hour for a device or a whole instance: at most 1.1 million currency units."""
Total = Annotated[int, Meta(ge=0, le=1 << 53)]
Currency = Annotated[str, Meta(pattern="^([A-Z]{3})?$")]


class Fact(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    """Base of what is written down for good: unchangeable, camelCase, without what is default."""


class Agreed(Fact, frozen=True, kw_only=True):
    """A price agreed with the tenant, instead of the list's."""

    meter: str
    sku: str = ""
    """Which sort of it; empty: every one."""
    price: Price
    """Nano for one unit of sale: a core-hour, a GiB-month."""


Topology = Literal["", "host", "link", "rack", "zone"]
LEVELS: tuple[str, ...] = ("host", "link", "rack", "zone", "site")
"""How near to each other tasks can be, the nearest first: on one machine, in one NVLink domain, in
one rack, in one zone, at one site."""


class Ask(Fact, frozen=True, kw_only=True):
    """What somebody needs. All ``tasks`` go to one offer, or to several nodes of one site where no
    offer holds them all; together or not at all."""

    millicores: Millicores
    """Per task, like memory, disk and GPUs."""
    memory: Bytes
    disk: Bytes = 0
    storage: Bytes = 0
    """Of a volume: space that outlives what mounts it, paid for by the month."""
    gpus: Gpus = 0
    gpu_models: tuple[str, ...] = ()
    """Any of these will do; empty: any model."""
    gpu_memory: Bytes = 0
    """At least this much on each device."""
    tasks: Tasks = 1
    isolation: Isolation = "sandbox"
    """This or stronger."""
    regions: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    """Any of these; empty: anywhere. ``site/host`` is one host or node of a site."""
    volume_sites: tuple[str, ...] = ()
    """At which sites, or hosts of sites, the volumes lie that it mounts: it must run at each of
    them, so at most one."""
    topology: Topology = ""
    """How near to each other its tasks should be; empty: as near as there is room."""
    topology_required: bool = False
    """Whether they must be that near. Otherwise a place that keeps to it goes before a cheaper one
    that does not."""
    price_ceiling: Total | None = None
    """Nano per hour for all tasks together; None: any price."""
    currency: Currency = ""
    """Empty: the one the tenant is billed in; the market fills it in."""
    agreed: tuple[Agreed, ...] = ()
    """Of those that fit, the last counts; the market fills it in."""
    duration: Annotated[int, Meta(ge=0, le=10 * 366 * 86400)] = 0
    """Seconds it may run at most, or 0 for no limit."""
    spot: bool = False
    """Whether supply that may be taken back at any time will do, at its price."""
    spot_permille: Annotated[int, Meta(ge=0, le=1000)] = 1000
    """Thousandths of our list's price that such supply costs; the market fills it in."""
    latency_worth: Annotated[int, Meta(ge=0, le=1 << 40)] = 1
    """What a millisecond nearer is worth, in nano per hour."""
    spread_from: Annotated[tuple[str, ...], Meta(max_length=1024)] = ()
    """Sites, or hosts of sites, that hold its siblings, once for each of them."""
    spread_worth: Annotated[int, Meta(ge=0, le=1 << 40)] = 1000
    """What it is worth not to sit beside a sibling, in nano per hour for each."""


class GpuStock(Fact, frozen=True, kw_only=True):
    """Devices of one sort: whole ones of a model, its slices of one profile, or turns on it."""

    model: str
    """With the profile behind it, or ``shared``, where it is not whole devices."""
    mark: Annotated[str, Meta(max_length=64)] = ""
    """What of ``model`` says that they are parts of devices; empty: they are whole."""
    memory: Bytes | None
    """Of each device."""
    count: Gpus
    price: Price | None = None
    """Nano per device and hour."""
    devices: Annotated[tuple[str, ...], Meta(max_length=1 << 10)] = ()
    """Their UUIDs, where the place can give exactly those that are named."""
    out: Annotated[str, Meta(max_length=1000)] = ""
    """Which of this model are not sold though they are there, and why, in words."""


class Divisible(Fact, frozen=True, kw_only=True, tag="divisible", tag_field="sold"):
    """A pool that is sold by amount."""

    millicores: Annotated[int, Meta(ge=0, le=1 << 30)]
    memory: Annotated[int, Meta(ge=0, le=1 << 50)]
    disk: Annotated[int, Meta(ge=0, le=1 << 50)] = 0
    gpus: tuple[GpuStock, ...] = ()
    core_price: UnitPrice | None = None
    """Nano per core and hour."""
    memory_price: UnitPrice | None = None
    """Nano per GiB and hour."""
    storage_price: UnitPrice | None = None
    """Nano per GiB of a volume and month of 30 days; None: it keeps no volumes. They take of
    ``disk``."""


class Fixed(Fact, frozen=True, kw_only=True, tag="fixed", tag_field="sold"):
    """Whole instances of one type; each task takes one."""

    instance_type: str
    count: Annotated[int, Meta(ge=0, le=1 << 30)]
    millicores: Millicores | None = None
    memory: Bytes | None = None
    disk: Bytes | None = None
    gpus: Gpus | None = None
    gpu_model: str = ""
    gpu_memory: Bytes | None = None
    price: Price | None = None
    """Nano per instance and hour."""
    spot_price: Price | None = None


class Offer(Fact, frozen=True, kw_only=True):
    """Terms on which somebody sells capacity at one place. What is free of it changes with every
    reservation and is kept beside it (``Used``)."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    supply: Divisible | Fixed
    operator: str = ""
    seller: str = ""
    """Who is paid, where that is not the operator."""
    site: str = ""
    host: str = ""
    """Of a site with several hosts: which one."""
    node: str = ""
    """Of a place with several machines under one driver: which one."""
    rack: str = ""
    link: str = ""
    """The NVLink domain that all devices of the node are in."""
    spot: bool = False
    """Whether it may be taken back at any time."""
    closed: Annotated[str, Meta(max_length=1000)] = ""
    """Why nothing new is placed there, in words; empty: it is open."""
    region: str = ""
    zone: str = ""
    jurisdiction: Annotated[str, Meta(pattern="^([A-Z]{2})?$")] = ""
    """ISO 3166-1 alpha-2 of the place's law; empty: unknown."""
    tier: Annotated[int, Meta(ge=0, le=4)] = 0
    """Trust tier; 0: nothing is known of the operator."""
    isolations: tuple[Isolation, ...] = ("sandbox",)
    evidence: Evidence = "declared"
    currency: Currency
    price_version: int = 0
    """Version of our price list that the prices are from; 0: the seller's own."""
    valid_until: datetime | None = None
    """None: until it is withdrawn."""
    latency: Annotated[int, Meta(ge=0, le=60_000)] | None = None
    """Milliseconds from the cloud's front door."""
    notice: Annotated[int, Meta(ge=0, le=31 * 86400)] = 0
    """Seconds of warning the seller owes before it takes a lease back."""

    @property
    def at(self) -> str:
        """Who speaks for the place: the site, or the host at the site."""
        return f"{self.site}/{self.host}" if self.host else self.site

    @property
    def where(self) -> str:
        """The machine: the place, or the node at the place."""
        return f"{self.at}/{self.node}" if self.node else ""


class Used(Fact, frozen=True, kw_only=True):
    """How much of an offer is reserved or leased."""

    millicores: int = 0
    memory: int = 0
    disk: int = 0
    gpus: dict[str, int] = {}
    """Devices by model."""
    devices: tuple[str, ...] = ()
    """Which of them, where they were named: of what is taken rank by rank, else sorted."""
    count: int = 0
    """Instances, of a fixed shape."""


class Row(Fact, frozen=True, kw_only=True):
    """One state of one offer, as ``match`` sees it."""

    offer: Offer
    used: Used = Used()
    version: int = 1


def checked(offer: Offer) -> Offer:
    """The offer with its limits enforced; raises ``ValueError`` in words."""
    if isinstance(offer.supply, Divisible):
        models = [stock.model for stock in offer.supply.gpus]
        if len(set(models)) < len(models):
            raise ValueError(f"offer {offer.id}: each GPU model stands once")
    return msgspec.convert(msgspec.to_builtins(offer), Offer)


def canonical(value: Any) -> bytes:
    """JSON with sorted keys: equal values have equal bytes."""
    return msgspec.json.encode(value, order="sorted")
