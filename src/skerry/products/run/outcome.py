"""What a workload's tasks come to: a phase, an exit code, times, in the words of a status."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from skerry.kernel.history import stamp
from skerry.market.lease import Lease, Reason, Refusal
from skerry.market.queues.entries import PREEMPT
from skerry.products.run.specs import Phase
from skerry.products.run.work import Task
from skerry.sites.contract import TaskStatus
from skerry.sites.places import called
from skerry.sites.seen import Seen
from skerry.sites.windows import LEAVE

_WORD = re.compile("[A-Z][A-Za-z0-9]{0,63}")
_LONGEST = 4000

STOPS = {
    "cancel": ("Cancelled", "It was cancelled; what it wrote so far is kept."),
    "exhausted": (
        "BudgetExhausted",
        "The money set aside for it is used up and there is no more; what it wrote so far is kept.",
    ),
    PREEMPT: ("Preempted", "It gives way to another, and is queued again when it has ended."),
    LEAVE: ("Maintenance", "Its place is being worked on: it is queued again when it has ended."),
}
"""Why a job is ended before its time: what its flow is told, and the reason with its words."""


AGAIN: Mapping[str, Reason] = {PREEMPT: "preempted", LEAVE: "provider"}
"""After which of them it is run again, and why its lease is closed then."""
BROKEN = "broken"
"""Why a gang is ended: one of its copies has failed."""


@dataclass(frozen=True)
class Result:
    """How a run ended. ``lease`` is why its lease is closed."""

    phase: Phase
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    lease: Reason = "done"


CANCELLED = Result("cancelled", "Cancelled", "It was cancelled before it ran.", lease="tenant")


def over(work: Seen) -> bool:
    """Whether nothing of it runs any more: all tasks ended, or the site has it no longer."""
    return work.gone_at is not None or (work.status is not None and work.status.ended)


def result(work: Seen, stop: str | None) -> Result:
    """How it ended. ``stop`` says why Skerry itself ended it, if it did."""
    tasks = work.status.tasks if work.status else ()
    failed = sorted((t for t in tasks if t.phase != "exited" or t.exit_code != 0), key=_when)
    code = next((t.exit_code for t in failed if t.exit_code), None)
    if stop == "cancel":
        ran = work.started_at is not None
        return Result("cancelled", *STOPS[stop], code, "tenant") if ran else CANCELLED
    if stop is not None and stop != BROKEN:
        return Result("failed", *STOPS[stop], code, "funds")
    if work.gone_at is not None and not (tasks and all(t.phase == "exited" for t in tasks)):
        text = f"It is gone: {called(work.at)} has nothing of it any more."
        return Result("failed", "Lost", text, code, "breach")
    if not failed:
        return Result("succeeded", exit_code=0)
    # Where one has ended the gang, the others were ended for it; else an exit code tells most.
    coded = None if stop == BROKEN else next((t for t in failed if t.exit_code), None)
    first = coded or failed[0]
    if first.phase == "lost":
        text = sentences(first.message or f"Its process was lost at {called(work.at)}")
        return Result("failed", "Lost", text, None, "breach")
    text = first.message
    if len(tasks) > 1:
        text = f"Copy {first.rank} of {len(tasks)}: {text or f'exit code {first.exit_code}'}"
    return Result("failed", word(first.reason, "ExitCode"), sentences(text), code)


def broken(work: Seen) -> str:
    """What a copy that failed has come to, while others run that wait for it in vain."""
    tasks = work.status.tasks if work.status else ()
    ended = [t for t in tasks if t.phase == "lost" or (t.phase == "exited" and t.exit_code != 0)]
    if not ended or all(t.phase in ("exited", "lost") for t in tasks):
        return ""
    first = min(ended, key=_when)
    how = "is lost" if first.phase == "lost" else f"has ended with exit code {first.exit_code}"
    return f"Copy {first.rank} of {len(tasks)} {how}: the others are ended."


def _when(task: TaskStatus) -> tuple[bool, datetime | None, int]:
    """The first to end first, and before it whatever ended at a time that nobody knows."""
    return task.ended_at is not None, task.ended_at, task.rank


def sentences(*parts: str) -> str:
    """One text of all parts, each of which ends as a sentence does."""
    stripped = (part.strip() for part in parts)
    text = " ".join(p if p.endswith((".", "!", "?", "…")) else f"{p}." for p in stripped if p)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def word(reason: str, default: str) -> str:
    """A reason that a site gave, as the one CamelCase word that it should be."""
    return reason if _WORD.fullmatch(reason) else default


def placed(lease: Lease) -> dict[str, Any]:
    """The status of one that was given a place, with nothing left of an earlier run."""
    choice, place = lease.choice, lease.choice.place
    return {
        **_BLANK,
        "phase": "starting",
        "lease": str(lease.id),
        "decision": str(lease.decision),
        "pricePerHourNano": lease.choice.price.per_hour,
        "place": {
            "site": place.site,
            **({"host": place.host} if place.host else {}),
            **({"node": place.node} if place.node else {}),
            **({"near": f"{choice.level} {choice.domain}"} if choice.level else {}),
            "region": place.region,
            "zone": place.zone,
            "jurisdiction": place.jurisdiction,
            "operator": place.operator,
        },
    }


_BLANK: Mapping[str, None] = dict.fromkeys(
    (
        "reason", "message", "exitCode", "tasks", "startedAt", "endedAt", "engine", "isolation",
        "image",
    )
)  # fmt: skip


def waiting(refusal: Refusal) -> dict[str, Any]:
    """The status of one that found no place."""
    return {
        "phase": "queued",
        "reason": refusal.reason,
        "message": sentences(refusal.message, refusal.hint),
        "decision": str(refusal.decision),
    }


def seen(work: Seen) -> dict[str, Any]:
    """The part of the status that follows from what the site reported."""
    if work.status is None:
        return {}
    shown: dict[str, Any] = {
        "tasks": [_task(task) for task in work.status.tasks],
        "engine": work.status.engine or None,
        "isolation": work.status.isolation,
    }
    if work.started_at is not None:
        shown["startedAt"] = stamp(work.started_at)
    if work.ended_at is not None:
        shown["endedAt"] = stamp(work.ended_at)
    return shown


def _task(task: TaskStatus) -> dict[str, Any]:
    shown = Task(
        rank=task.rank,
        phase=task.phase,
        exit_code=task.exit_code,
        reason=task.reason,
        message=task.message,
        started_at=task.started_at,
        ended_at=task.ended_at,
        restarts=task.restarts,
        gpus=list(task.gpus),
        node=task.node,
    )
    built: dict[str, Any] = msgspec.to_builtins(shown)
    return built
