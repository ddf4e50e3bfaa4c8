"""The life of a notebook, in reading order: its pod is made, rises until Jupyter answers, serves,
is asked whether it computes when nobody asks it, leaves its route, ends; and rises again.
"""

from typing import Any

from skerry.gateway import drained
from skerry.kernel.flows import FOR_EVER, Context, Flow, Next, done, gone, hop, nap, step
from skerry.kernel.rows import Resource
from skerry.products.notebook import jupyter, looks
from skerry.products.notebook.activity import Unanswered, ask
from skerry.products.notebook.hooks import SEALED, child, route
from skerry.products.notebook.specs import NotebookSpec
from skerry.sites.contract import SiteUnreachable
from skerry.sites.hub import Hub
from skerry.store.queries import load

_sql = load("skerry.products.notebook")

LOOK = 60.0
"""Seconds between two looks where nothing wakes it: its pod does, and its gateway."""
SOON = 0.5
"""Seconds between two looks while requests end: no gateway wakes it."""
DRAIN = 5.0
"""Seconds that requests under way have. A page that is open holds its connections for ever."""
SILENT = 600.0
"""Seconds after which an unused Jupyter that gives no answer is taken for dead."""
MINUTE, HOUR, DAY = 60.0, 3600.0, 24 * 3600.0
BROKEN = "It can't go on: see the last problem."


class NotebookFlow(Flow):
    first = "start"

    @step(deadline=5 * MINUTE, remedy=BROKEN, inside=True)
    async def start(self, ctx: Context) -> Next:
        """Make its pod."""
        await _put_pod(ctx)
        return hop("rise", state="creating", status=looks.STARTING)

    @step(deadline=7 * DAY, remedy="Its pod does not start: read what that says.", inside=True)
    async def rise(self, ctx: Context) -> Next:
        """Until Jupyter answers, or its pod has ended."""
        _drop(ctx, "wake", "start", "restart", "idle")
        if ctx.take("stop"):
            return hop("close", data={"why": "stop"}, status=looks.STOPPING)
        pod = await _pod(ctx)
        if looks.at_rest(pod):
            told = "start" in await ctx.tx.fetchval(_sql.intents, pod.uid)
            return nap(LOOK) if told else looks.fallen(pod)
        if looks.answers(pod):
            return hop("serve", within=(_lead(ctx, pod),), data={"silent": None})
        shown = looks.rising(pod)
        return nap(LOOK, within=(_lead(ctx),), status=shown)

    @step(deadline=FOR_EVER, inside=True, steady=True)
    async def serve(self, ctx: Context) -> Next:
        """People work in it."""
        pod = await _pod(ctx)
        _drop(ctx, "wake", "start")
        if ctx.take("stop"):
            return hop("close", data={"why": "stop"}, status=looks.STOPPING)
        if ctx.take("restart"):
            await ctx.resources.intend(ctx.tx, pod.uid, "restart")
        if not looks.answers(pod):
            return hop("rise")
        if ctx.take("idle"):
            return hop("ask")
        shown = looks.serving(ctx.spec(NotebookSpec), pod, ctx.data)
        return nap(LOOK, within=(_lead(ctx, pod),), state="active", reason="Started", status=shown)

    @step(deadline=5 * MINUTE, remedy="Its Jupyter is not asked: see the last problem.")
    async def ask(self, ctx: Context) -> Next:
        """Nobody has asked it for a while. Does it compute?"""
        now, idle = ctx.now.timestamp(), ctx.spec(NotebookSpec).idle
        [pod] = [one for one in await ctx.children() if one.kind == "pod"]
        if not looks.answers(pod):
            return hop("rise")
        key = str(await ctx.secret(SEALED))
        try:
            at, workload = looks.place_at(pod), str(pod.status["workload"])
            use = await ask(ctx.services[Hub], at, workload, key)
        except SiteUnreachable:
            return hop("serve")
        except Unanswered:
            silent = float(ctx.data.get("silent") or now)
            if now - silent < SILENT:
                return hop("serve", data={"silent": silent})
            return hop("close", data={"why": "silent"}, status=looks.STOPPING)
        fresh = use.last is not None and now - use.last.timestamp() < idle
        if use.computing or fresh:
            return hop("serve", data={"silent": None, "computing": use.computing or None})
        return hop("close", data={"why": "idle"}, status=looks.STOPPING)

    @step(deadline=5 * MINUTE, remedy=BROKEN, inside=True)
    async def close(self, ctx: Context) -> Next:
        """Lead nobody there any more."""
        await _lead(ctx)(ctx.tx, ctx.resource)
        [version] = [one.version for one in await ctx.children() if one.kind == "route"]
        return hop("drain", data={"version": version})

    @step(deadline=5 * MINUTE, remedy=BROKEN, inside=True)
    async def drain(self, ctx: Context) -> Next:
        """Let requests end; then its pod."""
        pod, route = await _pod(ctx), await child(ctx.tx, ctx.resources, ctx.resource, "route")
        workload = pod.status.get("workload")
        waited = (ctx.now - ctx.entered_at).total_seconds()
        if route is not None and workload and waited < DRAIN:
            version = int(ctx.data["version"])
            if not await drained(ctx.tx, route.uid, version, str(workload)):
                return nap(SOON)
        if not looks.at_rest(pod):
            await ctx.resources.intend(ctx.tx, pod.uid, "stop")
        return hop("end")

    @step(deadline=HOUR, remedy="Its pod does not end: look at its site.", inside=True)
    async def end(self, ctx: Context) -> Next:
        """Until nothing of it runs, and its bill is settled."""
        pod = await _pod(ctx)
        if not looks.at_rest(pod):
            return nap(LOOK)
        shown = looks.stopped(ctx.spec(NotebookSpec), str(ctx.data.get("why") or "stop"))
        return done(state="active", reason=shown["reason"], message=shown["message"], status=shown)

    @step(deadline=FOR_EVER, inside=True, steady=True)
    async def rest(self, ctx: Context) -> Next:
        """It costs nothing, until somebody comes or says so."""
        pod, failed = await _pod(ctx), ctx.resource.phase == "failed"
        _drop(ctx, "idle")
        # A page that asks again and again does not try a broken one again and again.
        woken = ctx.take("wake") and not failed
        if ctx.take("start") or ctx.take("restart") or woken:
            await _begin(ctx, pod)
            return hop("rise", data={"computing": None}, status=looks.STARTING)
        if not looks.at_rest(pod):
            return hop("rise")
        if ctx.take("stop") and failed:
            return hop("close", data={"why": "stop"}, status=looks.STOPPING)
        return done()

    @step(deadline=5 * MINUTE, remedy=BROKEN, inside=True)
    async def update(self, ctx: Context) -> Next:
        """Its pod starts anew if what it runs on has changed. A stopped one stays so."""
        await _put_pod(ctx)
        if ctx.previous == "rest" and ctx.resource.phase == "failed":
            await _begin(ctx, await _pod(ctx))
        elif ctx.previous == "rest":
            return done(state="active", within=(_lead(ctx),))
        elif ctx.previous in ("close", "drain", "end"):
            return hop("close", state="active")
        return hop("rise", state="active")

    @step(deadline=HOUR, remedy="Its pod does not end: look at its site.", inside=True)
    async def remove(self, ctx: Context) -> Next:
        """Its route and its pod go with it."""
        return gone()


