"""Start all tasks of a workload or none, through crashes of the driver and of the shims.

Two phases, as for any all-or-nothing among several. First every task gets a shim that sets its
sandbox up and waits at the gate. When all stand, the decision to start is written to disk, then
told. A driver that dies in between leaves shims whose socket ends; each looks for the written
decision and starts or gives up, so all do the same. When a task can't stand, the decision is
"no", with the reason, and all give up.

A shim inherits its lock file locked, so that there is no moment without a sign of it.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from skerry.sites.local.shim.plan import DIES_AT, Plan
from skerry.sites.local.state import Decision, TaskDirectory

_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from shim.main import main; "
    "del sys.path[0]; main()"
)
_PASSED = ("PATH", DIES_AT)
"""Variables of ours that a shim has, too; the rest is none of its business."""
_PACKAGE = Path(__file__).parent
_PATIENCE = 120.0
"""Seconds that a shim may take to get ready; it gives itself 60 for the sandbox."""


class _Word(msgspec.Struct):
    ready: bool = False
    begun: bool = False
    error: str = ""


class StartFailed(Exception):
    """A task can't be started; the words are for its owner."""


class Shim:
    """One shim from its birth to its task's start."""

    def __init__(self, directory: TaskDirectory) -> None:
        self._directory = directory
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def prepare(self, plan: Plan) -> None:
        """Start it and wait until its sandbox stands. Raises ``StartFailed``."""
        lock = self._directory.lock()
        if lock is None:
            raise StartFailed("an earlier start of this task has not given up yet")
        ours, theirs = socket.socketpair()
        try:
            with (self._directory.path / "shim.err").open("wb") as errors:
                process = await asyncio.create_subprocess_exec(
                    *(os.path.realpath(sys.executable), "-I", "-S", "-c", _PROGRAM),
                    *(str(_PACKAGE), str(self._directory.path)),
                    *(str(theirs.fileno()), str(lock)),
                    pass_fds=(theirs.fileno(), lock, *plan.descriptors),
                    start_new_session=True,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    env={name: os.environ[name] for name in _PASSED if name in os.environ},
                )
        finally:
            theirs.close()
            os.close(lock)
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        await process.wait()
        self._writer.write(msgspec.json.encode(plan.__dict__) + b"\n")
        word = await self._word()
        if not word.ready:
            raise StartFailed(word.error or self._last_words())

    async def let_go(self) -> None:
        assert self._writer is not None
        self._writer.write(b"go\n")
        await self._writer.drain()

    async def begun(self) -> None:
        """Wait until it has recorded the start, or has died."""
        await self._word()

    async def give_up(self) -> None:
        """Tell it to remove everything; returns when it has."""
        if self._reader is None or self._writer is None:
            return
        with contextlib.suppress(ConnectionError):
            self._writer.write(b"no\n")
            self._writer.write_eof()
            await self._reader.read()

    def leave(self) -> None:
        """Let go of the socket; without a go before, and without a decision, it gives up."""
        if self._writer is not None:
            self._writer.close()

    async def _word(self) -> _Word:
        assert self._reader is not None
        try:
            async with asyncio.timeout(_PATIENCE):
                line = await self._reader.readline()
        except TimeoutError:
            return _Word(error=f"its shim has said nothing for {_PATIENCE:.0f} seconds")
        except ConnectionError:
            line = b""
        return msgspec.json.decode(line, type=_Word) if line else _Word()

    def _last_words(self) -> str:
        said = (self._directory.path / "shim.err").read_text(errors="replace").strip()
        return f"its shim died: {said[-500:]}" if said else "its shim died"


async def launch(
    tasks: Sequence[tuple[TaskDirectory, Plan]],
    decide: Callable[[Decision], None],
    slots: asyncio.Semaphore,
    step: Callable[[str], None] = lambda name: None,
) -> Decision:
    """Start ``tasks`` together or not at all.

    ``decide`` writes the decision to disk; ``slots`` bounds how many sandboxes are set up at once;
    ``step`` is told where it is (see ``steps``).
    """
    shims = [Shim(directory) for directory, _ in tasks]

    async def prepare(shim: Shim, plan: Plan) -> None:
        async with slots:
            try:
                await shim.prepare(plan)
            except OSError as error:
                raise StartFailed(f"its shim can't be started: {error}") from error

    decision = Decision(go=True)
    try:
        try:
            async with asyncio.TaskGroup() as group:
                for shim, (_, plan) in zip(shims, tasks, strict=True):
                    group.create_task(prepare(shim, plan))
        except* StartFailed as failed:
            decision = Decision(go=False, reason="StartFailed", message=str(failed.exceptions[0]))
        step("all stand")
        try:
            decide(decision)
        except OSError:
            await asyncio.gather(*(shim.give_up() for shim in shims))
            raise
        step("decided")
        if not decision.go:
            await asyncio.gather(*(shim.give_up() for shim in shims))
            return decision
        for number, shim in enumerate(shims):
            with contextlib.suppress(ConnectionError):  # it has died: then its task is lost
                await shim.let_go()
            step(f"let go {number}")
        for shim in shims:
            await shim.begun()
        return decision
    finally:
        for shim in shims:
            shim.leave()
