"""What the lives of all that runs have in common, in reading order.

Queued until the market places it, brought to its site and launched there, watched until its
processes have ended, billed from their start to their end. ``flow`` (jobs) and ``pods.flow`` say
the rest: what comes of an end, and what they can be told.

Each run is a workload of its own, with an id used once. From ``bring`` on its lease is ended by
this flow and nobody else. Once ``launch`` has called the site, the run may be there whatever the
answer was, so nothing is given up or started elsewhere until the site has been heard, unless the
kind says how long is too long. What the site reports stands in ``sites.seen``; the steps that bill
and decide read it there and talk to nobody.
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import msgspec

from skerry.kernel.errors import NotFound
from skerry.kernel.flows import Context, Flow, Next, done, gone, hop, nap, step
from skerry.kernel.rows import Resource
from skerry.market.ask import Ask
from skerry.market.lease import Lease, Refusal
from skerry.market.leases import Market
from skerry.market.queues import entries, turns
from skerry.products.run import bill, outcome, place
from skerry.products.run.asks import ask_of
from skerry.products.run.mounts import VolumeBusy, take, volume_sites
from skerry.products.run.place import NotStarted, Run, run_of
from skerry.products.run.prepare import Underway
from skerry.products.run.work import GRACE
from skerry.sites import seen
from skerry.sites.contract import SiteUnreachable
from skerry.sites.places import called
from skerry.sites.seen import Seen
from skerry.store import Tx

AGAIN = 5.0
"""Seconds between two looks at the market for what waits."""
LOOK = 300.0
"""Seconds between two looks at what the site reports; a report itself wakes the flow."""
QUEUED = "Queued"
"""The reason of one that waits for its queue."""
MINUTE, DAY = 60.0, 24 * 3600.0
TERM, KILL = 15, 9
SITE = "Its site does not answer: see whether its host is up and its agent runs."
BILL = "Its bill can't be settled: see the last problem."

Write = Callable[[Tx, Resource], Awaitable[None]]
"""Done in the transaction that ends a step."""


class Life(Flow):
    """A kind's own steps are ``run`` and ``finish``."""

    first = "queue"
    ends: ClassVar[tuple[str, ...]] = ()
    """What it may be told that ends a run."""
    tries: ClassVar[float] = 5
    """How often it is tried to bring what a registry does not give."""

    # What is the kind's own

    @abstractmethod
    def withdrawn(self, ctx: Context, *placed: Write) -> Next | None:
        """What follows if it was told something that ends it before it has started. ``placed``
        must then be written: they give its place back."""

    @abstractmethod
    def refused(self, ctx: Context, refused: NotStarted, *placed: Write) -> Next:
        """What follows if it can't be run as asked, wherever it is tried."""

    async def ask(self, ctx: Context) -> Ask:
        """What it asks of the market, in the transaction of ``queue``."""
        spec = place.spec_of(ctx)
        ats = await volume_sites(ctx.tx, ctx.resources, ctx.resource, spec)
        return ask_of(spec, volume_sites=ats)

    async def settle(self, ctx: Context, run: Run) -> None:
        """What is to be put in the transaction that gives it a place."""

    def placed(self, ctx: Context, lease: Lease, run: Run) -> dict[str, Any]:
        """The status of one that was given a place."""
        return outcome.placed(lease)

    def grace(self, ctx: Context) -> float:
        """Seconds between asking a process to end and ending it."""
        return GRACE

    async def lost_sight(self, ctx: Context, away: SiteUnreachable) -> Next:
        """What follows if its site can't be asked whether it runs."""
        return nap(patience(ctx), status=unheard(away))

    # Its life

    @step(
        deadline=7 * DAY,
        remedy="It fits nowhere: read its reasons, then free or add capacity, or cancel it.",
        inside=True,
    )
    async def queue(self, ctx: Context) -> Next:
        """Find it a place, and put the money aside."""
        ctx.take("exhausted")  # it was said of an earlier run
        if (following := self.withdrawn(ctx)) is not None:
            await entries.drop(ctx.tx, ctx.resource.uid)
            return following
        pause = float(ctx.data.get("pause") or 0) - age(ctx)
        if pause > 0:
            return nap(pause)  # a late word of its last run has woken it
        try:
            ask = await self.ask(ctx)
        except VolumeBusy as busy:
            return nap(AGAIN, status=_waits_for(ctx, busy))
        except NotFound as missing:
            await entries.drop(ctx.tx, ctx.resource.uid)
            return self.refused(ctx, NotStarted("VolumeMissing", missing.detail, again=False))
        turn = await turns.turn(ctx.tx, ctx.resource, ask)
        if turn.ask is None:
            return nap(turn.seconds, status=_waits_its_turn(ctx, turn))
        market = Market.of(ctx.resources)
        found = await market.reserve(ctx.tx, turn.ask, ctx.resource, seconds=None)
        if isinstance(found, Refusal):
            await turns.refused(ctx.tx, ctx.resource, ask, found)
            # Refused as it was before: then nothing of it is news.
            news = str(found.decision) != ctx.resource.status.get("decision")
            return nap(AGAIN, status=outcome.waiting(found) if news else {})
        await entries.placed(ctx.tx, ctx.resource.uid)
        return await self._placed(ctx, found)

    async def _placed(self, ctx: Context, lease: Lease) -> Next:
        """Write down the run before its site hears of it."""
        resource, number = ctx.resource, int(ctx.data.get("runs", 0)) + 1
        for earlier in await seen.of_owner(ctx.tx, resource.uid) if number > 1 else ():
            await seen.give_up(ctx.tx, earlier.id)
        run = Run.numbered(number, resource, lease)
        await seen.own(ctx.tx, run.id, at=run.at, owner=resource.uid, tenant=resource.tenant)
        await self.settle(ctx, run)
        await take(ctx.tx, ctx.resources, resource, place.spec_of(ctx), run.id)
        return hop(
            "bring",
            state="creating" if resource.state == "pending" else None,
            reason="Placed",
            message=f"At {called(run.at)}.",
            data={
                "run": msgspec.to_builtins(run),
                "runs": number,
                "asked": None,
                "stop": None,
                "notice": None,
                "why": None,
            },
            status=self.placed(ctx, lease, run),
        )

    @step(deadline=3600, remedy="What it needs does not get to its site: look at the site.")
    async def bring(self, ctx: Context) -> Next:
        """Bring what it needs to its site. Nothing has started: without the site it goes
        elsewhere."""
        if (following := self.withdrawn(ctx, give_back(ctx))) is not None:
            return following
        run = run_of(ctx)
        try:
            brought = await place.bring(ctx, run)
        except SiteUnreachable as away:
            return self.not_started(ctx, NotStarted("SiteUnreachable", str(away), again=True))
        except NotStarted as refused:
            return self.not_started(ctx, refused)
        if isinstance(brought, Underway):
            return nap(0.2, status={"message": brought.message})
        run = msgspec.structs.replace(run, image=brought.image, environment=brought.environment)
        return hop(
            "launch",
            data={"run": msgspec.to_builtins(run), **brought.notes},
            status={"image": run.image or None, "message": None},
        )

    @step(deadline=600, remedy=SITE)
    async def launch(self, ctx: Context) -> Next:
        """Start it there."""
        if told := self.told(ctx):
            return hop("stop", data={"stop": told})
        run = run_of(ctx)
        try:
            status = await place.start(ctx, run)
        except SiteUnreachable as away:
            return await self.lost_sight(ctx, away)
        except NotStarted as refused:
            return self.not_started(ctx, refused)

        async def note(tx: Tx, resource: Resource) -> None:
            await seen.saw(tx, run.at, [status] if status else [])

        # If it has started already, that is to be seen now; else a report will tell.
        begun = status is not None and seen.started(status) is not None
        return hop(
            "run",
            0.0 if begun else LOOK,
            within=(note,),
            data={"turned": None},
            status={"message": None},
        )

    def not_started(self, ctx: Context, refused: NotStarted) -> Next:
        """Back to the queue if it may find a place after all, else it can't be run as asked."""
        turned = int(ctx.data.get("turned") or 0) + 1
        if not refused.again or (refused.elsewhere and turned >= self.tries):
            return self.refused(ctx, refused, give_back(ctx))
        pause = min(AGAIN * turned, MINUTE)
        return hop(
            "queue",
            pause,
            within=(give_back(ctx),),
            data={"turned": turned, "pause": pause},
            status={
                "phase": "queued",
                "reason": outcome.word(refused.reason, "Refused"),
                "message": outcome.sentences(refused.message),
            },
        )

    def told(self, ctx: Context) -> str:
        """What it was told that ends its run, if anything; it is taken."""
        return next((intent for intent in self.ends if ctx.take(intent)), "")

    async def metered(self, ctx: Context, work: Seen) -> None:
        """In the transaction of ``run``: meter it since its first process started, if one has."""
        if ctx.data.get("metered") != work.id and work.started_at is not None:
            await bill.begin(ctx.tx, ctx.resources, work)
            ctx.data["metered"] = work.id

    @step(deadline=600, remedy=SITE)
    async def stop(self, ctx: Context) -> Next:
        """Ask its processes to end, and end those that have not after a while."""
        run, grace = run_of(ctx), self.grace(ctx)
        async with ctx.db.transaction() as tx:
            work = await work_of(tx, ctx)
        if outcome.over(work):
            return hop("run")
        asked, now = ctx.data.get("asked"), ctx.now.timestamp()
        if asked and now - asked < grace:
            return nap(grace - (now - asked))
        try:
            begun = work.started_at is not None
            if begun and await place.signal(ctx, run, KILL if asked else TERM):
                return nap(grace, data={"asked": asked or now})
            # No signal reaches what has not started, and there is nothing of it to keep.
            await place.erase(ctx, run.at, run.id)
        except SiteUnreachable as away:
            return await self.lost_sight(ctx, away)
        return hop("run", within=(is_gone(ctx),))

    @step(deadline=300, remedy="It can't go on: see the last problem.", inside=True)
    async def update(self, ctx: Context) -> Next:
        """Only its labels can have changed: go on where it was."""
        return self.onward(ctx)

    def onward(self, ctx: Context) -> Next:
        """Back to where a change has interrupted it."""
        if ctx.previous == "rest":
            return done(state="active")
        return hop(ctx.previous, state="active")

    @step(deadline=600, remedy=SITE)
    async def remove(self, ctx: Context) -> Next:
        """End what runs of it, and wait for the end: it is billed to its last second."""
        if "run" not in ctx.data or ctx.previous == "bring":
            return hop("clear")
        run = run_of(ctx)
        async with ctx.db.transaction() as tx:
            work = await work_of(tx, ctx)
        if outcome.over(work):
            return hop("clear", within=(_begin_bill(ctx),))
        try:
            if work.started_at is not None and await place.signal(ctx, run, KILL):
                return nap(AGAIN)
            await place.erase(ctx, run.at, run.id)
        except SiteUnreachable as away:
            return nap(patience(ctx), status=unheard(away))
        return hop("clear", within=(is_gone(ctx), _begin_bill(ctx)))

    @step(deadline=300, remedy=BILL, inside=True)
    async def clear(self, ctx: Context) -> Next:
        """Settle what is still open of it."""
        await entries.drop(ctx.tx, ctx.resource.uid)
        work = await work_of(ctx.tx, ctx) if "run" in ctx.data else None
        cost = await bill.close(ctx.tx, ctx.resources, ctx.resource, work, "tenant")
        return hop("erase", status=cost)

    @step(deadline=600, remedy=SITE)
    async def erase(self, ctx: Context) -> Next:
        """Remove its files and logs from its sites. One that is away does it when it is back."""
        async with ctx.db.transaction() as tx:
            works = await seen.of_owner(tx, ctx.resource.uid)
        for work in works:
            if work.gone_at is None:
                try:
                    await place.erase(ctx, work.at, work.id)
                except SiteUnreachable:
                    continue

        async def give_up(tx: Tx, resource: Resource) -> None:
            for work in works:
                await seen.give_up(tx, work.id)

        return gone(within=(give_up,))