def _drop(ctx: Context, *intents: str) -> None:
    """What it is about already, or what is no news any more."""
    for intent in intents:
        ctx.take(intent)


async def _pod(ctx: Context) -> Resource:
    """Its pod as it is, which does not change until this transaction ends."""
    [pod] = [one for one in await ctx.children() if one.kind == "pod"]
    return await ctx.resources.by_uid(ctx.tx, pod.uid, lock=True)


async def _begin(ctx: Context, pod: Resource) -> None:
    """Let a pod that is at rest run again."""
    if looks.at_rest(pod):
        await ctx.resources.intend(ctx.tx, pod.uid, "start")


async def _put_pod(ctx: Context) -> None:
    """Let its pod be as its spec says."""
    r, sealer = ctx.resource, ctx.resources.sealer
    given = await sealer.open(ctx.tx, r.tenant, r.uid, "secretEnv") or {}
    key = await sealer.open(ctx.tx, r.tenant, r.uid, SEALED)
    assert isinstance(given, dict)
    spec = jupyter.pod(ctx.spec(NotebookSpec), r.spec)
    spec["secretEnv"] = {**given, jupyter.KEY: key}
    await ctx.put_child("pod", r.name, spec)(ctx.tx, r)


def _lead(ctx: Context, pod: Resource | None = None) -> Any:
    """Its route to this pod, or to nothing."""
    spec = route(ctx.spec(NotebookSpec))
    if pod is not None:
        backend = {
            "at": looks.place_at(pod),
            "workload": pod.status["workload"],
            "port": jupyter.PORT,
        }
        spec["backends"] = [backend]
    return ctx.put_child("route", ctx.resource.name, spec)
