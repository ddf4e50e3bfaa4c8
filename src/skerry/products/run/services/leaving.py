"""How a pod leaves its service: out of the route, drained, stopped, deleted.

The flow's notes hold, for each pod on its way out, since when it is, and the version of the route
that leads to it no more.
"""

from typing import Any

from skerry.gateway import drained
from skerry.kernel.flows import Context, acting_for
from skerry.kernel.rows import Resource
from skerry.products.run.pods.specs import AT_REST
from skerry.products.run.services.looks import World


def begin(ctx: Context, pod: Resource, route: Resource) -> None:
    """Send it on its way: ``route`` does not lead to it any more."""
    gone: dict[str, Any] = ctx.data.setdefault("leaving", {})
    gone.setdefault(pod.name, {"since": ctx.now.timestamp(), "version": route.version})


async def go_on(ctx: Context, world: World, route: Resource, patience: float) -> None:
    """One step further for each of them. Requests under way have ``patience`` seconds."""
    notes: dict[str, Any] = dict(ctx.data.get("leaving") or {})
    for name, note in tuple(notes.items()):
        pod = world.children.get(name)
        if pod is None:
            del notes[name]
        elif pod.phase in AT_REST:
            await ctx.resources.delete(ctx.tx, pod, acting_for(ctx.resource), owner=ctx.resource)
            del notes[name]
        elif not note.get("told") and await _drained(ctx, pod, route, note, patience):
            await ctx.resources.intend(ctx.tx, pod.uid, "stop")
            note["told"] = True
    ctx.data["leaving"] = notes or None


async def _drained(
    ctx: Context, pod: Resource, route: Resource, note: dict[str, Any], patience: float
) -> bool:
    workload = pod.status.get("workload")
    if not workload or not pod.status.get("startedAt"):
        return True
    if ctx.now.timestamp() - note["since"] >= patience:
        return True
    return await drained(ctx.tx, route.uid, note["version"], workload)
