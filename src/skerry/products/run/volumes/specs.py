"""The words of volumes and snapshots."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from skerry.kernel.kinds import Spec, Status
from skerry.products.run.work import Cost, Place

LEAST = 16 << 20
"""Bytes of the smallest: less would be all bookkeeping of its file system."""
READY = "ready"

Phase = Literal["queued", "creating", "ready", "growing", "unpaid", "failed"]


class VolumeSpec(Spec):
    """How large it is, and what is in it at first."""

    size: Annotated[
        int, Meta(ge=LEAST, le=1 << 44, description="Its size in bytes; it can grow later")
    ]
    source: Annotated[
        str,
        Meta(max_length=257, description="Begin as a copy of this snapshot: VOLUME/SNAPSHOT"),
    ] = msgspec.field(default="", name="from")
    region: Annotated[str, Meta(max_length=64, description="Only in this region")] = ""
    site: Annotated[
        str, Meta(max_length=128, description="Only at this site, or at this host: SITE/HOST")
    ] = ""


class SnapshotSpec(Spec):
    """What is in its volume when it is taken."""


class KeptStatus(Status):
    """Of what is kept at a host."""

    phase: Annotated[
        Phase, Meta(description="How far it is; unpaid: it is kept, and can't be mounted")
    ] = "queued"
    reason: Annotated[str, Meta(description="Why it is so, in a word")] = ""
    message: Annotated[str, Meta(description="Why it is so, in words")] = ""
    size: Annotated[int, Meta(description="Bytes that it has now")] = 0
    at: Annotated[str, Meta(description="Who keeps it: a site, or a host as SITE/HOST")] = ""
    id: Annotated[str, Meta(description="Its name there")] = ""
    place: Annotated[Place | None, Meta(description="Where it lies")] = None
    lease: Annotated[str, Meta(description="Id of its first lease")] = ""
    decision: Annotated[str, Meta(description="Id of the decision that placed it")] = ""
    price_per_hour_nano: Annotated[
        int | None, Meta(description="Price of an hour, in 10^-9 of the currency unit")
    ] = None
    price_per_gib_hour_nano: Annotated[
        int | None, Meta(description="Price of one GiB for an hour, rounded up")
    ] = None
    cost: Annotated[Cost | None, Meta(description="What it cost so far")] = None


class VolumeStatus(KeptStatus):
    writer: Annotated[str, Meta(description="What may write to it just now")] = ""
    readers: Annotated[list[str], Meta(description="What reads it just now")] = []


class SnapshotStatus(KeptStatus):
    pass
