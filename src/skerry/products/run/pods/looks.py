"""What a pod's flow reads, and the words it says of it."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from skerry.kernel.flows import Context
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run import outcome
from skerry.products.run.pods.specs import PodSpec
from skerry.products.run.shown import place_at
from skerry.sites import outages
from skerry.sites.places import called
from skerry.sites.seen import Seen
from skerry.store import Tx
from skerry.store.queries import load

_sql = load("skerry.products.run")

LONG = timedelta(minutes=10)
"""What ran so long did not fail at its start; restarts longer ago are forgotten."""
LOOP = 3
"""Restarts within ``LONG`` that make a loop of crashes."""
REPLACED_BY = ("service",)
"""Owners that start another pod before one of theirs leaves its place."""

ENDING: Mapping[str, dict[str, str]] = {
    "stop": {"reason": "Stopping", "message": "It was told to stop."},
    "restart": {"reason": "Restarting", "message": "It was told to start anew."},
    "move": {"reason": "Moving", "message": "Its place is taken back: it moves."},
    "update": {"reason": "Changed", "message": "It was changed, and starts anew."},
    "exhausted": {
        "reason": "BudgetExhausted",
        "message": "The money set aside for it is used up and there is no more.",
    },
}
"""Why a run is ended."""
STOPPED: dict[str, Any] = {
    "phase": "stopped",
    "reason": "Stopped",
    "message": "It was told to stop.",
}
ENDED: Mapping[str, dict[str, Any]] = {
    "stop": STOPPED,
    "exhausted": {"phase": "stopped", **ENDING["exhausted"]},
}
UNSEEN: Mapping[str, None] = dict.fromkeys(("ready", "leaving", "restarts"))


def queued(reason: str, *sentences: str) -> dict[str, Any]:
    """It waits for a place, after what is said."""
    return {
        "phase": "queued",
        "reason": reason or None,
        "message": outcome.sentences(*(s[:1].upper() + s[1:] for s in sentences)) or None,
        **UNSEEN,
    }


def refused(reason: str, message: str) -> dict[str, Any]:
    """It can't be run as asked."""
    text = outcome.sentences(message, "Change it, or start it again when that is mended")
    return {"phase": "failed", "reason": outcome.word(reason, "Refused"), "message": text}


def away(at: str) -> dict[str, str]:
    place = called(at)
    text = f"{place[:1].upper()}{place[1:]} is out of contact"
    return {"reason": "SiteUnreachable", "message": outcome.sentences(text)}


def made_of(resource: Resource) -> str:
    """What tells one spec from another."""
    return hashlib.sha256(msgspec.json.encode(resource.spec, order="sorted")).hexdigest()


def running(ctx: Context, work: Seen) -> dict[str, Any]:
    """Whether it is ready, and whether it ends over and over again. Notes its restarts."""
    if work.status is None:
        return {}
    restarts = sum(task.restarts for task in work.status.tasks)
    now, known = ctx.now.timestamp(), int(ctx.data.get("restarts") or 0)
    crashes = [at for at in ctx.data.get("crashes") or () if now - at < LONG.total_seconds()]
    crashes = [*crashes, *[now] * max(0, restarts - known)][-LOOP:]
    ctx.data.update(restarts=restarts, crashes=crashes)
    ready = work.status.running and not any(task.unready for task in work.status.tasks)
    shown: dict[str, Any] = {"ready": ready or None, "restarts": restarts or None}
    if len(crashes) < LOOP:
        return {**shown, **_waiting(work, ready)}
    text = f"It ended {restarts} times and is started again after ever longer pauses"
    return {**shown, "reason": "CrashLoop", "message": outcome.sentences(text, "See its log")}


def _waiting(work: Seen, ready: bool) -> dict[str, Any]:
    if ready or work.status is None or work.started_at is None:
        return {"reason": None, "message": None}
    why = next((task.message for task in work.status.tasks if task.unready and task.message), "")
    text = why[:1].upper() + why[1:] or "Its health check does not pass"
    return {"reason": "NotReady", "message": outcome.sentences(text)}


async def siblings(tx: Tx, resources: Resources, pod: Resource) -> list[str]:
    """Where the other pods of its owner are: places, and nodes of places."""
    if pod.owner_uid is None:
        return []
    # One after the other: each sees where those before it went.
    await tx.execute(_sql.in_turn, str(pod.owner_uid))
    others = await resources.children(tx, pod.owner_uid)
    found: list[str] = []
    for other in others:
        if other.kind == pod.kind and other.uid != pod.uid and (at := place_at(other)):
            node = (other.status.get("place") or {}).get("node")
            found += [at, f"{at}/{node}"] if node else [at]
    return found


async def is_replaced(ctx: Context) -> bool:
    """Whether its owner starts another one before it goes."""
    owner = ctx.resource.owner_uid
    if owner is None:
        return False
    return (await ctx.resources.by_uid(ctx.tx, owner)).kind in REPLACED_BY


async def patience_left(tx: Tx, spec: PodSpec, at: str) -> float | None:
    """Seconds until it is started elsewhere, if its place is out of contact; infinite where that
    never happens: it was asked not to be moved, or mounts a volume."""
    now = await tx.now()
    for began, _ in await outages.between(tx, at, now, now):
        if not spec.patience or spec.volumes:
            return float("inf")
        return spec.patience - (now - began).total_seconds()
    return None