async def work_of(tx: Tx, ctx: Context) -> Seen:
    """What is known of the run that it is in."""
    work = await seen.find(tx, run_of(ctx).id)
    assert work is not None
    return work


def age(ctx: Context) -> float:
    """Seconds since the step was entered."""
    return (ctx.now - ctx.entered_at).total_seconds()


def patience(ctx: Context) -> float:
    """Seconds until a site that did not answer is asked again: more, the longer it is away."""
    return min(max(1.0, age(ctx) / 8), 10.0)


def _waits_for(ctx: Context, busy: VolumeBusy) -> dict[str, str]:
    """The status of one that can't mount a volume yet; nothing if that is known already."""
    shown = {"phase": "queued", "reason": busy.reason, "message": busy.message}
    known = all(ctx.resource.status.get(key) == value for key, value in shown.items())
    return {} if known else shown


def _waits_its_turn(ctx: Context, turn: turns.Turn) -> dict[str, str]:
    """The status of one whose queue has not admitted it; nothing if that, or why it was turned away
    by the market, is known already."""
    known = ctx.resource.status.get("reason") in (QUEUED, "NoOffer", "NoMoney", "Preempted")
    return {} if known else {"phase": "queued", "reason": QUEUED, "message": turn.message}


def unheard(away: SiteUnreachable) -> dict[str, str]:
    return {"message": outcome.sentences(str(away), "It is tried again until the site is back")}


def give_back(ctx: Context) -> Write:
    """The run did not start: its lease ends, and should it start after all, it is deleted."""

    async def write(tx: Tx, resource: Resource) -> None:
        await bill.close(tx, ctx.resources, resource, None, "failed")
        await seen.give_up(tx, run_of(ctx).id)

    return write


def is_gone(ctx: Context) -> Write:
    """The site has said that it has nothing of the run."""

    async def write(tx: Tx, resource: Resource) -> None:
        run = run_of(ctx)
        await seen.is_gone(tx, run.at, [run.id])

    return write


def _begin_bill(ctx: Context) -> Write:
    """Before the lease is closed, in another transaction: see ``bill``."""

    async def write(tx: Tx, resource: Resource) -> None:
        await bill.begin(tx, ctx.resources, await work_of(tx, ctx))

    return write
