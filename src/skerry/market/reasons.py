"""Why an offer is refused: the filters, in the order in which they are counted.

The order is fixed and goes from what an offer *is* (its devices, its law) over where it is to how
much of it is left and what it costs. A refused offer is counted once, under the first filter it
fails. It is the *nearer* to serving, the fewer filters it fails and the later in this order the
first of them stands; among equals the cheaper is nearer, then the one of lower ``key``.

Filters up to ``SHAPE`` depend on facts that many offers share (``columns.Groups``) and are decided
once for all of them; the rest are decided line by line.
"""

from enum import IntEnum
from functools import cache


class Reason(IntEnum):
    """A filter that was failed. The value is its place in the order."""

    GPU_MODEL = 0
    GPU_MEMORY = 1
    ISOLATION = 2
    CURRENCY = 3
    JURISDICTION_UNKNOWN = 4
    JURISDICTION = 5
    TRUST_TIER = 6
    EVIDENCE = 7
    REGION = 8
    CLOSED = 9
    SPOT = 10
    SHAPE = 11
    OPERATOR = 12
    ZONE = 13
    SITE = 14
    VOLUMES = 15
    CAPACITY = 16
    EXPIRED = 17
    PRICE_UNKNOWN = 18
    PRICE_CEILING = 19
    TOGETHER = 20

    @property
    def slug(self) -> str:
        """The word in decisions: ``price-ceiling``."""
        return _SLUGS[self]


REASONS = tuple(Reason)
"""In their order. (Going through the enumeration itself is much slower.)"""


@cache
def reasons_in(failed: int) -> tuple[Reason, ...]:
    """The filters that these bits mean, in their order."""
    return tuple(reason for reason in REASONS if failed >> reason & 1)


_SLUGS = {reason: reason.name.lower().replace("_", "-") for reason in Reason}

SUMMARY = {
    Reason.GPU_MODEL: "no GPU of a model asked for",
    Reason.GPU_MEMORY: "too little memory on the GPU, or it is unknown",
    Reason.ISOLATION: "isolation weaker than required",
    Reason.CURRENCY: "priced in another currency",
    Reason.JURISDICTION_UNKNOWN: "jurisdiction unknown, and the policy restricts it",
    Reason.JURISDICTION: "in a jurisdiction the policy does not allow",
    Reason.TRUST_TIER: "operator of too low a trust tier",
    Reason.EVIDENCE: "facts not attested as the policy demands",
    Reason.REGION: "in another region",
    Reason.CLOSED: "closed for new work",
    Reason.SPOT: "may be taken back at any time, which was not asked for",
    Reason.SHAPE: "too small even when empty, or of unknown size",
    Reason.OPERATOR: "run by an operator the policy does not allow",
    Reason.ZONE: "in another zone",
    Reason.SITE: "at another site",
    Reason.VOLUMES: "not where the volumes are",
    Reason.CAPACITY: "too little free just now",
    Reason.EXPIRED: "no longer valid",
    Reason.PRICE_UNKNOWN: "price unknown",
    Reason.PRICE_CEILING: "dearer than the ceiling",
    Reason.TOGETHER: "with room for a part of it only, or not as near together as asked",
}
