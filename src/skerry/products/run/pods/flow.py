"""The life of a pod: as ``life`` tells it, and begun again, here or elsewhere, until it is told to
stop."""

from datetime import timedelta
from typing import Any

import msgspec

from skerry.kernel.flows import FOR_EVER, Context, Next, done, hop, nap, step
from skerry.market.ask import Ask
from skerry.market.lease import Lease, Reason
from skerry.market.leases import Market
from skerry.products.run import bill, outcome
from skerry.products.run.life import (
    BILL,
    LOOK,
    Life,
    Write,
    give_back,
    patience,
    unheard,
    work_of,
)
from skerry.products.run.place import NotStarted, Run, run_of
from skerry.products.run.pods import looks
from skerry.products.run.pods.specs import PodSpec
from skerry.sites import outages, seen
from skerry.sites.contract import SiteUnreachable
from skerry.sites.places import called
from skerry.sites.seen import Seen

LONGEST_PAUSE = 300.0
"""Seconds until one that ended for good at its host is placed again."""
AWAY_FROM = 64
"""As how many siblings a place counts that it is to leave."""
_WHY: dict[str, Reason] = {"stop": "tenant", "restart": "tenant", "exhausted": "funds"}


class PodFlow(Life):
    ends = ("stop", "exhausted", "restart", "move")
    tries = float("inf")

    def withdrawn(self, ctx: Context, *placed: Write) -> Next | None:
        moved = ctx.take("move")
        if ctx.take("restart") or ctx.take("start"):
            ctx.data.pop("pause", None)
        if ctx.take("stop"):
            return _rest(looks.STOPPED, within=placed)
        if moved and placed:
            return hop("queue", within=placed, data={"avoid": run_of(ctx).at})
        return None

    def refused(self, ctx: Context, refused: NotStarted, *placed: Write) -> Next:
        return _rest(looks.refused(refused.reason, refused.message), within=placed)

    async def ask(self, ctx: Context) -> Ask:
        ask = await super().ask(ctx)
        siblings = await looks.siblings(ctx.tx, ctx.resources, ctx.resource)
        avoid = str(ctx.data.get("avoid") or "")
        return msgspec.structs.replace(
            ask, spread_from=tuple(sorted(siblings)) + (avoid,) * (AWAY_FROM if avoid else 0)
        )

    def placed(self, ctx: Context, lease: Lease, run: Run) -> dict[str, Any]:
        ctx.data.update(
            made=looks.made_of(ctx.resource), avoid=None, pause=None, crashes=None, restarts=None
        )
        return {**outcome.placed(lease), **looks.UNSEEN, "workload": run.id}

    def grace(self, ctx: Context) -> float:
        return ctx.spec(PodSpec).grace

    async def lost_sight(self, ctx: Context, away: SiteUnreachable) -> Next:
        async with ctx.db.transaction() as tx:
            left = await looks.patience_left(tx, ctx.spec(PodSpec), run_of(ctx).at)
        if left is not None and left <= 0 and ctx.data.get("stop") not in ("stop", "exhausted"):
            return hop("strand")
        return nap(patience(ctx), status={**unheard(away), "ready": None})

    @step(deadline=FOR_EVER, inside=True, steady=True)
    async def run(self, ctx: Context) -> Next:
        """Watch it: bill from its start, say whether it is ready, notice whatever ends it."""
        work = await work_of(ctx.tx, ctx)
        await self.metered(ctx, work)
        if outcome.over(work):
            return hop("finish")
        status = {**outcome.seen(work), **looks.running(ctx, work)}
        told = self.told(ctx) or await self._taken_back(ctx)
        if told == "move" and await looks.is_replaced(ctx):
            return nap(LOOK, status={**status, "leaving": True})
        if told:
            shown = {**status, **looks.ENDING[told], "ready": None}
            return hop("stop", data={"stop": told}, status=shown)
        left = await looks.patience_left(ctx.tx, ctx.spec(PodSpec), work.at)
        if left is not None:
            shown = {**status, **looks.away(work.at), "ready": None}
            return hop("strand") if left <= 0 else nap(min(left, LOOK), status=shown)
        if work.started_at is None:
            return nap(LOOK, status=status)
        return nap(LOOK, state="active", reason="Started", status={**status, "phase": "running"})

    async def _taken_back(self, ctx: Context) -> str:
        """``move`` if the seller wants its place back, or has it already."""
        if ctx.resource.status.get("leaving"):
            return ""
        lease = await Market.of(ctx.resources).open_lease(ctx.tx, ctx.resource.uid)
        return "" if lease is not None and lease.state != "draining" else "move"

    @step(deadline=600, remedy=BILL, inside=True)
    async def strand(self, ctx: Context) -> Next:
        """Its site was silent for longer than it has patience: give the run up, begin another."""
        work = await work_of(ctx.tx, ctx)
        left = await looks.patience_left(ctx.tx, ctx.spec(PodSpec), work.at)
        if left is None or left > 0 or outcome.over(work):
            return hop("stop" if ctx.data.get("stop") else "run")
        now = ctx.now
        [(began, _)] = await outages.between(ctx.tx, work.at, now, now)
        await seen.give_up(ctx.tx, work.id)
        cost = await bill.close(ctx.tx, ctx.resources, ctx.resource, work, "breach", ended=began)
        shown = looks.queued("HostLost", f"{called(work.at)} is out of contact for too long")
        return hop("queue", data={"avoid": work.at}, status={**shown, **cost})

    @step(deadline=300, remedy=BILL, inside=True)
    async def finish(self, ctx: Context) -> Next:
        """Settle the bill to its last second; then it stays stopped, or begins again."""
        work, told = await work_of(ctx.tx, ctx), ctx.data.get("stop")
        result = outcome.result(work, None)
        if result.reason == "Lost":
            # Should it come back from the dead, it is not to run on.
            await seen.give_up(ctx.tx, work.id)
        ended = result.lease if told is None and result.lease != "done" else "failed"
        why: Reason = _WHY.get(told, "done") if told else ended
        cost = await bill.close(ctx.tx, ctx.resources, ctx.resource, work, why)
        status = {**outcome.seen(work), **cost}
        if told in ("stop", "exhausted"):
            return _rest({**status, **looks.ENDED[told]})
        if told:
            data = {"avoid": work.at} if told == "move" else {}
            shown = looks.queued(looks.ENDING[told]["reason"], looks.ENDING[told]["message"])
            return hop("queue", data=data, status={**status, **shown})
        return self._once_more(ctx, work, result, status)

    def _once_more(
        self, ctx: Context, work: Seen, result: outcome.Result, status: dict[str, Any]
    ) -> Next:
        """It ended by itself, and its host does not start it again."""
        ran = (ctx.now - work.started_at) if work.started_at else timedelta()
        failures = 1 if ran > looks.LONG else int(ctx.data.get("failures") or 0) + 1
        pause = min(2.0**failures, LONGEST_PAUSE)
        text = result.message or "Its processes have ended at its host"
        shown = looks.queued(result.reason or "Ended", text, "It is placed again")
        return hop(
            "queue",
            pause,
            data={"failures": failures, "turned": None, "pause": pause},
            status={**status, **shown},
        )

    @step(deadline=300, remedy="It can't go on: see the last problem.", inside=True)
    async def update(self, ctx: Context) -> Next:
        """Run what it says now, if that is another thing."""
        before = ctx.previous
        if ctx.data.get("made") == looks.made_of(ctx.resource):
            return self.onward(ctx)
        if before == "rest" and ctx.resource.phase == "failed":
            return hop("queue", status=looks.queued("Changed", "It was changed"))
        if before == "bring":
            return hop("queue", within=(give_back(ctx),), status=looks.queued("Changed", ""))
        if before in ("launch", "run", "strand"):
            return hop("stop", data={"stop": "update"}, status=looks.ENDING["update"])
        return self.onward(ctx)

    async def on_intent(self, ctx: Context) -> Next:
        """At rest it can be started, and stopped for good."""
        if ctx.take("start") or ctx.take("restart"):
            return hop("queue", data={"pause": None}, status=looks.queued("", ""))
        if ctx.take("stop"):
            return _rest(looks.STOPPED)
        return done()


def _rest(status: dict[str, Any], **more: Any) -> Next:
    """It does not run, until it is started or changed."""
    failed = status["phase"] == "failed"
    return done(
        state="error" if failed else "active",
        reason=status["reason"],
        message=status["message"],
        status={**status, "ready": None, "leaving": None},
        **more,
    )
