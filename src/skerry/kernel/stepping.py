"""One step of a flow: what it is given, and how what it says is written down.

A step that tells nothing new and ran outside is written down by one statement, which checks the
claim too. Any other is a transaction that first locks the resource's row and the flow's, in that
order, as a put does.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import structlog

from skerry.kernel import alerts
from skerry.kernel.errors import NotFound
from skerry.kernel.flows import FOR_EVER, Context, Flow, Next, Services, Step, acting_for
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.store import DATABASE_AWAY, DATABASE_ERRORS, Database, Tx
from skerry.store.database import Row
from skerry.store.queries import load

_sql = load("skerry.kernel", "flows.sql")
_log = structlog.get_logger("worker")
CHANNEL = "flows"
FAILURES_TO_ALERT = 5

Probe = Callable[[str, str, str], Awaitable[None]]
"""For tests: called with (noun, step, moment) at each moment a kill could strike: ``claimed``,
``ran`` (outside), ``written`` (nothing of it is committed yet), ``committed``."""


async def no_probe(noun: str, step: str, moment: str) -> None:
    return None


@dataclass(frozen=True)
class Claim:
    """A flow that this worker holds, and the resource as it was read under the claim."""

    row: Row
    resource: Resource


class Lost(Exception):
    """The claim is no longer ours; another worker goes on."""


class Stepper:
    """Runs the steps of claimed flows. ``poked`` is called when an owner was woken."""

    def __init__(
        self,
        db: Database,
        resources: Resources,
        services: Services,
        *,
        lease: timedelta,
        probe: Probe,
        poked: Callable[[], None],
    ) -> None:
        self._db = db
        self._resources = resources
        self._services = services
        self._lease = lease
        self._probe = probe
        self._poked = poked
        self._pokes: set[asyncio.Task[None]] = set()
        self.flows: dict[str, Flow] = {
            k.noun: k.flow() for k in resources.registry.kinds if k.flow is not None
        }

    async def work(self, row: Row, found: Row) -> float | None:
        """Run steps of one flow while the next is due at once. ``found`` is its resource; the
        answer, in how many seconds there is more to do, if that is known."""
        following: Claim | float | None
        try:
            following = await self._first(row, found)
            while isinstance(following, Claim):
                following = await self._step(following)
            return following
        except Lost:
            _log.info("claim lost, another worker goes on", uid=str(row["uid"]))
        except DATABASE_ERRORS as error:
            # The lease runs out by itself; the step is then repeated.
            _log.warning("database away in mid-step", error=str(error))
        return None

    async def _first(self, row: Row, found: Row) -> Claim | float | None:
        try:
            return Claim(row, self._resources.loaded(found))
        except Exception as error:  # noqa: BLE001 - it may be of a kind that is not known here
            return await self._failed(row, error)

    async def _step(self, claim: Claim) -> Claim | float | None:
        try:
            return await self._attempt(claim)
        except Lost:
            raise
        except DATABASE_AWAY:
            raise
        except Exception as error:  # noqa: BLE001 - a flow's own failure must not end the worker
            return await self._failed(claim.row, error)

    async def _attempt(self, claim: Claim) -> Claim | float | None:
        row = claim.row
        ctx, flow, step = self._prepare(claim)
        noun = ctx.kind.noun
        await self._probe(noun, step.name, "claimed")
        following: Next | None = None
        if not step.inside:
            following = await step.run(flow, ctx)
            await self._probe(noun, step.name, "ran")
            if _quiet(ctx, row, following):
                await self._probe(noun, step.name, "written")
                told = await self._onward(ctx, row, step, following)
                if told is not None:
                    await self._probe(noun, step.name, "committed")
                    return self._again(told, ctx.resource)
        async with self._db.transaction() as tx:
            held = await tx.fetchrow(_sql.hold, row["uid"], row["token"])
            if held is None:
                raise Lost
            tx.now_is(held["flow_now"])
            resource = self._resources.locked(tx, held)
            # What a put has brought since the claim is still to be seen by ``on_update``.
            seen = ctx.resource.generation
            if following is None:
                ctx.tx_or_none, ctx.resource, ctx.now = tx, resource, held["flow_now"]
                ctx.intents = list(held["flow_intents"])
                following = await step.run(flow, ctx)
                ctx.tx_or_none = None
            again = await self._commit(tx, row, held, ctx, step, following, seen=seen)
            await self._probe(noun, step.name, "written")
        await self._probe(noun, step.name, "committed")
        return again

    def _prepare(self, claim: Claim) -> tuple[Context, Flow, Step]:
        row, resource = claim.row, claim.resource
        kind = self._resources.registry[resource.kind]
        flow = self.flows[kind.noun]
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

    async def _onward(self, ctx: Context, row: Row, step: Step, following: Next) -> Row | None:
        """Write down what follows a step that has nothing to tell; None if anything has happened
        to the flow since it was claimed, or it is no longer ours."""
        name = following.step or step.name
        return await self._db.fetchrow(
            _sql.onward,
            row["uid"],
            row["token"],
            row["poke"],
            name,
            _merged(ctx, following),
            following.after,
            name != row["step"],
            _seconds(self._target(ctx, name)),
            ctx.resource.generation,
            self._lease,
        )

    def _target(self, ctx: Context, name: str) -> Step:
        return self.flows[ctx.kind.noun].steps[name]

    async def _commit(
        self,
        tx: Tx,
        row: Row,
        held: Row,
        ctx: Context,
        step: Step,
        following: Next,
        *,
        seen: int,
    ) -> Claim | float | None:
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
        told = await self._advance(tx, row, held, ctx, step, following, seen=seen)
        return self._again(told, resource)

    def _again(self, told: Row, resource: Resource) -> Claim | float:
        """Go on at once if the claim was kept for that, else in so many seconds."""
        if told["lease_until"] is not None:
            return Claim(told, resource)
        return float((told["wake_at"] - told["now"]).total_seconds())

    async def _advance(
        self,
        tx: Tx,
        row: Row,
        held: Row,
        ctx: Context,
        step: Step,
        following: Next,
        *,
        seen: int,
    ) -> Row:
        """Write down which step is next, and when; the row to go on with if that is now."""
        now, ref = held["flow_now"], ctx.resource.ref
        name = following.step or step.name
        moved = name != row["step"]
        if moved and row["deadline"] is not None and row["deadline"] < now:
            await alerts.clear(tx, ref, "Overdue")
        if row["tries"] >= FAILURES_TO_ALERT:
            await alerts.clear(tx, ref, "StepFails")
        wake = now + timedelta(seconds=following.after)
        if held["flow_poke"] != row["poke"]:
            wake = now
        intents = [i for i in held["flow_intents"] if i not in ctx.taken]
        if intents and name == "rest" != step.name:
            wake = now  # it was told of something on its way there
        # An update that goes back to where it was has not left it.
        entered = now if moved else row["entered_at"]
        seconds = _seconds(self._target(ctx, name))
        told = await tx.fetchrow(
            _sql.advance,
            row["uid"],
            name,
            _merged(ctx, following),
            wake,
            entered,
            None if seconds is None else entered + timedelta(seconds=seconds),
            seen,
            intents,
            now + self._lease if wake <= now else None,
            now,
        )
        assert told is not None
        return told

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
        task.add_done_callback(self._woken)

    def _woken(self, task: asyncio.Task[None]) -> None:
        self._pokes.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.info("owner not woken, it looks again by itself", error=str(task.exception()))
        self._poked()

    async def _failed(self, row: Row, error: Exception) -> float:
        tries = row["tries"] + 1
        pause = timedelta(seconds=min(2.0**tries, 60.0) * (0.5 + random.random()))  # noqa: S311
        text = _writable(f"{type(error).__name__}: {error}"[:2000])
        _log.warning(
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
        return pause.total_seconds()


async def poke(db: Database, uids: list[Any]) -> None:
    """Wake flows: something they wait for has happened."""
    woken = {row["uid"] for row in await db.fetch(_sql.wake_idle, uids)}
    for uid in uids:
        if uid not in woken:
            # Its row is locked. Who waits for it holds no other, so nobody can wait for us.
            await db.execute(_sql.wake, uid)
    db.notify(CHANNEL)


def _quiet(ctx: Context, row: Row, following: Next) -> bool:
    """Whether nothing but the flow itself changes by what follows."""
    return not (
        _news(ctx.resource, following)
        or following.within
        or following.gone
        or row["tries"] >= FAILURES_TO_ALERT
        or ctx.intents
    )


def _news(resource: Resource, following: Next) -> bool:
    """Whether it tells of the resource what its row does not say."""
    told = msgspec.to_builtins(dict(following.status))
    moved = following.state not in (None, resource.state)
    return moved or any(resource.status.get(name) != value for name, value in told.items())


def _merged(ctx: Context, following: Next) -> dict[str, Any]:
    """The flow's notes after a step."""
    return {k: v for k, v in {**ctx.data, **following.data}.items() if v is not None}


def _seconds(step: Step) -> float | None:
    """For how long a resource may stay in a step; None: as long as it likes."""
    return None if step.deadline >= FOR_EVER else step.deadline


def _writable(text: str) -> str:
    """Text that Postgres takes, whatever an error had in it."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")
