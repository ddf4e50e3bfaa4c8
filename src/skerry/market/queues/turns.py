"""Whose turn it is: what a flow asks here before it asks the market.

All of it in the flow's own transaction. ``turn`` joins the queue if there is one, and says whether
the ask may go to the market; ``refused`` gives the quota back of one that found no place there.
"""

from dataclasses import dataclass

import msgspec

from skerry.kernel.errors import Source, ValidationError
from skerry.kernel.rows import Resource
from skerry.market.ask import Ask
from skerry.market.lease import Refusal
from skerry.market.queues import entries
from skerry.market.queues.specs import PriorityClassSpec
from skerry.store import Tx

CAPACITY = "capacity"
"""The market's word for what is only full (``reasons.Reason``)."""


TURN = 300.0
"""Seconds between two looks whether its queue has admitted it; the queue's word wakes the flow."""


@dataclass(frozen=True)
class Turn:
    """``ask`` is there once it may be placed: narrowed to the GPU model its queue counted."""

    queue: str
    ask: Ask | None
    seconds: float = TURN
    """When to ask again, if nobody wakes it before."""

    @property
    def message(self) -> str:
        if self.seconds < TURN:
            return "It waits until one has started for which others had to end."
        return f"It waits for its turn in queue {self.queue}."


async def turn(tx: Tx, owner: Resource, ask: Ask) -> Turn:
    """Join the queue of the owner's workspace, unless it has; whether it has been admitted."""
    queue = await entries.queue_of(tx, owner.tenant, owner.workspace)
    entry = await entries.find(tx, owner.uid)
    if queue is None and not ask.spot:
        return Turn("", ask)
    key = queue.key if queue is not None else ""
    if ask.spot and bool(ask.gpus) in await entries.comes_first(tx):
        return Turn(key, None, entries.REST)
    if entry is None or entry.queue != key:
        await _join(tx, owner, ask, key)
        return Turn(key, None if key else ask)
    if entry.state == "waiting" and key:
        return Turn(key, None)
    return Turn(key, _narrowed(ask, entry.model))


def _narrowed(ask: Ask, model: str) -> Ask:
    """To the model that it is counted as; one it names itself is as narrow or narrower."""
    if not model or ask.gpu_models:
        return ask
    return msgspec.structs.replace(ask, gpu_models=(model,))


async def _join(tx: Tx, owner: Resource, ask: Ask, key: str) -> None:
    """Its age is counted from when it was put, however often it is run."""
    found = await entries.class_of(tx, str(owner.spec.get("priorityClass", "")))
    priority = found or PriorityClassSpec()
    now = await tx.now()
    await entries.write(
        tx,
        (
            owner.uid, key, owner.tenant, owner.workspace, owner.ref, priority.value,
            priority.preempts, ask.spot, priority.notice, ask.millicores * ask.tasks,
            ask.memory * ask.tasks, ask.gpus * ask.tasks, list(ask.gpu_models), ask.duration,
            owner.created_at, "waiting" if key else "admitted", None if key else now,
        ),
    )  # fmt: skip


async def refused(tx: Tx, owner: Resource, ask: Ask, refusal: Refusal) -> None:
    """The market has no place for it, or there is no money. One without a queue waits as an entry
    if others might be ended for it: those who agreed to that for their price."""
    full = refusal.reason == "NoOffer" and bool(refusal.counts.get(CAPACITY))
    if full and not ask.spot and await entries.find(tx, owner.uid) is None:
        if not await entries.preemptible(tx):
            return
        await _join(tx, owner, ask, "")
    await entries.rest(tx, owner.uid, full=full)


async def check_class(tx: Tx, tenant: str, name: str) -> None:
    """Raises ``ValidationError`` unless there is such a priority class for this tenant."""
    if not name:
        return
    where = [Source(pointer="/spec/priorityClass")]
    found = await entries.class_of(tx, name)
    if found is None:
        raise ValidationError(
            f"priorityClass: there is no priority class {name[:128]!r}", sources=where
        )
    if found.tenants and tenant not in found.tenants:
        raise ValidationError(
            f"priorityClass: {name!r} is not for tenant {tenant!r}",
            hint="Use another, or ask the operator for it.",
            sources=where,
        )
