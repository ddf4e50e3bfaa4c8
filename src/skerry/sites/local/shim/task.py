"""One task from its sandbox to its end: output, limits, signals, restarts, records."""

import contextlib
import os
import select
import signal
import time

from . import record
from .cgroup import Group
from .figures import Figures
from .log import LogWriter
from .plan import BELL, CONTROL, DISK, FIGURES, RESERVE, STATE, WORK, Plan
from .sandbox import Sandbox
from .watch import Watch

_HEARTBEAT = 10.0
"""Seconds between two marks (the lock file's time) that a driver can tell the last one by."""
_STANDING = 60.0
"""Seconds that an engine may take to set a sandbox up."""
_LONGEST_PAUSE = 300.0
"""Seconds before the next start of a task that ends over and over again."""
_LONG_ENOUGH = 60.0
"""Seconds of running after which the pauses begin anew."""
_FINAL = ("TimeLimit", "DiskLimit", "VolumeFull", "Stopped")
"""Reasons after which a task is not restarted."""


class Task:
    """``prepare``, ``begin``, ``live``; or ``abandon`` before ``begin``."""

    def __init__(self, plan: Plan, log: LogWriter, lock: int) -> None:
        self._plan, self._log, self._lock = plan, log, lock
        self._group = Group(plan.group)
        self._sandbox = Sandbox(plan, self._group)
        self._watch = Watch(plan, WORK, DISK)
        self._figures = Figures(FIGURES)
        self._control = os.open(CONTROL, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._bell = os.open(BELL, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._woken, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGTERM, lambda *_: None)
        self._reason = self._message = ""
        self._order = b""
        """The beginning of a command whose end has not come yet."""
        self._wanted = True
        """False once somebody has told it to end: then it is not restarted."""
        self._restarts = 0
        self._crashes = 0
        """Restarts in a row of what did not run for long."""
        self._waiting = False
        """Between an end and the next start."""
        self._since = time.monotonic()
        self._started = 0
        self._used = {"cpu": 0, "peak": 0}
        self._term_at = self._kill_at = float("inf")

    def prepare(self, channel: int = -1) -> None:
        """Set the sandbox up, up to its gate, within its limits.

        Gives up if ``channel`` ends. Raises ``OSError`` with the reason in words.
        """
        self._group.make()
        self._sandbox.start()
        try:
            self._until_it_stands(channel)
            self._sandbox.stands()
            self._group.limit(self._plan.millicores, self._plan.memory, self._plan.pids)
        except OSError as error:
            said = self._said()
            raise type(error)(f"{error}: {said}" if said else str(error)) from error
        self._said()

    def _until_it_stands(self, channel: int) -> None:
        sandbox = self._sandbox
        poll = select.poll()
        for descriptor in (sandbox.ready, sandbox.ended):
            poll.register(descriptor, select.POLLIN)
        if channel >= 0:
            poll.register(channel, select.POLLRDHUP)
        waiting_for_engine = bool(self._plan.pid_file)
        told: bytes | None = None
        while told is None or waiting_for_engine:
            events = poll.poll(_STANDING * 1000)
            if not events:
                raise TimeoutError(f"the sandbox did not stand after {_STANDING:.0f} seconds")
            for descriptor, _ in events:
                poll.unregister(descriptor)
                if descriptor == channel:
                    raise ConnectionResetError("the driver is gone")
                if descriptor == sandbox.ready:
                    # At its end the engine's own end, which is near, tells more.
                    told = os.read(descriptor, 16) or None
                elif not waiting_for_engine:
                    raise ChildProcessError(sandbox.obituary())
                else:
                    sandbox.take_detached()
                    poll.register(sandbox.ended, select.POLLIN)
                    waiting_for_engine = False

    def _said(self) -> str:
        """What the engine has said so far; not the task's words, so not for its log."""
        said = b""
        for descriptor in (self._sandbox.output, self._sandbox.errors):
            with contextlib.suppress(BlockingIOError):
                said += os.read(descriptor, 4096) if descriptor >= 0 else b""
        return said.decode(errors="replace").strip()

    def abandon(self) -> None:
        """Remove everything; it never ran."""
        self._sandbox.kill()
        self._sandbox.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(RESERVE)

    def begin(self) -> None:
        """Record the start, then let the command run."""
        self._started = time.time_ns()
        if self._plan.time_limit:
            self._term_at = time.monotonic() + self._plan.time_limit
        self._record("running")
        self._open_gate()

    def live(self) -> None:
        """Until it has ended for good, is recorded and removed."""
        while True:
            code = self._supervise()
            ended = max(time.time_ns(), self._started)  # whatever was done to the host's clock
            self._settle(code)
            if not self._again(code):
                break
            self._sandbox.close()
            if not self._restart(code):
                break
        self._log.close()
        self._record("exited", exitCode=code, endedAt=ended)
        self._sandbox.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(RESERVE)

    def _open_gate(self) -> None:
        self._since = time.monotonic()
        with contextlib.suppress(BrokenPipeError):  # it has died: its end tells the rest
            self._sandbox.open_gate()

    def _supervise(self) -> int:
        """Turn the wheel until the command has ended; its exit code."""
        sandbox = self._sandbox
        poll = select.poll()
        for descriptor in (
            sandbox.output,
            sandbox.errors,
            sandbox.ended,
            self._control,
            self._woken,
        ):
            poll.register(descriptor, select.POLLIN)
        beat_at = 0.0
        while (code := sandbox.reap()) is None:
            now = time.monotonic()
            if now >= beat_at:
                self._beat(now)
                beat_at = now + _HEARTBEAT
            self._keep_limits(now)
            self._figures.tell(self._watch.disk, self._log.offset)
            due = min(beat_at, self._term_at, self._kill_at, self._watch.due)
            for descriptor, _ in poll.poll(max(due - time.monotonic(), 0) * 1000 + 1):
                if descriptor in (self._control, self._woken):
                    self._heed(descriptor)
                elif descriptor != sandbox.ended and not self._carry(descriptor):
                    poll.unregister(descriptor)
        return code

    def _beat(self, now: float) -> None:
        os.utime(self._lock)
        if os.fstat(self._lock).st_nlink == 0:
            # Somebody has removed the directory: no driver will ever ask for this task.
            self._wanted = False
            self._kill_at = now

    def _carry(self, descriptor: int) -> bool:
        """Take what there is of output or errors into the log; False at its end."""
        try:
            data = os.read(descriptor, 1 << 18)
        except BlockingIOError:
            return True
        if data:
            self._log.write(1 if descriptor == self._sandbox.output else 2, data)
        return bool(data)

    def _keep_limits(self, now: float) -> None:
        if now >= self._term_at:
            self._stop("TimeLimit", f"it ran for its time limit of {self._plan.time_limit} s")
        if now >= self._watch.due and (found := self._watch.look(now)):
            self._reason, self._message = found
            self._kill_at = now
        if now >= self._kill_at:
            self._kill_at = float("inf")
            self._kill()

    def _kill(self) -> None:
        try:
            self._sandbox.kill()
        except TimeoutError as error:  # stuck in the kernel: its end, if it comes, is awaited
            self._message = str(error)

    def _stop(self, reason: str, message: str) -> None:
        """Ask it to end, and see that it does after the grace."""
        self._term_at = float("inf")
        self._wanted = False
        self._end_run(reason, message)

    def _end_run(self, reason: str, message: str) -> None:
        self._reason, self._message = reason, message
        self._kill_at = min(self._kill_at, time.monotonic() + self._plan.grace)
        self._sandbox.signal(signal.SIGTERM)

    def _obey(self) -> None:
        """A driver's commands: ``signal N`` for the task, ``kill`` to end it now and for good,
        ``unhealthy RUN WHY`` to end the run that had so many restarts before it."""
        *lines, self._order = (self._order + os.read(self._control, 4096)).split(b"\n")
        for line in (line.decode() for line in lines):
            verb, _, rest = line.partition(" ")
            if verb == "kill":
                self._wanted = False
                self._kill_at = 0.0
            elif verb == "signal":
                if int(rest) in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
                    self._wanted = False
                self._sandbox.signal(int(rest))
            elif verb == "unhealthy":
                run, _, why = rest.partition(" ")
                due = self._wanted and not self._waiting and self._reason != "Unhealthy"
                if due and int(run) == self._restarts:
                    self._end_run("Unhealthy", why)

    def _settle(self, code: int) -> None:
        """After an end: nothing of it runs on, its log is whole, its use is counted."""
        self._kill()
        for descriptor in (self._sandbox.output, self._sandbox.errors):
            self._drain(descriptor)
        self._figures.tell(self._watch.disk, self._log.offset)
        if self._plan.group:
            used = self._group.use()
            cpu, peak = used["cpu"], used["peak"]
        else:
            cpu, peak = self._sandbox.processor_time(), self._watch.peak
        self._used["cpu"] += cpu
        self._used["peak"] = max(self._used["peak"], peak)
        if code and not self._reason and self._group.out_of_memory():
            self._reason = "OutOfMemory"
            self._message = f"it needed more than its {self._plan.memory >> 20} MiB of memory"
        if not self._reason and code == 128 + signal.SIGXFSZ:
            self._reason, self._message = self._watch.disk_full()
        if not self._message and code in (126, 127):
            why = "was not found" if code == 127 else "can't be executed"
            self._message = f"{self._plan.command[0]!r}, or a command that it ran, {why}"

    def _drain(self, descriptor: int) -> None:
        """All writers are dead; take what they have left."""
        if descriptor < 0:
            return
        with contextlib.suppress(BlockingIOError):
            while data := os.read(descriptor, 1 << 18):
                self._log.write(1 if descriptor == self._sandbox.output else 2, data)

    def _again(self, code: int) -> bool:
        wanted = self._wanted and self._reason not in _FINAL
        policy = self._plan.restart
        failed = code != 0 or self._reason == "Unhealthy"
        again = policy == "always" or (policy == "on-failure" and failed)
        return wanted and again and self._restarts < self._plan.max_restarts

    def _restart(self, code: int) -> bool:
        """Once more, unless it is told to end meanwhile. A sandbox that can't be set up just now
        counts as a run that failed at once."""
        if time.monotonic() - self._since > _LONG_ENOUGH:
            self._crashes = 0
        words = self._message or f"it ended with {code}"
        while self._wanted_after_a_pause(words):
            self._restarts += 1
            self._reason = self._message = ""
            self._sandbox = Sandbox(self._plan, self._group)
            try:
                self.prepare()
            except OSError as error:
                self._reason, self._message = "StartFailed", str(error)
                self._settle(1)
                if self._restarts >= self._plan.max_restarts:
                    return False
                words = f"it can't be started: {error}"
                self._sandbox.close()
                continue
            self._record("running")
            self._open_gate()
            return True
        return False

    def _wanted_after_a_pause(self, words: str) -> bool:
        self._waiting = True
        self._record("running", message=words)
        self._pause(min(0.1 * 2 ** min(self._crashes, 12), _LONGEST_PAUSE))
        self._crashes += 1
        self._waiting = False
        self._kill_at = float("inf")
        return self._wanted

    def _pause(self, seconds: float) -> None:
        """Before the next try; commands are obeyed meanwhile."""
        until = time.monotonic() + seconds
        poll = select.poll()
        for descriptor in (self._control, self._woken):
            poll.register(descriptor, select.POLLIN)
        while self._wanted and (left := until - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(left * 1000 + 1):
                self._heed(descriptor)

    def _heed(self, descriptor: int) -> None:
        if descriptor == self._control:
            self._obey()
        else:
            os.read(self._woken, 64)
            self._stop("Stopped", "the host was shutting down")

    def _record(self, phase: str, **more: object) -> None:
        state = {
            "phase": phase,
            "shim": os.getpid(),
            "command": self._sandbox.command,
            "startedAt": self._started,
            "restarts": self._restarts,
            "waiting": self._waiting,
            "reason": self._reason,
            "message": self._message,
            "bootId": self._plan.boot_id,
            **self._used,
            **more,
        }
        record.write_surely(STATE, state, RESERVE)
        with contextlib.suppress(BlockingIOError):  # it is ringing already
            os.write(self._bell, b"!")
