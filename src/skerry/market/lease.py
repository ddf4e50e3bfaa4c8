"""Leases and refusals: what an asker is told."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from skerry.kernel.rows import Resource
from skerry.ledger.streams import Charge, cost
from skerry.market.ask import Ask, Fact, Used
from skerry.market.decision import Choice, Decision, Near
from skerry.market.decisions import Recorded
from skerry.market.prices import charges
from skerry.market.reasons import REASONS, SUMMARY
from skerry.store.database import Row as Record

State = Literal["reserved", "active", "draining", "closed"]
Reason = Literal[
    "", "done", "tenant", "provider", "funds", "breach", "failed", "expired", "preempted"
]
"""Why a lease was closed. ``provider``: taken back; ``breach``: the site did not keep it;
``preempted``: it gave way to another."""

Cause = Literal["NoOffer", "NoMoney"]

HORIZON = 3600
"""Seconds of running that are kept paid for where an ask has no time limit."""

_DECISION = msgspec.json.Decoder(Decision)
_USED = msgspec.json.Decoder(Used)


class Taken(Fact, frozen=True, kw_only=True):
    """What a lease takes of one offer."""

    offer: str
    node: str
    tasks: int
    takes: Used


class Lease(Fact, frozen=True, kw_only=True):
    """Capacity taken, on frozen terms: price, place and policy versions stay as decided.

    ``reserved`` ends by itself at ``expires_at`` unless it is confirmed; from then on only
    ``close`` ends it, whatever happens to the site.
    """

    id: uuid.UUID
    decision: uuid.UUID
    offer: str
    owner: uuid.UUID
    part: str
    tenant: str
    workspace: str
    subject: str
    """Ref of the resource that the decision was taken for."""
    state: State
    reason: Reason
    made_at: datetime
    expires_at: datetime | None
    confirmed_at: datetime | None
    drains_until: datetime | None
    closed_at: datetime | None
    takes: Used
    """Of ``offer``."""
    further: tuple[Used, ...] = ()
    """Of the offers of the further shares, of a gang over several nodes."""
    choice: Choice
    ask: Ask
    policies: tuple[str, ...]

    @property
    def taken(self) -> tuple[Taken, ...]:
        """What it takes of each offer, in the order of ranks."""
        if not self.choice.shares:
            node, tasks = self.choice.place.node, self.ask.tasks
            return (Taken(offer=self.offer, node=node, tasks=tasks, takes=self.takes),)
        return tuple(
            Taken(offer=share.offer, node=share.node, tasks=share.tasks, takes=takes)
            for share, takes in zip(self.choice.shares, (self.takes, *self.further), strict=True)
        )

    @property
    def nodes(self) -> tuple[str, ...]:
        """The node of each rank; none where the place is one machine."""
        found = tuple(part.node for part in self.taken for _ in range(part.tasks))
        return found if any(found) else ()

    @property
    def devices(self) -> tuple[tuple[str, ...], ...]:
        """The devices of each rank; none where they are not named."""
        each = self.ask.gpus
        held = [device for part in self.taken for device in part.takes.devices]
        if not each or len(held) != each * self.ask.tasks:
            return ()
        return tuple(tuple(held[at : at + each]) for at in range(0, len(held), each))

    @property
    def charges(self) -> tuple[Charge, ...]:
        """For ``ledger.holds.start``: what is metered while it runs, at the frozen price."""
        return charges(self.choice.price, self.choice.price_version)


class Refusal(Fact, frozen=True, kw_only=True):
    """No lease, and why."""

    decision: uuid.UUID
    reason: Cause
    """For a condition or a phase."""
    message: str
    hint: str
    counts: dict[str, int]
    nearest: tuple[Near, ...]


used_of = _USED.decode
"""What is taken, from its JSON."""


def lease_of(record: Record) -> Lease:
    """From a row of ``leases.sql``."""
    values = dict(record)
    decided = _DECISION.decode(values.pop("body"))
    assert decided.chosen is not None
    values["takes"] = _USED.decode(values["takes"])
    values["further"] = tuple(_USED.decode(text) for text in values["further"])
    return Lease(**values, choice=decided.chosen, ask=decided.ask, policies=decided.policy.sources)


def made_of(
    recorded: Recorded,
    owner: Resource,
    part: str,
    takes: Sequence[Used],
    now: datetime,
    seconds: float | None,
) -> Lease:
    """A new lease: reserved for so long, or active at once."""
    choice = recorded.decision.chosen
    assert choice is not None
    at_once = seconds is None
    return Lease(
        id=uuid.uuid4(),
        decision=recorded.id,
        offer=choice.offer,
        owner=owner.uid,
        part=part,
        tenant=owner.tenant,
        workspace=owner.workspace,
        subject=recorded.subject,
        state="active" if at_once else "reserved",
        reason="",
        made_at=now,
        expires_at=None if seconds is None else now + timedelta(seconds=seconds),
        confirmed_at=now if at_once else None,
        drains_until=None,
        closed_at=None,
        takes=takes[0],
        further=tuple(takes[1:]),
        choice=choice,
        ask=recorded.decision.ask,
        policies=recorded.decision.policy.sources,
    )


def refusal_of(recorded: Recorded, reason: Cause, message: str, hint: str) -> Refusal:
    return Refusal(
        decision=recorded.id,
        reason=reason,
        message=message,
        hint=hint,
        counts=recorded.decision.refused,
        nearest=recorded.decision.nearest,
    )


def set_aside(ask: Ask, priced: tuple[Charge, ...], notice: int) -> tuple[int, int | None, int]:
    """What a lease needs put aside: amount, ceiling (None: none) and the horizon in seconds.

    With a time limit it is the most the lease can ever cost, so nothing it does can go unpaid.
    Without one, an hour (or the notice its seller owes) is kept covered.
    """
    horizon = max(HORIZON, notice)
    if ask.duration:
        most = cost(priced, ask.duration)
        return most, most, horizon
    return cost(priced, horizon), None, horizon


def why_refused(decision: Decision) -> tuple[str, str]:
    """A refusal in a sentence or two, and what would help."""
    if not decision.considered:
        return "there is no offer at all", "Wait until a site is connected, or add an offer."
    counted = [
        f"{decision.refused[r.slug]} {SUMMARY[r]}" for r in REASONS if r.slug in decision.refused
    ]
    if decision.together:
        counted.append(decision.together)
    near = decision.nearest[0]
    where = f"{near.offer} ({near.place.jurisdiction or 'jurisdiction unknown'})"
    needed = "; ".join(failure.words for failure in near.failures)
    return (
        f"none of {decision.considered} offers serves it: {'; '.join(counted)}",
        f"The nearest is {where}: {needed}.",
    )
