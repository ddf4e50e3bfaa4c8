"""What a service sees of what it owns, and the words it says of it."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from skerry.kernel.flows import Context
from skerry.kernel.history import State
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.rows import Resource
from skerry.products.run.outcome import sentences
from skerry.products.run.pods.specs import AT_REST
from skerry.products.run.services import rolling
from skerry.products.run.services.revisions import Kept, known
from skerry.products.run.services.rolling import Plan
from skerry.products.run.services.specs import SHOWN, ServiceSpec
from skerry.products.run.shown import place_at

SERVICE, REVISION = "skerry.run/service", "skerry.run/revision"
"""Labels of its pods."""


@dataclass(frozen=True)
class World:
    """The pods of a service that are not being deleted, and which of them leave."""

    children: dict[str, Resource] = field(default_factory=dict)
    retiring: frozenset[str] = frozenset()

    def pods(self) -> list[rolling.Pod]:
        return [self._pod(pod) for pod in self.children.values()]

    def over(self, name: str) -> bool:
        return self.children[name].phase in AT_REST

    def _pod(self, pod: Resource) -> rolling.Pod:
        status = pod.status
        return rolling.Pod(
            name=pod.name,
            number=int(pod.name.rpartition("-")[2]),
            revision=int(pod.labels.get(REVISION, 0)),
            ready=bool(status.get("ready")) and pod.phase == "running",
            unheard=status.get("reason") == "SiteUnreachable" and pod.phase == "running",
            over=self.over(pod.name),
            leaving=bool(status.get("leaving")),
            retiring=pod.name in self.retiring,
        )


async def look(ctx: Context) -> World:
    pods = [
        child for child in await ctx.children() if child.kind == "pod" and child.state != "deleting"
    ]
    return World({pod.name: pod for pod in pods}, frozenset(ctx.data.get("leaving") or ()))


async def free_name(ctx: Context) -> Path:
    """The next pod's: the service's own and a number, which grows for ever."""
    kind = ctx.resources.registry["pod"]
    while True:
        number = int(ctx.data.get("next") or 1)
        ctx.data["next"] = number + 1
        name = f"{ctx.resource.name}-{number}"
        path = Path(ctx.resource.tenant, ctx.resource.workspace, (), name)
        # A pod of that name may be somebody's own.
        if await ctx.resources.find(ctx.tx, ref_of(kind, path)) is None:
            return path


def backend(pod: Resource) -> dict[str, Any]:
    """A pod, as a route names it. Its first port is that of its revision."""
    port = pod.spec["ports"][0]
    return {"at": place_at(pod), "workload": pod.status["workload"], "port": port}


def builtins(values: dict[str, Any]) -> dict[str, Any]:
    """Fields of a spec as JSON has them; names without an underscore stay as they are."""
    built: dict[str, Any] = msgspec.to_builtins(values)
    return {"tcpPort" if name == "tcp_port" else name: value for name, value in built.items()}


@dataclass(frozen=True)
class Standing:
    """How it is."""

    status: dict[str, Any]
    state: State | None
    reason: str
    message: str
    whole: bool
    """All that is wanted is ready, and nothing else is there."""
    look_in: float
    """Seconds until time alone changes the answer."""


def standing(
    ctx: Context,
    spec: ServiceSpec,
    world: World,
    revision: Kept,
    decided: Plan,
    *,
    wanted: int,
    trouble: str,
) -> Standing:
    """How it is, in the words of its status."""
    pods = [pod for pod in world.pods() if not pod.retiring and pod.name not in decided.retire]
    ready = sum(pod.ready for pod in pods)
    fresh = sum(pod.ready and pod.revision == revision.number for pod in pods)
    whole = fresh == wanted == len(pods)
    now, since = ctx.now.timestamp(), float(ctx.data.get("since") or 0)
    left = since + spec.progress - now
    phase, reason, message = _said(ctx, world, revision, wanted, ready, whole, left <= 0, trouble)
    status = {
        "phase": phase,
        "reason": reason or None,
        "message": message or None,
        "url": ctx.data.get("url"),
        "replicas": wanted,
        "ready": ready,
        "revision": revision.number,
        "pods": [_replica(world, pod) for pod in sorted(world.pods(), key=_number)[:SHOWN]],
    }
    state: State | None = "active" if whole else "error" if phase == "failing" else None
    again = float(ctx.data.get("again") or 0) - now
    look_in = min((s for s in (left, again) if s > 0 and not whole), default=float("inf"))
    return Standing(status, state, reason or "Ready", message, whole, look_in)


def _said(
    ctx: Context,
    world: World,
    revision: Kept,
    wanted: int,
    ready: int,
    whole: bool,
    late: bool,
    trouble: str,
) -> tuple[str, str, str]:
    """Phase, reason and message."""
    if not wanted:
        if ctx.data.get("asleep"):
            return "asleep", "Idle", "Nobody asks: it starts again with the next request."
        return "stopped", "NoReplicas", "It has no replicas: scale it up to let it run."
    if whole:
        return "running", "", ""
    earlier = [one.number for one in known(ctx.data)[:-1] if one.ready]
    why = _why(ctx, world, revision) if trouble in ("", "-") else trouble
    if late or ctx.data.get("failures"):
        return "failing", "NotReady", _what_to_do(ctx, revision, earlier, ready, why)
    if earlier and not revision.ready:
        text = f"Revision {revision.number} takes over: {ready} of {wanted} are ready"
        return "rolling", "Rolling", sentences(text, why)
    return "starting", "Starting", sentences(f"{ready} of {wanted} are ready", why)


def _what_to_do(ctx: Context, revision: Kept, earlier: list[int], ready: int, why: str) -> str:
    name = ctx.resource.name
    parts = [f"Revision {revision.number} does not get ready", why]
    if earlier and not revision.ready:
        if ready:
            parts.append("The one before goes on serving")
        parts.append(
            f"See skerry service logs {name}, then put a mended one, "
            f"or go back: skerry service rollback {name}"
        )
    else:
        parts.append(f"See skerry service logs {name}")
    return sentences(*parts)


def _why(ctx: Context, world: World, revision: Kept) -> str:
    """What a pod of the revision says of itself."""
    for pod in sorted(world.children.values(), key=lambda pod: pod.phase != "failed"):
        mine = pod.labels.get(REVISION) == str(revision.number)
        if mine and not pod.status.get("ready") and pod.status.get("message"):
            return f"Pod {pod.name} is {pod.phase}: {pod.status['message']}"
    return str(ctx.data.get("why") or "") if ctx.data.get("failures") else ""


def _number(pod: rolling.Pod) -> int:
    return pod.number


def _replica(world: World, pod: rolling.Pod) -> dict[str, Any]:
    child = world.children[pod.name]
    shown = {
        "name": pod.name,
        "revision": pod.revision,
        "phase": child.phase,
        "ready": pod.ready,
        "leaving": pod.leaving or pod.retiring,
        "at": place_at(child),
    }
    return {name: value for name, value in shown.items() if value}
