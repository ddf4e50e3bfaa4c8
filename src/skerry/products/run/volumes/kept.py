"""The life that volumes and snapshots share, in reading order.

Queued until the market finds them room, made at their host, metered from then on, and at rest
until somebody wants something: then grown, or removed. The host knows a thing's id for ever, so
each call may be repeated, and a fence that is older than the last one is refused there.
"""

from abc import abstractmethod
from datetime import datetime
from typing import Any

from skerry.kernel.flows import Context, Flow, Next, Write, done, gone, hop, nap, step
from skerry.kernel.rows import Resource
from skerry.ledger import holds
from skerry.market.ask import Ask
from skerry.market.lease import Lease, Reason, Refusal
from skerry.market.leases import Market
from skerry.products.run import outcome
from skerry.products.run.volumes.host import keeper
from skerry.sites.business import gaps
from skerry.sites.contract import NoRoom, Refused, SiteUnreachable, StaleFence, Volumes
from skerry.sites.places import called
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.products.run.volumes")

AGAIN = 5.0
"""Seconds between two looks at the market."""
MINUTE, DAY = 60.0, 24 * 3600.0
HOST = "Its host does not answer: see whether it is up and its agent runs."
ROOM = "No host has room for it: read its reasons, then add disk, or delete it."
BILL = "Its bill can't be settled: see the last problem."


