"""The life of a job, in reading order.

Queued until the market places it, launched at its site, watched until its processes have ended,
billed from their start to their exit, and run again if it failed and may. Each run is a workload of
its own with an id used once; what the site reports of it stands in ``sites.seen``, so the steps
that bill and decide talk to nobody.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from skerry.kernel.flows import Context, Flow, Next, done, gone, hop, nap, step
from skerry.kernel.rows import Resource
from skerry.ledger import holds, streams
from skerry.ledger.cost import cost
from skerry.market.lease import Lease, Refusal
from skerry.market.leases import Market
from skerry.products.run import outcome
from skerry.products.run.asks import ask_of
from skerry.products.run.launch import NotStarted, launch
from skerry.products.run.specs import JobSpec
from skerry.sites import seen
from skerry.sites.business import account
from skerry.sites.contract import SiteUnreachable, UnknownWorkload
from skerry.sites.hub import Hub
from skerry.store import Tx

AGAIN = 5.0
"""Seconds between two looks at the market for a job that waits."""
LOOK = 30.0
"""Seconds between two looks at what the site reports; a report itself wakes the flow."""
DAY = 24 * 3600.0
TERM, KILL = 15, 9


class JobFlow(Flow):
    first = "queue"

    @step(
        deadline=7 * DAY,
        remedy="It fits nowhere: read its reasons, then free or add capacity, or cancel it.",
        inside=True,
    )
    async def queue(self, ctx: Context) -> Next:
        """Find it a place, and put the money aside."""
        if ctx.take("cancel"):
            return self._ended(ctx, "cancelled", "Cancelled")
        market = Market.of(ctx.resources)
        ask = ask_of(ctx.spec(JobSpec))
        result = await market.reserve(ctx.tx, ask, ctx.resource)
        if isinstance(result, Refusal):
            return nap(
                AGAIN,
                status={
                    "phase": "queued",
                    "reason": result.reason,
                    "message": f"{result.message}. {result.hint}".replace("..", "."),
                    "decision": str(result.decision),
                },
            )
        return await self._placed(ctx, result)

    async def _placed(self, ctx: Context, lease: Lease) -> Next:
        runs = int(ctx.data.get("runs", 0)) + 1
        workload = f"job-{ctx.resource.uid.hex}-{runs}"
        place = lease.choice.place
        await seen.own(
            ctx.tx, workload, site=place.site, owner=ctx.resource.uid, tenant=ctx.resource.tenant
        )
        return hop(
            "launch",
            state="creating" if ctx.resource.state == "pending" else None,
            data={"lease": str(lease.id), "workload": workload, "runs": runs},
            status={
                "phase": "starting",
                "reason": None,
                "message": None,
                "lease": str(lease.id),
                "decision": str(lease.decision),
                "attempt": int(ctx.data.get("attempt", 0)) + 1,
                "place": outcome.place(place),
                "pricePerHourNano": lease.choice.price.per_hour,
            },
        )

    @step(deadline=600, remedy="Its site does not take it: look at the site and its agent.")
    async def launch(self, ctx: Context) -> Next:
        """Bring its files to the site and start it there."""
        lease = uuid.UUID(ctx.data["lease"])
        try:
            status = await launch(ctx, ctx.data["workload"])
        except SiteUnreachable as away:

            async def keep(tx: Tx, job: Resource) -> None:
                await Market.of(ctx.resources).extend(tx, lease)

            return nap(2.0, within=(keep,), status={"message": str(away)})
        except NotStarted as refused:
            return self._not_started(ctx, refused)

        async def confirm(tx: Tx, job: Resource) -> None:
            await Market.of(ctx.resources).confirm(tx, lease)
            await seen.saw(tx, job.status["place"]["site"], [status])

        return hop(
            "run",
            within=(confirm,),
            status={"engine": status.engine, "isolation": status.isolation, "message": None},
        )

    def _not_started(self, ctx: Context, refused: NotStarted) -> Next:
        """Back to the queue if there was no room after all, else it can't be run as asked."""

        async def give_back(tx: Tx, job: Resource) -> None:
            await Market.of(ctx.resources).close(tx, uuid.UUID(ctx.data["lease"]), "failed")
            await seen.give_up(tx, ctx.data["workload"])

        if refused.again:
            return hop(
                "queue", AGAIN, within=(give_back,),
                status={"phase": "queued", "reason": refused.reason, "message": refused.message},
            )  # fmt: skip
        return self._ended(ctx, "failed", refused.reason, refused.message, within=(give_back,))

    @step(
        deadline=366 * DAY,
        remedy="It still runs: cancel it if it should not.",
        inside=True,
    )
    async def run(self, ctx: Context) -> Next:
        """Watch it: bill from its start, notice its end."""
        if ctx.take("exhausted"):
            return hop("stop", data={"stopping": "BudgetExhausted"})
        if ctx.take("cancel"):
            return hop("stop", data={"stopping": "Cancelled"})
        work = await seen.find(ctx.tx, ctx.data["workload"])
        assert work is not None
        if work.status is None and work.gone_at is None:
            return nap(LOOK)
        await self._meter(ctx, work)
        status = outcome.seen(work)
        if outcome.over(work):
            return hop("finish", status=status)
        if ctx.data.get("stopping"):
            return hop("stop", after=max(0.0, 10.0 - outcome.age(ctx)), status=status)
        # Copies that have ended already don't take it back to starting.
        running = work.started_at is not None
        return nap(
            LOOK,
            state="active" if running else None,
            status={**status, "phase": "running" if running else "starting"},
        )

    async def _meter(self, ctx: Context, work: seen.Seen) -> None:
        """Start its meters at the instant its first process started. Once is enough."""
        if work.started_at is None or ctx.data.get("metered") == work.id:
            return
        lease = await Market.of(ctx.resources).get(ctx.tx, uuid.UUID(ctx.data["lease"]))
        place = lease.choice.place
        await holds.start(
            ctx.tx, lease.id, lease.charges, source=place.site, region=place.region,
            at=work.started_at,
        )  # fmt: skip
        ctx.data["metered"] = work.id

    @step(deadline=300, remedy="Its site does not stop it: look at the site and its agent.")
    async def stop(self, ctx: Context) -> Next:
        """Ask its processes to end; the second time, end them."""
        asked = int(ctx.data.get("asked", 0))
        try:
            driver = ctx.services[Hub].driver(ctx.resource.status["place"]["site"])
            signal = TERM if asked == 0 else KILL
            await driver.signal(ctx.data["workload"], signal, ctx.fence)
        except UnknownWorkload:
            return hop("run", after=1.0, data={"asked": asked + 1})
        except SiteUnreachable as away:
            return nap(2.0, status={"message": str(away)})
        return hop("run", after=1.0, data={"asked": asked + 1})

    @step(deadline=300, remedy="Its bill can't be settled: see the last problem.", inside=True)
    async def finish(self, ctx: Context) -> Next:
        """Settle the bill to its last second, then end it or run it again."""
        work = await seen.find(ctx.tx, ctx.data["workload"])
        assert work is not None
        result = outcome.result(work, ctx.data.get("stopping"))
        charged = await self._close(ctx, work, result.reason)
        spec = ctx.spec(JobSpec)
        attempt = int(ctx.data.get("attempt", 0)) + 1
        if result.phase == "failed" and attempt <= spec.retries and not ctx.data.get("stopping"):
            await seen.give_up(ctx.tx, work.id)
            return hop(
                "queue",
                min(2.0**attempt, 60.0),
                data={"attempt": attempt, "metered": None},
                status={**charged, "phase": "queued", "reason": result.reason,
                        "message": f"attempt {attempt} of {spec.retries + 1} failed"},
            )  # fmt: skip
        return self._ended(
            ctx, result.phase, result.reason, result.message,
            status={**charged, **outcome.seen(work), "exitCode": result.exit_code},
        )  # fmt: skip

    async def _close(self, ctx: Context, work: seen.Seen, reason: str) -> dict[str, Any]:
        """End the lease at the instant the last process ended. May be repeated."""
        market = Market.of(ctx.resources)
        lease = uuid.UUID(ctx.data["lease"])
        if ctx.data.get("metered") == work.id:
            end = work.ended_at or work.seen_at or await ctx.tx.now()
            await account(ctx.tx, work.site)
            await streams.stop(ctx.tx, lease, end)
            await market.close(
                ctx.tx, lease, "failed" if reason == "Lost" else "done", ended_at=end
            )
        else:
            await market.close(ctx.tx, lease, "failed")
        return await spent(ctx.tx, ctx.resource)

    def _ended(
        self,
        ctx: Context,
        phase: str,
        reason: str = "",
        message: str = "",
        *,
        status: Mapping[str, Any] | None = None,
        within: tuple[Any, ...] = (),
    ) -> Next:
        shown = {
            **(status or {}), "phase": phase, "reason": reason or None, "message": message or None,
        }  # fmt: skip
        return done(state="active", status=shown, within=within)

    @step(deadline=300, inside=True)
    async def update(self, ctx: Context) -> Next:
        """Only labels can have changed: go on where it was."""
        if ctx.resource.phase in ("succeeded", "failed", "cancelled"):
            return done(state="active")
        running = ctx.resource.phase == "running"
        return hop(ctx.previous, state="active" if running else "creating")

    @step(deadline=600, remedy="Its site does not let go of it: look at the site and its agent.")
    async def remove(self, ctx: Context) -> Next:
        """End what runs of it, and wait for the end: it is billed to its last second."""
        name = ctx.data.get("workload")
        if name is None:
            return hop("clear")
        async with ctx.db.transaction() as tx:
            work = await seen.find(tx, name)
        if work is None or outcome.over(work):
            return hop("clear")
        try:
            await ctx.services[Hub].driver(work.site).signal(name, KILL, ctx.fence)
        except UnknownWorkload:
            return hop("clear")
        except SiteUnreachable as away:
            return nap(2.0, status={"message": str(away)})
        return nap(1.0)

    @step(deadline=300, remedy="Its bill can't be settled: see the last problem.", inside=True)
    async def clear(self, ctx: Context) -> Next:
        """Settle what is still open of it."""
        lease = await Market.of(ctx.resources).open_lease(ctx.tx, ctx.resource.uid)
        work = await seen.find(ctx.tx, ctx.data["workload"]) if "workload" in ctx.data else None
        if lease is not None and work is not None:
            ctx.data["lease"] = str(lease.id)
            await self._meter(ctx, work)
            return hop("erase", status=await self._close(ctx, work, ""))
        if lease is not None:
            await Market.of(ctx.resources).close(ctx.tx, lease.id, "tenant")
        return hop("erase")

    @step(deadline=600, remedy="Its site does not let go of it: look at the site and its agent.")
    async def erase(self, ctx: Context) -> Next:
        """Remove its files and logs from the sites. One that is away does it when it is back."""
        async with ctx.db.transaction() as tx:
            works = await seen.of_owner(tx, ctx.resource.uid)
        for work in works:
            if work.gone_at is None:
                try:
                    await ctx.services[Hub].driver(work.site).delete(work.id, ctx.fence)
                except SiteUnreachable:
                    continue

        async def give_up(tx: Tx, job: Resource) -> None:
            for work in works:
                await seen.give_up(tx, work.id)

        return gone(within=(give_up,))


async def spent(tx: Tx, job: Resource) -> dict[str, Any]:
    """Its cost so far, for its status."""
    so_far = await cost(tx, job.tenant, resource=job.uid)
    return {"cost": {"currency": so_far.currency, "amountNano": so_far.total}}
