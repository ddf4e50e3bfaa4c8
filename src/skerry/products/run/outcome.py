"""What a workload's tasks come to, for the job: its phase, its exit code, its times."""

from dataclasses import dataclass
from typing import Any

import msgspec

from skerry.kernel.flows import Context
from skerry.kernel.history import stamp
from skerry.market.decision import Place
from skerry.products.run.specs import Task
from skerry.sites.contract import TaskStatus
from skerry.sites.seen import Seen


@dataclass(frozen=True)
class Result:
    phase: str
    exit_code: int | None
    reason: str = ""
    message: str = ""


def place(chosen: Place) -> dict[str, str]:
    """Where it was placed, as its status shows it."""
    return {
        "site": chosen.site,
        "region": chosen.region,
        "zone": chosen.zone,
        "jurisdiction": chosen.jurisdiction,
        "operator": chosen.operator,
    }


def over(work: Seen) -> bool:
    """Whether nothing of it runs any more: all tasks ended, or the site has it no longer."""
    if work.gone_at is not None:
        return True
    return work.status is not None and work.status.ended


def seen(work: Seen) -> dict[str, Any]:
    """The part of the status that follows from what the site reported."""
    tasks = [_task(task) for task in work.status.tasks] if work.status else []
    shown: dict[str, Any] = {"tasks": tasks}
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
        gpus=list(task.gpus),
    )
    built: dict[str, Any] = msgspec.to_builtins(shown)
    return built


def result(work: Seen, stopping: str | None) -> Result:
    """How it ended. ``stopping`` is why Skerry itself ended it, if it did."""
    tasks = work.status.tasks if work.status else ()
    failed = [t for t in tasks if t.phase != "exited" or t.exit_code != 0]
    code = next((t.exit_code for t in failed if t.exit_code), None)
    if stopping == "Cancelled":
        return Result("cancelled", code, "Cancelled")
    if stopping == "BudgetExhausted":
        return Result(
            "failed", code, stopping, "the budget is used up; what it wrote so far is kept"
        )
    lost = not tasks or any(t.phase != "exited" for t in tasks)
    if lost and code is None:
        first = next((t for t in failed if t.phase == "lost"), None)
        message = first.message if first else "the site has nothing of it any more"
        return Result("failed", None, "Lost", message or "its process was lost")
    if failed:
        first = failed[0]
        return Result("failed", code, first.reason or "ExitCode", first.message)
    return Result("succeeded", 0)


def age(ctx: Context) -> float:
    """Seconds since the present step was entered."""
    return (ctx.now - ctx.entered_at).total_seconds()