class Wait(Exception):
    """Not now: what it needs is not there yet."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


class Kept(Flow):
    first = "queue"

    # What is the kind's own

    @abstractmethod
    async def ask(self, ctx: Context) -> Ask:
        """The room it needs. Raises ``Wait``, and ``Refused`` if it never comes to be."""

    @abstractmethod
    async def make(self, ctx: Context, driver: Volumes, size: int) -> int:
        """Make it, or make it larger; the bytes it has then."""

    @abstractmethod
    async def unmake(self, ctx: Context, driver: Volumes) -> None:
        """Remove it and all that is in it."""

    # Its life

    @step(deadline=7 * DAY, remedy=ROOM, inside=True)
    async def queue(self, ctx: Context) -> Next:
        """Find it a host, and put the money aside."""
        try:
            ask = await self.ask(ctx)
        except Wait as wait:
            return nap(AGAIN, status=news(ctx, "queued", wait.reason, wait.message))
        except Refused as refused:
            return failed(refused)
        lease = await rented(ctx, ask)
        if isinstance(lease, Refusal):
            return nap(AGAIN, status=refused_as(ctx, lease, "queued"))
        id = f"{ctx.resource.kind}-{ctx.resource.uid.hex}"
        at = lease.choice.place.at
        return hop(
            "create",
            state="creating" if ctx.resource.state == "pending" else None,
            reason="Placed",
            message=f"At {called(at)}.",
            data={"at": at, "id": id, "size": ask.storage},
            status={**outcome.placed(lease), **_priced(lease), "phase": "creating", "at": at},
        )

    @step(deadline=3600, remedy=HOST)
    async def create(self, ctx: Context) -> Next:
        """Make it there. From then on it is metered."""
        size = int(ctx.data["size"])
        try:
            async with keeper(ctx.services, ctx.data["at"]) as driver:
                has = await self.make(ctx, driver, size)
        except SiteUnreachable as away:
            return nap(patience(ctx), status={"message": outcome.sentences(str(away))})
        except StaleFence:
            raise
        except Refused as refused:
            # The host tells before it makes anything: there is nothing of it.
            if not passes(refused):
                return failed(refused, within=(end(ctx, "failed"),), data={"at": None})
            shown = shown_as("queued", refused.reason, refused.message)
            back = end(ctx, "failed")
            return hop("queue", MINUTE, within=(back,), data={"at": None}, status=shown)
        shown = {**shown_as("ready"), "size": has, "id": ctx.data["id"]}
        return self.onward(ctx, reason="Created", status=shown, within=(meter(ctx),))

    async def on_intent(self, ctx: Context) -> Next:
        """At rest, its money may end."""
        return hop("lapse") if ctx.take("exhausted") else done()

    @step(deadline=300, remedy=BILL, inside=True)
    async def lapse(self, ctx: Context) -> Next:
        """There is no money: nothing is metered, nothing is deleted."""
        ctx.take("exhausted")
        await end(ctx, "funds")(ctx.tx, ctx.resource)
        shown = shown_as(
            "unpaid",
            "BudgetExhausted",
            "The money set aside for it is used up and there is no more",
            "It is kept and can't be mounted until there is",
        )
        return hop("renew", MINUTE, status=shown)

    @step(deadline=30 * DAY, remedy="Nobody pays for it: add money, or delete it.", inside=True)
    async def renew(self, ctx: Context) -> Next:
        """Rent its place anew as soon as there is money."""
        ask = Ask(
            millicores=0,
            memory=0,
            storage=int(ctx.data["size"]),
            volume_sites=(str(ctx.data["at"]),),
        )
        lease = await rented(ctx, ask)
        if isinstance(lease, Refusal):
            return nap(MINUTE, status=refused_as(ctx, lease, "unpaid"))
        shown = {**shown_as("ready"), "lease": str(lease.id), **_priced(lease)}
        return self.onward(ctx, reason="Paid", status=shown, within=(meter(ctx),))

    @step(deadline=300, remedy="It can't go on: see the last problem.", inside=True)
    async def update(self, ctx: Context) -> Next:
        """Go on where it was; one that is there may have to grow, one that failed begins anew."""
        if ctx.previous != "rest":
            return hop(ctx.previous)
        if not ctx.data.get("at"):
            return hop("queue", status=shown_as("queued"))
        return self.onward(ctx)

    def onward(self, ctx: Context, **more: Any) -> Next:
        """It is there; what its spec says may be more."""
        return done(state="active", **more)

    @step(deadline=7 * DAY, remedy=HOST)
    async def remove(self, ctx: Context) -> Next:
        """Delete it where it lies. It is billed until this was asked for."""
        ended = ctx.data.get("ended") or ctx.now.timestamp()
        if not ctx.data.get("at"):
            return hop("clear", data={"ended": ended})
        try:
            async with keeper(ctx.services, ctx.data["at"]) as driver:
                await self.unmake(ctx, driver)
        except SiteUnreachable as away:
            shown = {"message": outcome.sentences(str(away), "It is deleted when the host is back")}
            return nap(patience(ctx), data={"ended": ended}, status=shown)
        except StaleFence:
            raise
        except Refused as refused:
            shown = {"message": outcome.sentences(refused.message)}
            return nap(AGAIN, data={"ended": ended}, status=shown)
        return hop("clear", data={"ended": ended})

    @step(deadline=300, remedy=BILL, inside=True)
    async def clear(self, ctx: Context) -> Next:
        """Settle what is still open of it."""
        ended = datetime.fromtimestamp(float(ctx.data["ended"]), tz=ctx.now.tzinfo)
        await end(ctx, "tenant", ended)(ctx.tx, ctx.resource)
        return gone()


async def rented(ctx: Context, ask: Ask, part: str = "") -> Lease | Refusal:
    market = Market.of(ctx.resources)
    return await market.reserve(ctx.tx, ask, ctx.resource, part=part, seconds=None)


def meter(ctx: Context, part: str = "") -> Write:
    """Meter its lease from now on."""

    async def write(tx: Tx, resource: Resource) -> None:
        lease = await Market.of(ctx.resources).open_lease(tx, resource.uid, part)
        if lease is not None:
            place = lease.choice.place
            await holds.start(
                tx, lease.id, lease.charges,
                source=place.at, region=place.region, at=await tx.now(),
            )  # fmt: skip

    return write


def end(ctx: Context, reason: Reason, ended: datetime | None = None) -> Write:
    """Close its leases, charged to ``ended`` or to now."""

    async def write(tx: Tx, resource: Resource) -> None:
        at = ctx.data.get("at")
        if at:
            await gaps(tx, str(at), ended or await tx.now())
        leases = [row["id"] for row in await tx.fetch(_sql.open_leases, resource.uid)]
        for id in leases:
            await holds.lock(tx, id)  # all of them before the first account
        for id in leases:
            await Market.of(ctx.resources).close(tx, id, reason, ended_at=ended)

    return write


def passes(refused: Refused) -> bool:
    return isinstance(refused, NoRoom) or refused.reason in ("Busy", "VolumeFailed", "VolumeInUse")


def patience(ctx: Context) -> float:
    """Seconds until a host that did not answer is asked again: more, the longer it is away."""
    return min(max(1.0, (ctx.now - ctx.entered_at).total_seconds() / 8), MINUTE)


def shown_as(phase: str, reason: str = "", *sentences: str) -> dict[str, Any]:
    message = outcome.sentences(*(s[:1].upper() + s[1:] for s in sentences)) if sentences else ""
    return {"phase": phase, "reason": reason or None, "message": message or None}


def news(ctx: Context, phase: str, reason: str, message: str) -> dict[str, Any]:
    """The status of one that waits; nothing if that is known already."""
    shown, status = shown_as(phase, reason, message), ctx.resource.status
    return {} if all(status.get(key) == value for key, value in shown.items()) else shown


def refused_as(ctx: Context, refusal: Refusal, phase: str) -> dict[str, Any]:
    """The status of one that found no place; nothing if it was refused so before."""
    if str(refusal.decision) == ctx.resource.status.get("decision"):
        return {}
    return {**outcome.waiting(refusal), "phase": phase}


def _priced(lease: Lease) -> dict[str, Any]:
    price = lease.choice.price
    [space] = price.lines
    return {
        "pricePerHourNano": price.per_hour,
        "pricePerGibHourNano": -(-space.unit_price * 1024 // space.per),
    }


def failed(refused: Refused, **more: Any) -> Next:
    """It can't be as asked for; a PUT begins anew."""
    reason = outcome.word(refused.reason, "Refused")
    shown = shown_as("failed", reason, refused.message)
    return done(state="error", reason=reason, message=refused.message, status=shown, **more)
