"""The life of a job: as ``life`` tells it, and run again if it failed and may."""

from dataclasses import replace
from functools import partial
from typing import Any

from skerry.kernel import changes
from skerry.kernel.flows import Context, Next, done, hop, nap, step
from skerry.kernel.rows import Resource
from skerry.market.lease import Lease
from skerry.market.queues import entries
from skerry.market.queues.entries import PREEMPT
from skerry.products.run import bill, outcome, scratch
from skerry.products.run.life import (
    BILL,
    DAY,
    LOOK,
    MINUTE,
    SITE,
    Life,
    Write,
    age,
    patience,
    work_of,
)
from skerry.products.run.outcome import Result
from skerry.products.run.place import NotStarted, Run, left_by, run_of
from skerry.products.run.specs import JobSpec
from skerry.sites import seen
from skerry.sites.contract import SiteUnreachable
from skerry.sites.outputs import OUTPUT, Left
from skerry.sites.windows import LEAVE, YIELD
from skerry.store import Tx

HOUR = 3600.0
MOST_UNPAID = 60
"""Seconds that one has to end for want of money: what is set aside lasts for little more."""
MOST_COPIES = 1000
"""Whose logs and artifacts are told by digests."""


class JobFlow(Life):
    ends = tuple(outcome.STOPS)

    def withdrawn(self, ctx: Context, *placed: Write) -> Next | None:
        if ctx.take("cancel"):
            return _end(outcome.CANCELLED, within=placed)
        if ctx.take(PREEMPT) and placed:
            return self._requeue(ctx, {}, *outcome.STOPS[PREEMPT], within=placed)
        return None  # in the queue it was said of an earlier run

    def refused(self, ctx: Context, refused: NotStarted, *placed: Write) -> Next:
        reason = outcome.word(refused.reason, "Refused")
        failed = Result("failed", reason, outcome.sentences(refused.message))
        return self._decide(ctx, failed, {}, within=placed)

    def grace(self, ctx: Context) -> float:
        grace = ctx.spec(JobSpec).grace
        if ctx.data.get("stop") == PREEMPT:
            return float(ctx.data.get("notice", grace))
        return min(grace, MOST_UNPAID) if ctx.data.get("stop") == "exhausted" else grace

    def told(self, ctx: Context) -> str:
        yields, told = ctx.take(YIELD), super().told(ctx)
        spec = ctx.spec(JobSpec)
        if yields and not told and (spec.scratch is not None or spec.preemptible):
            return LEAVE
        return told

    async def settle(self, ctx: Context, run: Run) -> None:
        if ctx.spec(JobSpec).scratch is not None and not ctx.data.get(scratch.MADE):
            await scratch.make(ctx, run.at)(ctx.tx, ctx.resource)

    def placed(self, ctx: Context, lease: Lease, run: Run) -> dict[str, Any]:
        return {**outcome.placed(lease), "attempt": _runs(ctx) + 1}

    def not_started(self, ctx: Context, refused: NotStarted) -> Next:
        following = super().not_started(ctx, refused)
        if refused.reason != scratch.NONE:
            return following
        return replace(
            following,
            within=(*following.within, scratch.drop(ctx)),
            data={**following.data, scratch.MADE: None},
        )

    @step(deadline=364 * DAY, remedy="It still runs: cancel it if it should not.", inside=True)
    async def run(self, ctx: Context) -> Next:
        """Watch it: bill from its start, notice its end."""
        work = await work_of(ctx.tx, ctx)
        await self.metered(ctx, work)
        if outcome.over(work):
            return hop("finish")
        status = outcome.seen(work)
        told = self.told(ctx)
        if not told and (why := outcome.broken(work)):
            shown = {**status, "reason": "CopyFailed", "message": why}
            return hop("stop", data={"stop": outcome.BROKEN}, status=shown)
        if told:
            reason, message = outcome.STOPS[told]
            notice = {}
            if told == PREEMPT and (entry := await entries.find(ctx.tx, ctx.resource.uid)):
                notice = {"notice": entry.notice, "why": entry.evicted_why}
                message = outcome.sentences(
                    entry.evicted_why, f"It has {entry.notice} seconds to end, and is queued again"
                )
            shown = {**status, "reason": reason, "message": message}
            return hop("stop", data={"stop": told, **notice}, status=shown)
        if work.started_at is None:
            return nap(LOOK, status=status)
        shown = {**status, "phase": "running"}
        return nap(LOOK, state="active", reason="Started", status=shown)

    @step(deadline=300, remedy=BILL, inside=True)
    async def finish(self, ctx: Context) -> Next:
        """Settle the bill to its last second, then end it or run it again."""
        work = await work_of(ctx.tx, ctx)
        stop = str(ctx.data.get("stop") or "")
        if stop in outcome.AGAIN and (ctx.data.get("asked") or work.started_at is None):
            # Whatever it exits with: it may have saved its work and be content with that.
            lease = outcome.AGAIN[stop]
            cost = await bill.close(ctx.tx, ctx.resources, ctx.resource, work, lease)
            reason, message = outcome.STOPS[stop]
            if stop == PREEMPT:
                message = outcome.sentences(
                    str(ctx.data.get("why") or message), "It is queued again"
                )
            ctx.data["again"] = int(ctx.data.get("again") or 0) + 1
            return self._requeue(ctx, {**outcome.seen(work), **cost}, reason, message)
        result = outcome.result(work, None if stop in outcome.AGAIN else stop or None)
        if result.reason == "Lost":
            # Should it come back from the dead, it is not to run on.
            await seen.give_up(ctx.tx, work.id)
        cost = await bill.close(ctx.tx, ctx.resources, ctx.resource, work, result.lease)
        keep = work.gone_at is None and work.started_at is not None
        return self._decide(ctx, result, {**outcome.seen(work), **cost}, keep=keep)

    @step(deadline=DAY, remedy=SITE)
    async def keep(self, ctx: Context) -> Next:
        """It has ended. Have the digests of what it left logged, as its host tells them."""
        run = run_of(ctx)
        try:
            found = await left_by(ctx, run, min(ctx.spec(JobSpec).count, MOST_COPIES))
        except SiteUnreachable:
            # A host that is away for longer says nothing of them any more.
            return nap(patience(ctx)) if age(ctx) < HOUR else done(state="active")

        async def note(tx: Tx, resource: Resource) -> None:
            await changes.record(
                tx,
                kind=OUTPUT,
                subject=resource.ref,
                verb="kept",
                tenant=resource.tenant,
                workspace=resource.workspace,
                actor="system",
                body={"run": run.id, "at": run.at, "copies": [_copy(one) for one in found]},
            )

        return done(state="active", within=(note,) if found else ())

    def _decide(
        self,
        ctx: Context,
        result: Result,
        status: dict[str, Any],
        *,
        keep: bool = False,
        **more: Any,
    ) -> Next:
        """Run it again if it failed and may, else it has ended."""
        failures, retries = _failures(ctx) + 1, ctx.spec(JobSpec).retries
        if result.phase != "failed" or result.lease == "funds" or failures > retries:
            return _end(result, status, keep=keep, **more)
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

    def _requeue(
        self, ctx: Context, status: dict[str, Any], reason: str, message: str, **more: Any
    ) -> Next:
        """Run it again, though it has not failed."""
        shown = {"phase": "queued", "reason": reason, "message": message}
        return hop(
            "queue", data={"turned": None, "pause": None}, status={**status, **shown}, **more
        )


def _failures(ctx: Context) -> int:
    """How many of its runs failed."""
    return int(ctx.data.get("failures") or 0)


def _runs(ctx: Context) -> int:
    """How many of its runs are over."""
    return _failures(ctx) + int(ctx.data.get("again") or 0)


def _copy(left: Left) -> dict[str, Any]:
    """What one copy left, as it is logged."""
    files = [{"path": one.path, "size": one.size, "digest": one.digest} for one in left.files]
    log = {"size": left.log_size, "digest": left.log_digest}
    return {"rank": left.rank, "log": log, "files": files, "more": left.more}


def _end(
    result: Result, status: dict[str, Any] | None = None, *, keep: bool = False, **more: Any
) -> Next:
    """It has ended, for good. ``keep``: it left something at its host."""
    shown = {
        "phase": result.phase,
        "reason": result.reason or None,
        "message": result.message or None,
        "exitCode": result.exit_code,
    }
    follow = partial(hop, "keep") if keep else done
    return follow(
        state="active",
        reason=result.reason or "Succeeded",
        message=result.message,
        status={**(status or {}), **shown},
        **more,
    )
