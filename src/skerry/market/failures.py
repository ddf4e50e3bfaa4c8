"""What one line lacks by one filter, and what would have to change, in words.

The filters are written a second time here, plainly and for a single line: as what a person reads,
and as the reference that a test holds the columns' filters against.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from numpy.typing import NDArray

from skerry.market import gpus
from skerry.market.ask import EVIDENCE, GIB, ISOLATIONS, MIB, Ask, Isolation
from skerry.market.columns import NEVER, UNKNOWN, Group
from skerry.market.decision import Place
from skerry.market.groups import needs
from skerry.market.lines import ceiling
from skerry.market.policy import TIERS, Policy, policy_in_words
from skerry.market.prices import mebibytes
from skerry.market.reasons import Reason


class Values:
    """A line's numbers by column."""

    __slots__ = ("_columns", "_line")

    def __init__(self, columns: Mapping[str, NDArray[Any]], line: int) -> None:
        self._columns = columns
        self._line = line

    def __getitem__(self, column: str) -> int:
        return int(self._columns[column].item(self._line))


class Facts(NamedTuple):
    """One line, read out of its columns."""

    offer: str
    values: Values
    group: Group
    gpu: str
    isolations: tuple[Isolation, ...]
    currency: str
    instance_type: str
    place: Place
    mark: str = ""
    closed: str = ""
    out: str = ""


def failure(
    reason: Reason, facts: Facts, per_hour: int | None, ask: Ask, policy: Policy, now: datetime
) -> str:
    """The words, or nothing if the line passes. ``per_hour`` is what all tasks would cost."""
    if reason in (Reason.CLOSED, Reason.SPOT):
        return _open(reason, facts, ask)
    if reason is Reason.TOGETHER:
        return _together(facts, ask)
    if reason in (Reason.SHAPE, Reason.CAPACITY):
        return _size(reason, facts, ask)
    if reason in (Reason.GPU_MODEL, Reason.GPU_MEMORY):
        return _device(reason, facts, ask)
    if reason in (Reason.EXPIRED, Reason.PRICE_UNKNOWN, Reason.PRICE_CEILING, Reason.CURRENCY):
        return _terms(reason, facts, per_hour, ask, now)
    if reason in (Reason.REGION, Reason.ZONE, Reason.SITE, Reason.VOLUMES):
        return _where(reason, facts.place, ask)
    return _policy(reason, facts, ask, policy)


def _size(reason: Reason, facts: Facts, ask: Ask) -> str:
    if not facts.group.divisible:
        if reason is Reason.SHAPE:
            have = facts.group._asdict()
            short = [_lack(n, need, have[n]) for n, need in needs(ask) if have[n] < need]
            return f"the instance is too small: {', '.join(short)}" if short else ""
        free = facts.values["count"]
        return (
            "" if free >= ask.tasks else f"{ask.tasks - free} more instances would have to be free"
        )
    prefix, last = ("", "in all") if reason is Reason.SHAPE else ("free_", "free")
    tasks = 1 if facts.place.node else ask.tasks
    short = [
        _lack(name, need * tasks, facts.values[prefix + name])
        for name, need in needs(ask)
        if facts.values[prefix + name] < need * tasks
    ]
    out = f" ({facts.out})" if facts.out and ask.gpus else ""
    return f"{', '.join(short)} would have to be {last}{out}" if short else ""


def _open(reason: Reason, facts: Facts, ask: Ask) -> str:
    if reason is Reason.CLOSED:
        return f"nothing new is placed there: {facts.closed}" if facts.closed else ""
    spot = facts.group.spot and not ask.spot
    return "it may be taken back at any time, which was not asked for" if spot else ""


