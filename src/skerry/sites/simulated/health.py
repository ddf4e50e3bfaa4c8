"""A simulated task's health check.

Nobody checks again and again: what a check would find is looked at when the task has done
something, and a timer runs only while it fails. So ten thousand healthy tasks cost nothing.
"""

from typing import TYPE_CHECKING

from skerry.sites.contract import Health
from skerry.sites.simulated.session import answer

if TYPE_CHECKING:
    from skerry.sites.simulated.task import Task


class Checkup:
    """``begin`` with each run of the task, ``look`` after each of its steps."""

    def __init__(self, task: "Task", health: Health) -> None:
        self._task, self._health = task, health
        self.ready = False
        self.trouble = ""
        self._passed: bool | None = None
        self._since = 0.0
        self._episode = 0

    def begin(self, now: float) -> None:
        self.ready, self.trouble, self._passed = False, "", None
        self._since = now

    def look(self, now: float) -> None:
        trouble = self._look()
        passed = not trouble
        if passed == self._passed:
            return
        self._passed = passed
        self._episode += 1
        if passed:
            self._show(True, "")
            return
        episode, owner, health = self._episode, self._task.owner, self._health
        patience = health.every * health.failures
        if self.ready:
            owner.schedule(now + patience, self._task, lambda at: self._fail(episode, trouble))
        else:
            self._show(False, trouble)
        if health.restart:
            due = max(now, self._since + health.start) + patience
            owner.schedule(due, self._task, lambda at: self._end(episode, trouble, at))

    def _fail(self, episode: int, trouble: str) -> None:
        if episode == self._episode:
            self._show(False, trouble)

    def _end(self, episode: int, trouble: str, now: float) -> None:
        if episode == self._episode:
            self._task.ail(trouble, now)

    def _show(self, ready: bool, trouble: str) -> None:
        self.ready, self.trouble = ready, trouble
        self._task.show_health()

    def _look(self) -> str:
        health, task = self._health, self._task
        if health.command:
            code, _ = answer(health.command, task)
            return f"its check ended with {code}" if code else ""
        if health.port not in task.listening:
            return f"nothing answers on port {health.port} of the task"
        needed = task.serving.get(health.port)
        if health.path and needed is not None and needed not in task.files:
            return f"it answered 503 to {health.path}"
        return ""
