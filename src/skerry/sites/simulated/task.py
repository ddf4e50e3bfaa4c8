"""One simulated task: where it is in its script, and what it has made."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skerry.sites.contract import TaskStatus
from skerry.sites.contract.gang import given, variables
from skerry.sites.simulated.clock import moment
from skerry.sites.simulated.health import Checkup
from skerry.sites.simulated.log import Log
from skerry.sites.simulated.notice import Notice
from skerry.sites.simulated.room import Seat
from skerry.sites.simulated.script import FOR_EVER, Exit, Lost, Stream
from skerry.sites.simulated.volumes import Full, Kept

if TYPE_CHECKING:
    from skerry.sites.simulated.workload import Live

_HARMLESS = {signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGCONT}
"""Those that a process without a handler does not notice."""
_LONGEST_PAUSE, _LONG_ENOUGH = 300.0, 60.0
"""Seconds: see ``Workload.restart``."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of the task's directory: its own bytes, or a blob's digest."""

    size: int
    mode: int
    at: float
    data: bytes | None = None
    digest: str = ""


class Task:
    """Moved on by the world's timers. ``changed`` is called when its status is another."""

    def __init__(self, owner: "Live", rank: int, seat: Seat) -> None:
        work = owner.work
        self.owner = owner
        self.rank = rank
        self.status = TaskStatus(rank=rank, phase="pending", gpus=seat.gpus, node=seat.node)
        self.seat = seat
        self.log = Log(rank, work.log_bytes)
        self.files: dict[str, Stored] = {}
        names = [f"{work.id}-{number}" for number in (0, rank)]
        self.env = {
            **given(work, variables(work, rank, master=names[0], local=names[1])),
            "SKERRY_RANK": str(rank),
            "SKERRY_TASKS": str(work.tasks),
        }
        self.cores = work.resources.millicores / 1000
        self.memory_limit = work.resources.memory
        self.cpu_seconds = 0.0
        """With all of the step that it is at."""
        self._busy = (0.0, 0.0)
        """Until when it computes, and how fast."""
        self.memory = self.memory_peak = 0
        self.run = 0
        """Counts its starts and its end: a timer of an earlier run finds it changed."""
        self.heard = Notice()
        """For those who follow its log."""
        self.hang_up: set[Callable[[], None]] = set()
        """Ends of the connections into it."""
        self._started = self._ended = 0.0
        self._restarts = self._crashes = 0
        self._since = 0.0
        self.between = False
        """It has ended and is to be started again."""
        self._wanted = True
        """False once somebody has told it to end: then it is not restarted."""
        self._over_time = False
        self._ailing = ""
        """Why its health is ending it."""
        self._checkup = Checkup(self, work.health) if work.health is not None else None

    def used(self, now: float) -> float:
        """Processor seconds so far."""
        until, rate = self._busy
        return self.cpu_seconds - max(until - now, 0.0) * rate

    def busy(self, now: float) -> bool:
        until, rate = self._busy
        return self.live and rate > 0 and now < until

    @property
    def live(self) -> bool:
        return self.status.phase == "running"

    @property
    def over(self) -> bool:
        return self.status.phase in ("exited", "lost")

    def start(self, now: float) -> None:
        """Begin at the first step, for the first time or again."""
        self.run += 1
        self._since = now
        self.between = False
        self._ailing = ""
        self._position = 0
        self.memory = 1 << 20
        self.handlers: dict[int, int | None] = {}
        self.listening: set[int] = set()
        self.serving: dict[int, str] = {}
        """Ports that answer by HTTP, each with the file that it needs to be well."""
        if self._checkup is not None:
            self._checkup.begin(now)
        if not self._started:
            self._started = now
        self._show()
        self.step(now)

    def step(self, now: float) -> None:
        """Do steps until one takes time."""
        self._now = now
        script, run = self.owner.script, self.run
        try:
            while self.run == run:
                if self._position >= len(script):
                    raise Exit(0)
                step = script[self._position]
                self._position += 1
                before = self.cpu_seconds
                delay = step.do(self)
                if 0 < delay < FOR_EVER:
                    self._busy = (now + delay, (self.cpu_seconds - before) / delay)
                self.memory_peak = max(self.memory_peak, self.memory)
                if delay == FOR_EVER:
                    break
                if delay > 0:
                    self.owner.schedule(now + delay, self, self.step)
                    break
        except Exit as end:
            self._finish(now, end.code, end.reason, end.message)
        except Lost:
            self.lose(now)
        if self.run == run:
            self.look(now)

    def look(self, now: float) -> None:
        """Something has happened that its health may depend on."""
        if self._checkup is not None and self.live and not self.between:
            self._checkup.look(now)

    def signal(self, number: int, now: float) -> None:
        """Deliver a signal as a kernel would."""
        if not self.live:
            return
        if number != signal.SIGKILL:
            if number in self.handlers:
                code = self.handlers[number]
                if code is not None:
                    self._finish(now, code)
                return
            if number in _HARMLESS:
                return
        self._finish(now, 128 + number)

    def told(self, number: int, now: float) -> None:
        """Somebody signals it from outside, which may be the end of its restarts."""
        if number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            self._wanted = False
            if self.between:
                self._end("exited", now, 128 + number, "", "")
                return
        self.signal(number, now)

    def limit(self, now: float) -> None:
        """The time limit has come."""
        self._over_time = True
        self.signal(signal.SIGTERM, now)
        if self.live:
            self.owner.schedule(now + self.owner.work.grace, self, self.put_down, always=True)

    def ail(self, why: str, now: float) -> None:
        """Its health check has failed for too long: this run of it ends."""
        self._ailing = f"its health check failed: {why}"
        run = self.run
        self.signal(signal.SIGTERM, now)
        if self.run == run:
            self.owner.schedule(now + self.owner.work.grace, self, self.put_down)

    def put_down(self, now: float) -> None:
        self.signal(signal.SIGKILL, now)

    def lose(self, now: float) -> None:
        self._end("lost", now, None, "Lost", "the site lost this task")

    def _finish(self, now: float, code: int, reason: str = "", message: str = "") -> None:
        work = self.owner.work
        self._stop_burning(now)
        if self._ailing:
            reason, message = "Unhealthy", self._ailing
        failed = code != 0 or bool(self._ailing)
        wanted = work.restart == "always" or (work.restart == "on-failure" and failed)
        wanted = wanted and self._wanted and not self._over_time
        if wanted and self._restarts < work.max_restarts:
            if now - self._since > _LONG_ENOUGH:
                self._crashes = 0
            pause = min(0.1 * 2 ** min(self._crashes, 12), _LONGEST_PAUSE)
            self._crashes += 1
            self._cut()
            self.run += 1
            self.between = True
            self._show(reason=reason, message=message or f"it ended with {code}")
            self._restarts += 1
            self.owner.schedule(now + pause, self, self.start)
            return
        if self._over_time:
            reason, message = "TimeLimit", f"its limit of {work.time_limit} seconds had come"
        self._end("exited", now, code, reason, message)

    def _stop_burning(self, now: float) -> None:
        self.cpu_seconds, self._busy = self.used(now), (0.0, 0.0)

    def _end(self, phase: str, now: float, code: int | None, reason: str, message: str) -> None:
        self.run += 1
        self._ended = now
        self._stop_burning(now)
        self.memory = 0
        self._cut()
        self._show(phase, code, reason, message)
        self.owner.freed(self)
        self.heard.wake()

    def _cut(self) -> None:
        self.listening = set()
        self.serving = {}
        for hang_up in tuple(self.hang_up):
            hang_up()
        self.hang_up.clear()

    def _show(
        self, phase: str = "running", code: int | None = None, reason: str = "", message: str = ""
    ) -> None:
        ill = self._checkup is not None and not self._checkup.ready
        unready = phase == "running" and (self.between or ill)
        if unready and not message and self._checkup is not None:
            message = self._checkup.trouble
        self.status = TaskStatus(
            rank=self.rank,
            phase=phase,  # type: ignore[arg-type]
            exit_code=code,
            reason=reason,
            message=message,
            started_at=moment(self._started),
            ended_at=moment(self._ended) if self._ended else None,
            restarts=self._restarts,
            gpus=self.seat.gpus,
            unready=unready,
            node=self.seat.node,
        )
        self.owner.changed()

    def show_health(self) -> None:
        self._show()

    def say(self, data: bytes, stream: Stream = "stdout") -> None:
        self.log.append(data, stream, moment(self._now))
        self.heard.wake()

    def content(self, file: Stored) -> bytes:
        return self.owner.blob(file.digest) if file.data is None else file.data

    def _volume(self, path: str) -> tuple[Kept, str, bool] | None:
        """The volume that an absolute path is in, the path there, and whether it is read only."""
        for use in self.owner.work.mounts:
            if path.startswith(f"{use.path}/"):
                kept = self.owner.world.volumes.find(use.volume)
                return kept, path.removeprefix(f"{use.path}/"), use.read_only
        return None

    def read(self, path: str) -> bytes | None:
        secret = self.owner.work.secret_files.get(path)
        if secret is not None:
            return secret.encode()
        found = self._volume(path)
        if found is not None:
            return found[0].files.get(found[1])
        file = self.files.get(path)
        return None if file is None else self.content(file)

    def mode(self, path: str) -> int | None:
        file = self.files.get(path)
        return None if file is None else file.mode

    def write(self, path: str, data: bytes) -> None:
        found = self._volume(path)
        if found is not None:
            kept, inside, read_only = found
            if read_only:
                self.say(f"{path}: Read-only file system\n".encode(), "stderr")
                return
            try:
                kept.write(inside, data)
            except Full:
                self.say(f"{path}: No space left on device\n".encode(), "stderr")
            return
        old = self.files.get(path)
        mode = 0o644 if old is None else old.mode
        self.files[path] = Stored(len(data), mode, self._now, data)

    def remove(self, path: str) -> None:
        self.files.pop(path, None)

    def again(self) -> None:
        self._position = 0

    def kill(self, number: int) -> None:
        self.signal(number, self._now)
