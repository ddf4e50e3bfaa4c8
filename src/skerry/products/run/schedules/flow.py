"""The life of a schedule, in reading order: rest, start what is due, forget what is old."""

from datetime import datetime, timedelta
from typing import Any

from skerry.kernel.flows import FOR_EVER, Context, Flow, Next, Write, gone, hop, nap, step
from skerry.kernel.history import stamp
from skerry.kernel.rows import Resource
from skerry.products.run.schedules import cron
from skerry.products.run.schedules.specs import ScheduleSpec
from skerry.products.run.specs import ENDED
from skerry.store import Tx

LATE = timedelta(seconds=60)
"""A job that starts no later than this after its time has missed nothing."""
MOST = 100
"""Times that are made good after a long absence."""
LONGEST = 24 * 3600.0
"""Seconds between two looks at the clock: time zones change their rules."""
REMEDY = "It can't start its job: see the last problem."


class ScheduleFlow(Flow):
    first = "begin"

    @step(deadline=300, remedy=REMEDY, inside=True)
    async def begin(self, ctx: Context) -> Next:
        """Only what comes from now on is due."""
        return hop("look", state="active", data={"after": ctx.now.timestamp()})

    @step(deadline=300, remedy=REMEDY, inside=True)
    async def update(self, ctx: Context) -> Next:
        """Another expression knows nothing of the time before it."""
        spec, data = ctx.spec(ScheduleSpec), {}
        clock = [spec.cron, spec.time_zone, spec.suspended]
        if clock != ctx.data.get("clock"):
            data = {"after": max(ctx.now.timestamp(), _after(ctx).timestamp())}
        return hop("look", state="active", data=data)

    @step(deadline=FOR_EVER, inside=True, steady=True)
    async def rest(self, ctx: Context) -> Next:
        """Until the next time, or until somebody asks for something."""
        return hop("look")

    @step(deadline=300, remedy=REMEDY, inside=True)
    async def look(self, ctx: Context) -> Next:
        """Start what is due, and look again when the next one is."""
        spec = ctx.spec(ScheduleSpec)
        ctx.data["clock"] = [spec.cron, spec.time_zone, spec.suspended]
        jobs = sorted(await ctx.children(), key=lambda job: (job.created_at, job.name))
        old = _old(ctx, spec, jobs)
        if ctx.take("start"):
            # Counted, not timed: a step that is repeated makes the same job.
            name = f"{ctx.resource.name}-now-{_counted(ctx, 1, 0)['started']}"
            status = {**_counted(ctx, 1, 0), "message": f"Started {name} when asked to."}
            return nap(1.0, within=(*old, _start(ctx, name)), status=status)
        if spec.suspended:
            return hop("rest", LONGEST, within=old, status={"phase": "suspended", "nextAt": None})
        passed, dropped, following = cron.due(spec.cron, spec.time_zone, _after(ctx), ctx.now, MOST)
        shown: dict[str, Any] = {
            "phase": "waiting" if following else "over",
            "nextAt": stamp(following) if following else None,
        }
        pause = (following - ctx.now).total_seconds() if following else LONGEST
        if not passed:
            return hop("rest", min(pause, LONGEST), within=old, status=shown)
        chosen = _chosen(spec, passed, ctx.now)
        left_out = dropped + len(passed) - len(chosen)
        return await self._run(ctx, spec, jobs, chosen, left_out, {**shown, "old": old})

    async def _run(
        self,
        ctx: Context,
        spec: ScheduleSpec,
        jobs: list[Resource],
        chosen: list[datetime],
        left_out: int,
        shown: dict[str, Any],
    ) -> Next:
        """Start the jobs of the times chosen, as far as those before them let it."""
        within: list[Write] = list(shown.pop("old"))
        busy = [job for job in jobs if job.phase not in ENDED]
        message = ""
        if spec.overlap != "allow":
            left_out, chosen = left_out + max(len(chosen) - 1, 0), chosen[-1:]
        if busy and chosen and spec.overlap == "skip":
            message = f"Left out: {busy[-1].name} had not ended."
            left_out, chosen = left_out + 1, []
        elif busy and chosen and spec.overlap == "replace":
            within += [_cancel(ctx, job) for job in busy]
        within += [_start(ctx, _name(ctx, at)) for at in chosen]
        last = cron.due(spec.cron, spec.time_zone, _after(ctx), ctx.now, 1)[0][-1]
        if chosen:
            shown["lastJob"] = _name(ctx, chosen[-1])
            message = f"Started {shown['lastJob']}."
        elif not message:
            message = "Left out: its time had passed when nothing could start."
        shown |= {"lastAt": stamp(last), "message": message}
        return nap(
            0.5,
            within=tuple(within),
            data={"after": last.timestamp()},
            status={**shown, **_counted(ctx, len(chosen), left_out)},
        )

    @step(deadline=600, remedy="Its jobs do not end: look at them.", inside=True)
    async def remove(self, ctx: Context) -> Next:
        """Its jobs go with it."""
        return gone()


def _after(ctx: Context) -> datetime:
    """The last time that it has dealt with."""
    return datetime.fromtimestamp(float(ctx.data["after"]), tz=ctx.now.tzinfo)


def _chosen(spec: ScheduleSpec, passed: list[datetime], now: datetime) -> list[datetime]:
    """Which of the times that passed get a job."""
    if spec.missed == "all":
        return passed
    if spec.missed == "once" or now - passed[-1] <= LATE:
        return passed[-1:]
    return []


def _name(ctx: Context, at: datetime) -> str:
    return f"{ctx.resource.name}-{at:%Y%m%d-%H%M%S}"


def _start(ctx: Context, name: str) -> Write:
    # As the tenant wrote it: defaults stay defaults.
    job = ctx.resource.spec["job"]
    return ctx.put_child("job", name, job, {**ctx.resource.labels, "schedule": ctx.resource.name})


def _cancel(ctx: Context, job: Resource) -> Write:
    async def cancel(tx: Tx, schedule: Resource) -> None:
        await ctx.resources.intend(tx, job.uid, "cancel")

    return cancel


def _old(ctx: Context, spec: ScheduleSpec, jobs: list[Resource]) -> tuple[Write, ...]:
    """Forget the oldest of those that ended."""
    ended = [job for job in jobs if job.phase in ENDED and job.state != "deleting"]
    return tuple(ctx.drop_child(job) for job in ended[: max(len(ended) - spec.keep, 0)])


def _counted(ctx: Context, started: int, left_out: int) -> dict[str, int]:
    status = ctx.resource.status
    return {
        "started": int(status.get("started", 0)) + started,
        "leftOut": int(status.get("leftOut", 0)) + left_out,
    }
