"""Programs that a keeper runs: found, started so that they die with it, and ended in order."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
PATIENCE = 120.0
"""Seconds that a program may take to answer on a busy machine."""


class Missing(Exception):
    """A program that the cluster needs is not there: ``make deps-kubernetes``."""


def find(name: str) -> Path:
    """What `make deps-kubernetes` found or built, or else what is on PATH. Raises ``Missing``."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skerry"
    for folder in sorted(cache.glob("kubernetes-v*"), reverse=True):
        if os.access(folder / name, os.X_OK):
            return folder / name
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/lib/cni"))
    if found := shutil.which(name, path=path):
        return Path(found)
    raise Missing(f"{name} is not there: make deps-kubernetes")


def _prepared() -> None:
    """In the child: die with the parent, and take the signals that it leaves to others."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """A running program. Its output is in ``log``."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            # Asked for in the thread that forks; a keeper has no other.
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=_prepared,
            )

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def stop(self, patience: float = 10.0) -> None:
        """Ask it to end; if it does not, end it."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait()

    def tail(self, size: int = 3000) -> str:
        """The end of what it wrote."""
        return self.log.read_text("utf-8", "replace")[-size:]


def wait_for(what: str, condition, *programs: Program, patience: float = PATIENCE) -> None:
    """Until the condition holds. Raises ``RuntimeError`` when time or one of the programs ends."""
    until = time.monotonic() + patience
    while not condition():
        for program in programs:
            if not program.running:
                raise RuntimeError(f"{what}: {program.log.stem} ended:\n{program.tail()}")
        if time.monotonic() > until:
            told = "\n".join(f"{program.log.stem}:\n{program.tail(1000)}" for program in programs)
            raise RuntimeError(f"{what} took more than {patience:.0f} s\n{told}")
        time.sleep(0.05)
