"""Policies: where a tenant's work may run, and who may run it.

A policy only narrows. What a tenant declares and what a workspace declares are joined by
``intersect``; the result allows no offer that one of them forbids, in any order and grouping. An
offer of unknown jurisdiction or operator fails every policy that restricts it.
"""

from collections.abc import Iterable
from functools import reduce
from typing import Annotated

from msgspec import Meta

from skerry.kernel.kinds import Spec
from skerry.market import places
from skerry.market.ask import EVIDENCE, ISOLATIONS, Evidence, Fact, Isolation

Code = Annotated[str, Meta(min_length=2, max_length=8, pattern="^[A-Z]+$")]
Operator = Annotated[str, Meta(min_length=1, max_length=64)]

TIERS = ("anybody", "identified", "verified", "proven for 90 days", "audited on site")
"""What trust tiers 0 to 4 mean (after Akash's AEP-86)."""


class PolicySpec(Spec):
    """What a person writes. Leaving a field out restricts nothing."""

    jurisdictions: Annotated[
        Annotated[list[Code], Meta(min_length=1, max_length=300)] | None,
        Meta(description="Allowed countries (ISO 3166-1 alpha-2) and groups: EU, EEA, EFTA, …"),
    ] = None
    forbidden: Annotated[
        list[Code], Meta(max_length=300, description="Countries and groups never allowed")
    ] = []
    operators: Annotated[
        Annotated[list[Operator], Meta(min_length=1, max_length=256)] | None,
        Meta(description="Operators that may run the work"),
    ] = None
    isolation: Annotated[Isolation, Meta(description="The weakest isolation accepted")] = "process"
    trust_tier: Annotated[
        int, Meta(ge=0, le=4, description="The lowest trust tier accepted, 0 to 4")
    ] = 0
    evidence: Annotated[
        Evidence, Meta(description="Who must vouch for the offer: declared, host, hardware")
    ] = "declared"


class Policy(Fact, frozen=True, kw_only=True):
    """One or more ``PolicySpec`` compiled and joined, with the versions they came from."""

    allowed: tuple[str, ...] | None = None
    """Countries, sorted; None: all, even unknown ones; empty: none at all."""
    forbidden: tuple[str, ...] = ()
    operators: tuple[str, ...] | None = None
    isolation: Isolation = "process"
    tier: int = 0
    evidence: Evidence = "declared"
    sources: tuple[str, ...] = ()
    """``ref@version`` of each policy that went into it, sorted."""


def compiled(spec: PolicySpec, source: str = "") -> Policy:
    """Raises ``ValueError`` for a country or group that does not exist."""
    allowed, forbidden = spec.jurisdictions, places.countries(tuple(spec.forbidden))
    return Policy(
        allowed=None if allowed is None else tuple(sorted(places.countries(tuple(allowed)))),
        forbidden=tuple(sorted(forbidden)),
        operators=None if spec.operators is None else tuple(sorted(set(spec.operators))),
        isolation=spec.isolation,
        tier=spec.trust_tier,
        evidence=spec.evidence,
        sources=(source,) if source else (),
    )


def intersect(policies: Iterable[Policy]) -> Policy:
    """What all of them allow. Of none: everything."""
    return reduce(_both, policies, Policy())


def _both(a: Policy, b: Policy) -> Policy:
    return Policy(
        allowed=_common(a.allowed, b.allowed),
        forbidden=tuple(sorted({*a.forbidden, *b.forbidden})),
        operators=_common(a.operators, b.operators),
        isolation=ISOLATIONS[max(map(ISOLATIONS.index, (a.isolation, b.isolation)))],
        tier=max(a.tier, b.tier),
        evidence=EVIDENCE[max(map(EVIDENCE.index, (a.evidence, b.evidence)))],
        sources=tuple(sorted({*a.sources, *b.sources})),
    )


def _common(a: tuple[str, ...] | None, b: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if a is None or b is None:
        return a if b is None else b
    return tuple(sorted(set(a) & set(b)))


def policy_in_words(policy: Policy) -> str:
    """One sentence a person can check against what they meant."""
    parts = []
    if policy.allowed is not None:
        allowed = frozenset(policy.allowed) - frozenset(policy.forbidden)
        parts.append(f"only in {places.in_words(allowed)}")
    elif policy.forbidden:
        parts.append(f"never in {places.in_words(frozenset(policy.forbidden))}")
    if policy.operators is not None:
        parts.append(f"only run by {', '.join(policy.operators) or 'nobody'}")
    if policy.isolation != "process":
        parts.append(f"isolated at least by {policy.isolation}")
    if policy.tier:
        parts.append(f"only with operators of tier {policy.tier} ({TIERS[policy.tier]}) or above")
    if policy.evidence != "declared":
        parts.append(f"with facts attested by {policy.evidence}")
    return "; ".join(parts) or "anywhere, with anybody"
