"""The life of a job, in reading order.

Queued until the market places it, brought to its site and launched there, watched until its
processes have ended, billed from their start to their end, and run again if it failed and may.

Each run is a workload of its own, with an id used once. From ``bring`` on its lease is ended by
this flow and nobody else. Once ``launch`` has called the site, the run may be there whatever the
answer was, so nothing is given up or started elsewhere until the site has been heard. What the site
reports stands in ``sites.seen``; the steps that bill and decide read it there and talk to nobody.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from skerry.kernel.flows import Context, Flow, Next, done, gone, hop, nap, step
from skerry.kernel.rows import Resource
from skerry.market.lease import Lease, Refusal
from skerry.market.leases import Market
from skerry.products.run import bill, outcome, place
from skerry.products.run.asks import ask_of
from skerry.products.run.mounts import volume_sites
from skerry.products.run.outcome import Result
from skerry.products.run.place import NotStarted, Run, run_of
from skerry.products.run.specs import ENDED, JobSpec
from skerry.products.run.work import GRACE
from skerry.sites import seen
from skerry.sites.contract import SiteUnreachable
from skerry.sites.places import called
from skerry.sites.seen import Seen
from skerry.store import Tx

AGAIN = 5.0
"""Seconds between two looks at the market for a job that waits."""
LOOK = 300.0
"""Seconds between two looks at what the site reports; a report itself wakes the flow."""
MINUTE, DAY = 60.0, 24 * 3600.0
TERM, KILL = 15, 9
SITE = "Its site does not answer: see whether its host is up and its agent runs."
BILL = "Its bill can't be settled: see the last problem."

Write = Callable[[Tx, Resource], Awaitable[None]]
"""Done in the transaction that ends a step."""


class JobFlow(Flow):
    first = "queue"

    @step(
        deadline=7 * DAY,
        remedy="It fits nowhere: read its reasons, then free or add capacity, or cancel it.",
        inside=True,
    )
    async def queue(self, ctx: Context) -> Next:
        """Find it a place, and put the money aside."""
        ctx.take("exhausted")  # it was said of an earlier run
        if ctx.take("cancel"):
            return _end(outcome.CANCELLED)
        pause = float(ctx.data.get("pause") or 0) - _age(ctx)
        if pause > 0:
            return nap(pause)  # a late word of its last run has woken it
        market = Market.of(ctx.resources)
        spec = place.spec_of(ctx)
        ats = await volume_sites(ctx.tx, ctx.resources, ctx.resource, spec)
        found = await market.reserve(ctx.tx, ask_of(spec, volume_sites=ats), ctx.resource)
        if isinstance(found, Refusal):
            # Refused as it was before: then nothing of it is news.
            news = str(found.decision) != ctx.resource.status.get("decision")
            return nap(AGAIN, status=outcome.waiting(found) if news else {})
        lease = await market.confirm(ctx.tx, found.id)
        return await self._placed(ctx, lease)

    async def _placed(self, ctx: Context, lease: Lease) -> Next:
        """Write down the run before its site hears of it."""
        job, number = ctx.resource, int(ctx.data.get("runs", 0)) + 1
        for earlier in await seen.of_owner(ctx.tx, job.uid) if number > 1 else ():
            await seen.give_up(ctx.tx, earlier.id)
        run = Run.numbered(number, job, lease.choice)
        await seen.own(ctx.tx, run.id, at=run.at, owner=job.uid, tenant=job.tenant)
        return hop(
            "bring",
            state="creating" if job.state == "pending" else None,
            reason="Placed",
            message=f"At {called(run.at)}.",
            data={"run": msgspec.to_builtins(run), "runs": number},
            status=outcome.placed(lease, attempt=_failures(ctx) + 1),
        )

    @step(deadline=3600, remedy="Its files do not get to its site: look at the site.")
    async def bring(self, ctx: Context) -> Next:
        """Bring its files to its site. Nothing has started: without the site it goes elsewhere."""
        if ctx.take("cancel"):
            return _end(outcome.CANCELLED, within=(_give_back(ctx),))
        try:
            run = await place.bring(ctx, run_of(ctx))
        except SiteUnreachable as away:
            return self._not_started(ctx, NotStarted("SiteUnreachable", str(away), again=True))
        except NotStarted as refused:
            return self._not_started(ctx, refused)
        brought = {"image": run.image} if run.image else {}
        return hop("launch", data={"run": msgspec.to_builtins(run)}, status=brought)

    @step(deadline=600, remedy=SITE)
    async def launch(self, ctx: Context) -> Next:
        """Start it there."""
        if ctx.take("cancel"):
            return hop("stop", data={"stop": "cancel"})
        run = run_of(ctx)
        try:
            status = await place.start(ctx, run)
        except SiteUnreachable as away:
            return nap(_patience(ctx), status=_away(away))
        except NotStarted as refused:
            return self._not_started(ctx, refused)

        async def note(tx: Tx, job: Resource) -> None:
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

    def _not_started(self, ctx: Context, refused: NotStarted) -> Next:
        """Back to the queue if it may find a place after all, else it can't be run as asked."""
        reason = outcome.word(refused.reason, "Refused")
        message = outcome.sentences(refused.message)
        if not refused.again:
            failed = Result("failed", reason, message)
            return self._decide(ctx, failed, {}, within=(_give_back(ctx),))
        turned = int(ctx.data.get("turned", 0)) + 1
        pause = min(AGAIN * turned, MINUTE)
        return hop(
            "queue",
            pause,
            within=(_give_back(ctx),),
            data={"turned": turned, "pause": pause},
            status={"phase": "queued", "reason": reason, "message": message},
        )

    @step(deadline=364 * DAY, remedy="It still runs: cancel it if it should not.", inside=True)
    async def run(self, ctx: Context) -> Next:
        """Watch it: bill from its start, notice its end."""
        work = await _work(ctx.tx, ctx)
        if ctx.data.get("metered") != work.id and work.started_at is not None:
            await bill.begin(ctx.tx, ctx.resources, work)
            ctx.data["metered"] = work.id
        if outcome.over(work):
            return hop("finish")
        status = outcome.seen(work)
        for intent, (reason, message) in outcome.STOPS.items():
            if ctx.take(intent):
                shown = {**status, "reason": reason, "message": message}
                return hop("stop", data={"stop": intent}, status=shown)
        if work.started_at is None:
            return nap(LOOK, status=status)
        shown = {**status, "phase": "running"}
        return nap(LOOK, state="active", reason="Started", status=shown)

    @step(deadline=600, remedy=SITE)
    async def stop(self, ctx: Context) -> Next:
        """Ask its processes to end, and end those that have not after a while."""
        run = run_of(ctx)
        async with ctx.db.transaction() as tx:
            work = await _work(tx, ctx)
        if outcome.over(work):
            return hop("run")
        asked, now = ctx.data.get("asked"), ctx.now.timestamp()
        if asked and now - asked < GRACE:
            return nap(GRACE - (now - asked))
        try:
            begun = work.started_at is not None
            if begun and await place.signal(ctx, run, KILL if asked else TERM):
                return nap(GRACE, data={"asked": asked or now})
            # No signal reaches what has not started, and there is nothing of it to keep.
            await place.erase(ctx, run.at, run.id)
        except SiteUnreachable as away:
            return nap(_patience(ctx), status=_away(away))
        return hop("run", within=(_is_gone(ctx),))

    @step(deadline=300, remedy=BILL, inside=True)
    async def finish(self, ctx: Context) -> Next:
        """Settle the bill to its last second, then end it or run it again."""
        work = await _work(ctx.tx, ctx)
        result = outcome.result(work, ctx.data.get("stop"))
        if result.reason == "Lost":
            # Should it come back from the dead, it is not to run on.
            await seen.give_up(ctx.tx, work.id)
        cost = await bill.close(ctx.tx, ctx.resources, ctx.resource, work, result.lease)
        return self._decide(ctx, result, {**outcome.seen(work), **cost})

    def _decide(self, ctx: Context, result: Result, status: dict[str, Any], **more: Any) -> Next:
        """Run it again if it failed and may, else it has ended."""
        failures, retries = _failures(ctx) + 1, ctx.spec(JobSpec).retries
        if result.phase != "failed" or result.lease == "funds" or failures > retries:
            return _end(result, status, **more)
        tried = f"Attempt {failures} of {retries + 1} failed"
        shown = {
            "phase": "queued",
            "reason": result.reason,
            "message": outcome.sentences(tried, result.message),
        }
        pause = min(2.0**failures, MINUTE)
        return hop(
            "queue",
            pause,
            data={"failures": failures, "turned": None, "pause": pause},
            status={**status, **shown},
            **more,
        )

    @step(deadline=300, remedy="It can't go on: see the last problem.", inside=True)
    async def update(self, ctx: Context) -> Next:
        """Only its labels can have changed: go on where it was."""
        if ctx.resource.phase in ENDED:
            return done(state="active")
        return hop(ctx.previous, state="active")

    @step(deadline=600, remedy=SITE)
    async def remove(self, ctx: Context) -> Next:
        """End what runs of it, and wait for the end: it is billed to its last second."""
        if "run" not in ctx.data or ctx.previous == "bring":
            return hop("clear")
        run = run_of(ctx)
        async with ctx.db.transaction() as tx:
            work = await _work(tx, ctx)
        if outcome.over(work):
            return hop("clear", within=(_begin_bill(ctx),))
        try:
            if work.started_at is not None and await place.signal(ctx, run, KILL):
                return nap(AGAIN)
            await place.erase(ctx, run.at, run.id)
        except SiteUnreachable as away:
            return nap(_patience(ctx), status=_away(away))
        return hop("clear", within=(_is_gone(ctx), _begin_bill(ctx)))

    @step(deadline=300, remedy=BILL, inside=True)
    async def clear(self, ctx: Context) -> Next:
        """Settle what is still open of it."""
        work = await _work(ctx.tx, ctx) if "run" in ctx.data else None
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

        async def give_up(tx: Tx, job: Resource) -> None:
            for work in works:
                await seen.give_up(tx, work.id)

        return gone(within=(give_up,))


