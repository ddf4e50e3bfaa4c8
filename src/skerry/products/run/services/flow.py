"""The life of a service: it looks at what there is, and takes the next step towards what is wanted.

There is one step for all of it, ``watch``, which can be repeated at any time and decides from what
it sees (``rolling``). Everything it does is a put, an intent or a delete of something it owns, in
the transaction of the step: what comes of it wakes the service again.
"""

from skerry.kernel.errors import Problem
from skerry.kernel.flows import FOR_EVER, Context, Flow, Next, acting_for, gone, hop, nap, step
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.rows import Resource
from skerry.products.run.services import leaving, looks, revisions
from skerry.products.run.services.looks import World
from skerry.products.run.services.revisions import Kept
from skerry.products.run.services.rolling import Plan, plan
from skerry.products.run.services.specs import OF_THE_ROUTE, ServiceSpec

LOOK = 60.0
"""Seconds between two looks where nothing wakes it."""
SOON = 0.5
"""Seconds between two looks while something leaves: no gateway wakes it."""
LONGEST_PAUSE = 300.0
HOUR = 3600.0


class ServiceFlow(Flow):
    first = "start"

    @step(deadline=300, remedy="It can't begin: see the last problem.", inside=True)
    async def start(self, ctx: Context) -> Next:
        """Its first revision."""
        await revisions.revise(ctx)
        return hop("watch", data={"since": ctx.now.timestamp()})

    @step(deadline=300, remedy="It can't be changed: see the last problem.", inside=True)
    async def update(self, ctx: Context) -> Next:
        """Another revision, if what runs has changed. It begins at once, whatever is under way."""
        before = len(revisions.known(ctx.data)) and revisions.known(ctx.data)[-1].number
        made = await revisions.revise(ctx)
        if made.number != before:
            _anew(ctx)
        # Whoever changes it wants it awake.
        return hop("watch", data={"asleep": None, "since": ctx.data.get("since")})

    @step(deadline=FOR_EVER, inside=True, steady=True)
    async def watch(self, ctx: Context) -> Next:
        """One step towards what is wanted."""
        await self._heed(ctx)
        spec = ctx.spec(ServiceSpec)
        wanted = 0 if ctx.data.get("asleep") else spec.replicas
        revision = revisions.known(ctx.data)[-1]
        world = await looks.look(ctx)
        decided = plan(
            world.pods(),
            wanted=wanted,
            revision=revision.number,
            surge=spec.surge,
            alone=any(not volume.read_only for volume in spec.volumes),
        )
        await self._act(ctx, spec, world, decided)
        trouble = await self._create(ctx, decided.create, revision, world)
        seen = looks.standing(ctx, spec, world, revision, decided, wanted=wanted, trouble=trouble)
        if seen.whole:
            revisions.note_ready(ctx, revision)
            ctx.data.pop("failures", None)
        status = {**seen.status, "revisions": revisions.shown(ctx.data)}
        pause = SOON if ctx.data.get("leaving") else min(LOOK, seen.look_in)
        return nap(pause, state=seen.state, reason=seen.reason, message=seen.message, status=status)

    async def _heed(self, ctx: Context) -> None:
        """What the gateway and people have told it."""
        if ctx.take("restart"):
            await revisions.revise(ctx, again="restart")
            _anew(ctx)
        idle = ctx.take("idle")
        if ctx.take("wake"):
            if ctx.data.get("asleep"):
                ctx.data["asleep"] = None
                ctx.data["since"] = ctx.now.timestamp()
        elif idle and ctx.spec(ServiceSpec).idle:
            ctx.data["asleep"] = True

    async def _act(self, ctx: Context, spec: ServiceSpec, world: World, decided: Plan) -> None:
        """Lead the route to what serves, and send on their way what goes."""
        route = await self._route(ctx, spec, world, decided.serve)
        ctx.data["url"] = route.status.get("url")
        for name in decided.retire:
            if world.over(name):
                _count_failure(ctx, world.children[name])
            leaving.begin(ctx, world.children[name], route)
        await leaving.go_on(ctx, world, route, spec.drain)

    async def _route(
        self, ctx: Context, spec: ServiceSpec, world: World, serve: tuple[str, ...]
    ) -> Resource:
        """Its route, to these pods."""
        backends = [looks.backend(world.children[name]) for name in serve]
        own = looks.builtins({name: getattr(spec, name) for name in OF_THE_ROUTE})
        wanted = {**own, "backends": sorted(backends, key=lambda b: b["workload"])}
        put = ctx.put_child("route", ctx.resource.name, {k: v for k, v in wanted.items() if v})
        await put(ctx.tx, ctx.resource)
        kind = ctx.resources.registry["route"]
        path = Path(ctx.resource.tenant, ctx.resource.workspace, (), ctx.resource.name)
        return await ctx.resources.get(ctx.tx, ref_of(kind, path))

    async def _create(self, ctx: Context, count: int, revision: Kept, world: World) -> str:
        """So many pods of a revision; why that can't be, in words."""
        if count <= 0:
            return ""
        if (ctx.data.get("again") or 0) > ctx.now.timestamp():
            return "-"
        kind = ctx.resources.registry["pod"]
        spec = dict(revision.spec)
        if secret := await revisions.secret_of(ctx.tx, ctx, revision.number):
            spec[revisions.SEALED] = secret
        labels = {looks.SERVICE: ctx.resource.name, looks.REVISION: str(revision.number)}
        for _ in range(count):
            path = await looks.free_name(ctx)
            try:
                async with ctx.tx.savepoint():
                    await ctx.resources.put(
                        ctx.tx,
                        kind,
                        path,
                        {"spec": spec, "labels": labels},
                        acting_for(ctx.resource),
                        owner=ctx.resource,
                    )
            except Problem as problem:
                _pause(ctx)
                return " ".join(filter(None, (problem.detail, problem.hint)))
        return ""

    @step(deadline=HOUR, remedy="A pod of it does not end: look at its site.", inside=True)
    async def remove(self, ctx: Context) -> Next:
        """Its pods leave as they do in a change; then the rest goes."""
        world = await looks.look(ctx)
        spec = ctx.spec(ServiceSpec)
        await self._act(ctx, spec, world, plan(world.pods(), wanted=0, revision=0))
        left = [pod for pod in world.children.values() if pod.phase != "stopped"]
        since = (ctx.now - ctx.entered_at).total_seconds()
        # One whose site is silent is waited for by itself.
        if left and since < spec.drain + spec.grace + 2 * LOOK:
            return nap(SOON)
        return gone()


def _anew(ctx: Context) -> None:
    """A change begins: its time runs from now, and what failed before is forgotten."""
    ctx.data.update(since=ctx.now.timestamp(), failures=None, again=None)


def _count_failure(ctx: Context, pod: Resource) -> None:
    """A pod has failed for good: its successor waits, the longer the more have."""
    ctx.data["why"] = pod.status.get("message") or ""
    _pause(ctx)


def _pause(ctx: Context) -> None:
    failures = int(ctx.data.get("failures") or 0) + 1
    pause = min(5.0 * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE)
    ctx.data.update(failures=failures, again=ctx.now.timestamp() + pause)
