"""Workers: they take due flows and run their steps.

Any number of workers, in any number of processes, share one table by ``FOR UPDATE SKIP LOCKED``. A
claim is a lease with a token; a heartbeat keeps it while the step runs, and a worker that lost it
(stalled, cut off) finds at commit that the token is no longer its own and drops what it did.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from skerry.kernel import alerts, overdue
from skerry.kernel.errors import NotFound
from skerry.kernel.flows import FOR_EVER, Context, Flow, Next, Services, Step, acting_for
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.store import DATABASE_AWAY, DATABASE_ERRORS, Database, Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.kernel", "flows.sql")
CHANNEL = "flows"
FAILURES_TO_ALERT = 5

Probe = Callable[[str, str, str], Awaitable[None]]
"""For tests: called with (noun, step, moment) at each moment a kill could strike."""


async def _no_probe(noun: str, step: str, moment: str) -> None:
    return None


@dataclass(frozen=True)
class Claim:
    """A flow that this worker holds. ``resource`` is as the last step left it, if that was ours."""

    row: Row
    resource: Resource | None = None


class Lost(Exception):
    """The claim is no longer ours; another worker goes on."""


class Worker:
    """Runs flows until cancelled.

    ``concurrency`` bounds the steps in progress, ``lease`` is how many seconds a silent worker
    keeps a flow, ``poll`` how long it sleeps when nothing wakes it.
    """

    def __init__(
        self,
        db: Database,
        resources: Resources,
        services: Services,
        *,
        concurrency: int = 16,
        lease: float = 30.0,
        poll: float = 1.0,
        probe: Probe = _no_probe,
    ) -> None:
        self._db = db
        self._resources = resources
        self._services = services
        self._concurrency = concurrency
        self._lease = timedelta(seconds=lease)
        self._poll = poll
        self._probe = probe
        self._wake = asyncio.Event()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._pokes: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("worker")
        self._flows: dict[str, Flow] = {
            k.noun: k.flow() for k in resources.registry.kinds if k.flow is not None
        }

    def wake(self) -> None:
        """Look for due flows now."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; steps in progress are then abandoned, as by a kill."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat())
            group.create_task(overdue.watch(self._db, self._flows))
            await self._db.listen(CHANNEL, self.wake)
            while True:
                try:
                    await self._fill(group)
                except DATABASE_ERRORS as error:
                    self._log.warning("database away, trying again", error=str(error))
                    await asyncio.sleep(self._poll)

    async def _fill(self, group: asyncio.TaskGroup) -> None:
        self._wake.clear()
        free = self._concurrency - len(self._running)
        rows = await self._db.fetch(_sql.claim, free, self._lease) if free > 0 else []
        for row in rows:
            task = group.create_task(self._work(row))
            self._running[row["token"]] = task
            task.add_done_callback(self._freed(row["token"]))
        if not rows or len(rows) == free:
            await self._sleep()

    def _finished(self, token: int) -> None:
        self._running.pop(token, None)
        self._wake.set()

    def _freed(self, token: int) -> Callable[[asyncio.Task[None]], None]:
        return lambda _: self._finished(token)

    async def _sleep(self) -> None:
        pause = self._poll
        if len(self._running) < self._concurrency:
            due = await self._db.fetchval(_sql.next_wake)
            pause = min(self._poll, max(0.0, due)) if due is not None else self._poll
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(pause, 0.005)):
                await self._wake.wait()

    async def drain(self, *, most: int = 1000) -> int:
        """Run everything that is due now, one after another. For tests; says how many steps."""
        count = 0
        while count < most:
            rows = await self._db.fetch(_sql.claim, 1, self._lease)
            if not rows:
                return count
            await self._work(rows[0])
            count += 1
        raise RuntimeError(f"still busy after {most} steps")

    async def check_deadlines(self) -> int:
        """Raise the alerts that are due now; says how many."""
        return await overdue.check(self._db, self._flows)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            if tokens := list(self._running):
                try:
                    await self._db.execute(_sql.heartbeat, tokens, self._lease)
                except DATABASE_ERRORS as error:
                    self._log.warning("heartbeat missed", error=str(error))

    async def _work(self, row: Row) -> None:
        """Run steps of one flow while the next is due at once."""
        try:
            claim: Claim | None = Claim(row)
            while claim is not None:
                claim = await self._step(claim)
        except Lost:
            self._log.info("claim lost, another worker goes on", uid=str(row["uid"]))
        except DATABASE_ERRORS as error:
            # The lease runs out by itself; the step is then repeated.
            self._log.warning("database away in mid-step", error=str(error))

    async def _step(self, claim: Claim) -> Claim | None:
        try:
            return await self._attempt(claim)
        except Lost:
            raise
        except DATABASE_AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - a flow's own failure must not end the worker
            await self._failed(claim.row, error)
            return None

    async def _attempt(self, claim: Claim) -> Claim | None:
        row = claim.row
        ctx, flow, step = await self._prepare(claim)
        noun = ctx.kind.noun
        await self._probe(noun, step.name, "claimed")
        following: Next | None = None
        if not step.inside:
            following = await step.run(flow, ctx)
            await self._probe(noun, step.name, "ran")
        async with self._db.transaction() as tx:
            # The resource's row first, then the flow's, as a put does: else the two could deadlock.
            resource = await self._resources.by_uid(tx, row["uid"], lock=True)
            held = await tx.fetchrow(_sql.hold, row["uid"], row["token"])
            if held is None:
                raise Lost
            # What a put has brought since the claim is still to be seen by ``on_update``.
            seen = ctx.resource.generation
            if following is None:
                ctx.tx_or_none, ctx.resource, ctx.now = tx, resource, await tx.now()
                ctx.intents = list(held["intents"])
                following = await step.run(flow, ctx)
                ctx.tx_or_none = None
            again = await self._commit(tx, held, ctx, step, following, seen=seen, poke=row["poke"])
            await self._probe(noun, step.name, "written")
        await self._probe(noun, step.name, "committed")
        return again

    async def _prepare(self, claim: Claim) -> tuple[Context, Flow, Step]:
        row, resource = claim.row, claim.resource
        if resource is None:
            async with self._db.transaction() as tx:
                resource = await self._resources.by_uid(tx, row["uid"])
        kind = self._resources.registry[resource.kind]
        flow = self._flows[kind.noun]
        name = row["step"]
        data = dict(row["data"])
        if row["deleting"] and not data.get("removing"):
            name, data["removing"] = flow.on_delete, True
        elif not row["deleting"] and resource.generation != row["generation"]:
            name = flow.on_update
        step = flow.steps[name]
        ctx = Context(
            db=self._db,
            resources=self._resources,
            services=self._services,
            resource=resource,
            kind=kind,
            step=name,
            data=data,
            intents=list(row["intents"]),
            token=row["token"],
            tries=row["tries"],
            entered_at=row["entered_at"] if name == row["step"] else row["now"],
            now=row["now"],
            deleting=row["deleting"],
            previous=row["step"],
        )
        return ctx, flow, step

    async def _commit(
        self,
        tx: Tx,
        held: Row,
        ctx: Context,
        step: Step,
        following: Next,
        *,
        seen: int,
        poke: int,
    ) -> Claim | None:
        for write in following.within:
            await write(tx, await self._resources.by_uid(tx, ctx.resource.uid))
        resource = await self._resources.set_status(
            tx,
            ctx.resource.uid,
            state=following.state,
            status=following.status,
            reason=following.reason,
            message=following.message,
        )
        if following.gone:
            if not await self._drop_children(tx, resource):
                await alerts.clear(tx, resource.ref)
                await self._resources.finish_delete(tx, resource)
                self._poke_owner(tx, resource)
                return None
            following = Next(after=1.0)
        if resource.version != ctx.resource.version:
            self._poke_owner(tx, resource)
        row = await self._advance(tx, held, ctx, step, following, seen=seen, poke=poke)
        return Claim(row, resource) if row is not None else None

    async def _advance(
        self,
        tx: Tx,
        held: Row,
        ctx: Context,
        step: Step,
        following: Next,
        *,
        seen: int,
        poke: int,
    ) -> Row | None:
        """Write down which step is next, and when; the row to go on with if that is now."""
        now, ref = await tx.now(), ctx.resource.ref
        name = following.step or step.name
        moved = name != held["step"]
        target = self._flows[ctx.kind.noun].steps[name]
        # An update that goes back to where it was has not left it.
        entered = now if moved else held["entered_at"]
        if moved and held["deadline"] is not None and held["deadline"] < now:
            await alerts.clear(tx, ref, "Overdue")
        if held["tries"] >= FAILURES_TO_ALERT:
            await alerts.clear(tx, ref, "StepFails")
        wake = now + timedelta(seconds=following.after)
        if held["poke"] != poke:
            wake = now
        intents = [i for i in held["intents"] if i not in ctx.taken]
        if intents and name == "rest" != step.name:
            wake = now  # it was told of something on its way there
        soon = wake <= now
        row = await tx.fetchrow(
            _sql.advance,
            held["uid"],
            name,
            {k: v for k, v in {**ctx.data, **following.data}.items() if v is not None},
            wake,
            entered,
            _deadline(entered, target.deadline),
            seen,
            intents,
            now + self._lease if soon else None,
        )
        return _with_now(row, now) if row is not None and soon else None

    async def _drop_children(self, tx: Tx, resource: Resource) -> bool:
        """Ask for the removal of what it owns; whether any is left."""
        children = await self._resources.children(tx, resource.uid)
        for child in children:
            if child.state != "deleting":
                await self._resources.delete(tx, child, acting_for(resource), owner=resource)
        return any([await self._alive(tx, c) for c in children])

    async def _alive(self, tx: Tx, child: Resource) -> bool:
        return (await self._resources.by_uid(tx, child.uid)).deleted_at is None

    def _poke_owner(self, tx: Tx, resource: Resource) -> None:
        """Wake the owner after the commit: waking it within could deadlock with its own commit.
        A wake lost in between is made good by the owner's nap."""
        if resource.owner_uid is not None:
            owner = resource.owner_uid
            tx.after_commit(lambda: self._later(owner))

    def _later(self, uid: Any) -> None:
        task = asyncio.get_running_loop().create_task(poke(self._db, [uid]))
        self._pokes.add(task)
        task.add_done_callback(self._poked)

    def _poked(self, task: asyncio.Task[None]) -> None:
        self._pokes.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._log.info("owner not woken, it looks again by itself", error=str(task.exception()))
        self.wake()

    async def _failed(self, row: Row, error: Exception) -> None:
        tries = row["tries"] + 1
        pause = timedelta(seconds=min(2.0**tries, 60.0) * (0.5 + random.random()))  # noqa: S311
        text = _writable(f"{type(error).__name__}: {error}"[:2000])
        self._log.warning(
            "step failed", kind=row["kind"], step=row["step"], uid=str(row["uid"]), error=text,
            exc_info=not isinstance(error, NotFound),
        )  # fmt: skip
        async with self._db.transaction() as tx:
            await tx.execute(_sql.fail, row["uid"], row["token"], text, pause)
            if tries == FAILURES_TO_ALERT:
                about = await tx.fetchrow(_sql.about, row["uid"])
                assert about is not None
                await alerts.raise_alert(
                    tx,
                    subject=about["ref"],
                    tenant=about["tenant"],
                    reason="StepFails",
                    message=f"step {row['step']!r} failed {tries} times: {text}",
                    remedy="It is tried on with growing pauses. Mend the cause named here, or "
                    f"delete the {row['kind']}.",
                )


def _writable(text: str) -> str:
    """Text that Postgres takes, whatever an error had in it."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")


def _deadline(entered: datetime, seconds: float) -> datetime | None:
    return None if seconds >= FOR_EVER else entered + timedelta(seconds=seconds)


def _with_now(row: Row, now: datetime) -> Any:
    return {**dict(row), "now": now}


async def poke(db: Database, uids: list[Any]) -> None:
    """Wake flows: something they wait for has happened."""
    woken = {row["uid"] for row in await db.fetch(_sql.wake_idle, uids)}
    for uid in uids:
        if uid not in woken:
            # Its row is locked. Who waits for it holds no other, so nobody can wait for us.
            await db.execute(_sql.wake, uid)
    db.notify(CHANNEL)
