"""What a notebook reads of its pod, and the words it says of itself."""

from collections.abc import Mapping
from typing import Any

from skerry.kernel.flows import Next, done
from skerry.kernel.rows import Resource
from skerry.products.notebook.specs import NotebookSpec

STARTING: Mapping[str, Any] = {"phase": "starting", "reason": None, "message": None}
STOPPING: Mapping[str, Any] = {"phase": "stopping", "reason": None, "message": None}
_GONE: Mapping[str, None] = {"site": None, "startedAt": None}
_WHY = {
    "stop": ("Stopped", "It was told to stop."),
    "idle": ("Idle", "Nobody used it."),
    "silent": ("NoAnswer", "Nobody used it, and Jupyter did not answer when asked."),
}


def at_rest(pod: Resource) -> bool:
    """Whether it was stopped or has failed, and will not go on by itself."""
    return pod.phase in ("stopped", "failed")


def answers(pod: Resource) -> bool:
    """Whether requests can be sent to it. A site out of contact may still have it."""
    away = pod.status.get("reason") == "SiteUnreachable"
    return pod.phase == "running" and bool(pod.status.get("ready") or away)


def place_at(pod: Resource) -> str:
    """Who speaks for its place: the site, or the host at the site."""
    place = pod.status.get("place") or {}
    return "/".join(filter(None, (place.get("site", ""), place.get("host", ""))))


def rising(pod: Resource) -> dict[str, Any]:
    """It starts, and its pod says how far it is."""
    told = {name: pod.status.get(name) for name in ("reason", "message")}
    return {"phase": "starting", **told}


def serving(spec: NotebookSpec, pod: Resource, data: Mapping[str, Any]) -> dict[str, Any]:
    """It runs."""
    shown = {
        "phase": "running",
        "site": place_at(pod),
        "startedAt": pod.status.get("startedAt"),
        "reason": pod.status.get("reason"),
        "message": pod.status.get("message"),
    }
    if shown["reason"]:
        return shown
    kernels = int(data.get("computing") or 0)
    if kernels:
        text = "a kernel computes" if kernels == 1 else f"{kernels} kernels compute"
        shown |= {"reason": "Computing", "message": f"Nobody is there, but {text}: it goes on."}
    elif not spec.volume:
        text = "It has no volume: its files are lost when it stops."
        shown |= {"reason": "NoVolume", "message": text}
    return shown


def stopped(spec: NotebookSpec, why: str) -> dict[str, Any]:
    """It has ended, with what is left of it and how it starts again."""
    reason, text = _WHY[why]
    kept = f"Volume {spec.volume} keeps its files" if spec.volume else "Its files are gone"
    message = f"{text} {kept}; it starts again when its page is opened."
    return {"phase": "stopped", "reason": reason, "message": message, **_GONE}


def fallen(pod: Resource) -> Next:
    """Its pod has ended without being told to by it."""
    failed = pod.phase == "failed"
    reason = str(pod.status.get("reason") or "Ended")
    message = str(pod.status.get("message") or "Its pod has ended.")
    status = {"phase": pod.phase, "reason": reason, "message": message, **_GONE}
    return done(
        state="error" if failed else "active", reason=reason, message=message, status=status
    )