def _together(facts: Facts, ask: Ask) -> str:
    if ask.tasks == 1:
        return ""
    if not facts.group.divisible:
        unknown = f"how near to each other its instances are is unknown; {ask.topology} was asked"
        return unknown if ask.topology_required and ask.topology else ""
    if not facts.place.node:
        return ""
    room = min((facts.values["free_" + name] // need for name, need in needs(ask)), default=None)
    if room is None or room >= ask.tasks:
        return ""
    return f"it has room for {max(room, 0)} of {ask.tasks} tasks"


def _lack(name: str, need: int, have: int) -> str:
    """How much more of it is needed: ``1.5 GiB more memory``."""
    if have == UNKNOWN:
        return f"its {name.replace('millicores', 'cores')} (unknown)"
    missing = need - have
    if name == "millicores":
        return f"{_decimal(missing, 1000)} more cores"
    if name == "gpus":
        return f"{missing} more GPU{'s' if missing > 1 else ''}"
    return f"{size_in_words(missing * MIB)} more {name}"


def size_in_words(amount: int) -> str:
    """Bytes as ``1.5 GiB`` or ``300 MiB``, rounded up to what is shown."""
    if amount >= GIB:
        return f"{_decimal(-(-amount * 100 // GIB), 100)} GiB"
    return f"{mebibytes(amount)} MiB"


def price_in_words(nano: int, currency: str) -> str:
    """``0.0125 EUR an hour``, exact."""
    return f"{_decimal(nano, 10**9)} {currency} an hour"


def _decimal(value: int, unit: int) -> str:
    """``value / unit``, exact for a unit that is a power of ten."""
    whole, rest = divmod(value, unit)
    digits = f"{rest:0{len(str(unit)) - 1}d}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def _device(reason: Reason, facts: Facts, ask: Ask) -> str:
    if not ask.gpus:
        return ""
    if reason is Reason.GPU_MODEL:
        if gpus.serves(ask.gpu_models, facts.gpu, facts.mark):
            return ""
        wanted = " or ".join(ask.gpu_models) or "whole GPUs"
        return f"asked for {wanted}; this offer has {facts.gpu or 'no GPU'}"
    have = facts.group.gpu_memory
    if have >= mebibytes(ask.gpu_memory) or not ask.gpu_memory:
        return ""
    known = "of unknown memory" if have == UNKNOWN else f"of {size_in_words(have * MIB)}"
    return f"asked for GPUs of {size_in_words(ask.gpu_memory)}; these are {known}"


def _terms(reason: Reason, facts: Facts, per_hour: int | None, ask: Ask, now: datetime) -> str:
    if reason is Reason.CURRENCY and facts.currency != ask.currency:
        return f"priced in {facts.currency}, asked in {ask.currency}"
    if reason is Reason.EXPIRED and facts.values["expires"] <= int(now.timestamp()):
        return "the offer is no longer valid"
    if reason is Reason.PRICE_UNKNOWN and per_hour is None:
        return "it keeps no volumes" if _no_volumes(facts, ask) else "the price is unknown"
    if reason is Reason.PRICE_CEILING and per_hour is not None and per_hour > ceiling(ask):
        return (
            f"costs {price_in_words(per_hour, facts.currency)}; the ceiling would have to be "
            f"{price_in_words(per_hour - ceiling(ask), facts.currency)} higher"
        )
    return ""


def _no_volumes(facts: Facts, ask: Ask) -> bool:
    divisible = facts.group.divisible
    return bool(ask.storage) and (not divisible or facts.values["storage_price"] == NEVER)


def _where(reason: Reason, place: Place, ask: Ask) -> str:
    if reason is Reason.VOLUMES:
        if all(at == place.at for at in ask.volume_sites):
            return ""
        return f"the volumes are at {', '.join(sorted(set(ask.volume_sites)))}, {_at(place.at)}"
    wanted, have = {
        Reason.REGION: (ask.regions, {place.region}),
        Reason.ZONE: (ask.zones, {place.zone}),
        Reason.SITE: (ask.sites, {place.site, place.at, place.where}),
    }[reason]
    if not wanted or have & set(wanted):
        return ""
    return f"asked for {reason.slug} {' or '.join(wanted)}, {_at(max(have, key=len))}"


def _at(have: str) -> str:
    return f"this offer is in {have}" if have else "where this offer is, is unknown"


def _policy(reason: Reason, facts: Facts, ask: Ask, policy: Policy) -> str:
    place = facts.place
    if reason is Reason.ISOLATION:
        need = max(ISOLATIONS.index(ask.isolation), ISOLATIONS.index(policy.isolation))
        if any(ISOLATIONS.index(i) >= need for i in facts.isolations):
            return ""
        offered = ", ".join(facts.isolations) or "none"
        return f"needs isolation by {ISOLATIONS[need]} or stronger; this offer has {offered}"
    if reason is Reason.TRUST_TIER and place.tier < policy.tier:
        return (
            f"policy demands trust tier {policy.tier} ({TIERS[policy.tier]}); this operator has "
            f"{place.tier} ({TIERS[place.tier]})"
        )
    if reason is Reason.EVIDENCE and EVIDENCE.index(place.evidence) < EVIDENCE.index(
        policy.evidence
    ):
        return f"policy demands facts attested by {policy.evidence}; these are {place.evidence}"
    if reason is Reason.OPERATOR and policy.operators is not None:
        if place.operator and place.operator in policy.operators:
            return ""
        allowed = ", ".join(policy.operators) or "nobody"
        return f"policy: only run by {allowed}; the operator is {place.operator or 'unknown'}"
    if reason in (Reason.JURISDICTION, Reason.JURISDICTION_UNKNOWN):
        return _jurisdiction(reason, place.jurisdiction, policy)
    return ""


def _jurisdiction(reason: Reason, have: str, policy: Policy) -> str:
    if policy.allowed is None and not policy.forbidden:
        return ""
    rule = policy_in_words(Policy(allowed=policy.allowed, forbidden=policy.forbidden))
    if not have:
        unknown = reason is Reason.JURISDICTION_UNKNOWN
        return f"policy: {rule}; where this offer is, is unknown" if unknown else ""
    fits = have not in policy.forbidden and (policy.allowed is None or have in policy.allowed)
    if reason is Reason.JURISDICTION_UNKNOWN or fits:
        return ""
    return f"policy: {rule}; this offer is in {have}"
