"""What a pod's state means for its task, in plain words.

The kubelet's word counts: whether the task's container runs, when it started and ended, and its
exit code. The keeper's message makes it finer, where it agrees: the code of the last run, the
restarts, why it ended, and parts of seconds, of which the kubelet tells whole ones only.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from skerry.sites.contract import TaskStatus
from skerry.sites.kubernetes.names import TASK
from skerry.sites.kubernetes.seen import ContainerStatus, Pod, Terminated

AGREES = timedelta(seconds=2)
_IMAGE = {
    "ErrImagePull": "its image can't be pulled",
    "ImagePullBackOff": "its image can't be pulled",
    "ErrImageNeverPull": "its image is not at the node, and is not to be pulled",
    "InvalidImageName": "that is no name of an image",
    "ImageInspectError": "its image can't be read at the node",
    "RegistryUnavailable": "the registry of its image does not answer",
}
_CREATE = {
    "CreateContainerConfigError": "its container can't be made",
    "CreateContainerError": "its container can't be made",
    "RunContainerError": "its container can't be started",
}


class Message(NamedTuple):
    """What the keeper left as its last words."""

    code: int
    restarts: int
    started: datetime | None
    ended: datetime | None
    reason: str
    message: str


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def fields(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _micros(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text) / 1e6, UTC) if int(text) > 0 else None
    except (ValueError, OverflowError):
        return None


def last_words(text: str) -> Message | None:
    """None where they are not the keeper's: it was killed before it could say any."""
    told = fields(text)
    try:
        code, restarts = int(told["code"]), int(told["restarts"])
    except (KeyError, ValueError):
        return None
    started, ended = _micros(told.get("started", "")), _micros(told.get("ended", ""))
    return Message(
        code & 255, restarts, started, ended, told.get("reason", "")[:32], told.get("message", "")
    )


def _finer(fine: datetime | None, known: datetime | None) -> datetime | None:
    return fine if fine and known and abs(fine - known) <= AGREES else known


class Known(NamedTuple):
    """What else there is to say of a task whose pod is looked at."""

    rank: int
    began: datetime | None
    """When it was told to go, where it had to wait for that."""
    waits: bool
    restarts: bool
    """Whether its container is started again when the keeper is killed."""
    checked: bool
    """Whether it has a health check."""
    told: dict[str, str]
    """The keeper's state, when it was last asked."""
    flipped: bool
    """Whether the kubelet finds it unready now, and its keeper was not asked why yet."""
    gpus: tuple[str, ...]


def task_status(pod: Pod, known: Known) -> TaskStatus:
    status, node = pod.status, pod.spec.node_name
    common: dict[str, Any] = {"rank": known.rank, "node": node, "gpus": known.gpus}
    main = next((c for c in status.container_statuses if c.name == TASK), None)
    over = main.state.terminated if main is not None else None
    if over is not None and (over.exit_code == 0 or not known.restarts or _final(pod)):
        return _ended(over, known, common)
    if status.phase in ("Failed", "Succeeded"):
        reason = status.reason or status.phase
        words = status.message or f"its pod ended: {reason}"
        return TaskStatus(phase="lost", reason=reason, message=_plain(words), **common)
    if main is not None and (main.state.running is not None or main.restart_count > 0):
        return _running(pod, main, known, common)
    reason, message = _why_not(pod, main)
    return TaskStatus(phase="pending", reason=reason, message=message, **common)


def _final(pod: Pod) -> bool:
    return pod.status.phase in ("Failed", "Succeeded") or bool(pod.metadata.deletion_timestamp)


def _ended(over: Terminated, known: Known, common: dict[str, Any]) -> TaskStatus:
    words = last_words(over.message)
    started = moment(over.started_at)
    if known.began and (started is None or known.began > started):
        started = known.began
    ended = moment(over.finished_at)
    code = over.exit_code
    reason, message, restarts = "", "", 0
    if words is not None:
        code, restarts = words.code, words.restarts
        reason, message = words.reason, words.message
        started = _finer(words.started, started)
        ended = _finer(words.ended, ended)
    if over.reason == "OOMKilled" and code == 137 and not reason:
        reason = "OutOfMemory"
    if over.reason in ("ContainerCannotRun", "StartError", "ContainerStatusUnknown"):
        reason, message = over.reason, _plain(over.message)
    if reason == "OutOfMemory" and not message:
        message = "it used more memory than it asked for"
    if started and ended and ended < started:
        ended = started
    return TaskStatus(
        phase="exited",
        exit_code=code,
        reason=reason,
        message=message,
        started_at=started,
        ended_at=ended,
        restarts=restarts,
        **common,
    )


def _running(pod: Pod, main: ContainerStatus, known: Known, common: dict[str, Any]) -> TaskStatus:
    if known.waits and known.began is None:
        words = "it waits for its files, or for the other tasks of its gang"
        return TaskStatus(phase="pending", reason="Starting", message=words, **common)
    now = main.state.running
    before = main.last_state.terminated or main.state.terminated
    started = moment(now.started_at) if now else moment(before.started_at) if before else None
    if known.began and (started is None or known.began > started):
        started = known.began
    # The kubelet's word only makes us ask the keeper, who knows why: one is not shown without the
    # other.
    told = known.told.get("unready")
    unready = known.checked and not main.ready and not known.flipped
    if told is not None:
        unready = unready or told != "0"
    message = known.told.get("message", "") if unready else ""
    if now is None:
        unready = True
        message = "it was ended by the kernel, most likely for its memory, and waits to start again"
    reason = ""
    for condition in pod.status.conditions:
        if condition.type == "Ready" and condition.reason == "NodeNotReady":
            reason, message = "NodeNotReady", "its node is not heard of; it may well go on"
    restarts = known.told.get("restarts", "0")
    return TaskStatus(
        phase="running",
        reason=reason,
        message=message,
        started_at=started,
        restarts=int(restarts) if restarts.isdigit() else 0,
        unready=unready,
        **common,
    )


def _why_not(pod: Pod, main: ContainerStatus | None) -> tuple[str, str]:
    """Why it does not run yet: reason and words."""
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            if condition.reason == "SchedulingGated":
                return "SchedulingGated", "somebody else holds it back from being placed"
            return "Unschedulable", f"no node can take it: {_plain(condition.message)}"
    for found in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        waiting = found.state.waiting
        if waiting is None:
            continue
        for table, word in ((_IMAGE, "ImageError"), (_CREATE, "StartError")):
            if waiting.reason in table:
                more = f": {_plain(waiting.message)}" if waiting.message else ""
                return word, f"{table[waiting.reason]}{more}"
    return "", ""


def _plain(text: str) -> str:
    """One line without the cluster's own decoration."""
    words = " ".join(text.split())
    return words[:400]