async def _work(tx: Tx, ctx: Context) -> Seen:
    """What is known of the run that the job is in."""
    work = await seen.find(tx, run_of(ctx).id)
    assert work is not None
    return work


def _failures(ctx: Context) -> int:
    """How many of its runs failed."""
    return int(ctx.data.get("failures") or 0)


def _age(ctx: Context) -> float:
    """Seconds since the step was entered."""
    return (ctx.now - ctx.entered_at).total_seconds()


def _patience(ctx: Context) -> float:
    """Seconds until a site that did not answer is asked again: more, the longer it is away."""
    return min(max(1.0, _age(ctx) / 8), 10.0)


def _away(away: SiteUnreachable) -> dict[str, str]:
    return {"message": outcome.sentences(str(away), "It is tried again until the site is back")}


def _give_back(ctx: Context) -> Write:
    """The run did not start: its lease ends, and should it start after all, it is deleted."""

    async def write(tx: Tx, job: Resource) -> None:
        await bill.close(tx, ctx.resources, job, None, "failed")
        await seen.give_up(tx, run_of(ctx).id)

    return write


def _is_gone(ctx: Context) -> Write:
    """The site has said that it has nothing of the run."""

    async def write(tx: Tx, job: Resource) -> None:
        run = run_of(ctx)
        await seen.is_gone(tx, run.at, [run.id])

    return write


def _begin_bill(ctx: Context) -> Write:
    """Before the lease is closed, in another transaction: see ``bill``."""

    async def write(tx: Tx, job: Resource) -> None:
        await bill.begin(tx, ctx.resources, await _work(tx, ctx))

    return write


def _end(result: Result, status: dict[str, Any] | None = None, **more: Any) -> Next:
    """It has ended, for good."""
    shown = {
        "phase": result.phase,
        "reason": result.reason or None,
        "message": result.message or None,
        "exitCode": result.exit_code,
    }
    return done(
        state="active",
        reason=result.reason or "Succeeded",
        message=result.message,
        status={**(status or {}), **shown},
        **more,
    )
