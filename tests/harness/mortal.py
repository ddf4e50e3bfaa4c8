"""``skerry`` as a process that can be struck in the midst of a step. Run as a program.

It is the product's own program with one thing added: the worker's probe, which strikes when told.
What it is told and what it did is kept in the directory ``MORTAL_FATE``, because it does not
outlive its own blows:

    armed    strike while this file is there
    met      a line for each moment: noun, step, moment
    struck   a line for each blow: noun, step, victim
    lives    a line for each life that begins: noun, number
"""

import contextlib
import functools
import os
import signal
import sys
import time
from pathlib import Path

FATE = "MORTAL_FATE"
VICTIMS = ("server", "workload", "postgres", "agent")
LEASE = 5.0
"""Seconds that the work of a killed server is left alone: short, since it is killed often."""
_MOST = 3
"""Of Postgres' deaths under one server in a row; it gives up at the fifth within a minute."""
_CALM = 20.0
"""Seconds between two deaths of an agent: one that is never there runs nothing."""


class Fate:
    """The directory, for both sides."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.armed = directory / "armed"

    def note(self, file: str, *words: str) -> None:
        with (self.directory / file).open("a") as stream:
            stream.write(" ".join(words) + "\n")

    def noted(self, file: str) -> list[tuple[str, ...]]:
        path = self.directory / file
        lines = path.read_text().splitlines() if path.exists() else []
        return [tuple(line.split(" ")) for line in lines]


class Hand:
    """The probe: strikes each victim once at each step that is met, one in each life."""

    def __init__(self, fate: Fate, data: Path) -> None:
        self._fate = fate
        self._data = data
        self._struck = {words[:3] for words in fate.noted("struck")}
        self._met = set(fate.noted("met"))
        self._deaths = 0
        self._last = dict.fromkeys(VICTIMS, 0.0)

    async def __call__(self, noun: str, step: str, moment: str) -> None:
        words = (noun, step, moment)
        if words not in self._met:
            self._met.add(words)
            self._fate.note("met", *words)
        if not self._fate.armed.exists():
            return
        if sum(blow[:2] == words[:2] for blow in self._struck) >= self._lives(noun):
            return
        turn = len(self._struck) % len(VICTIMS)
        for victim in VICTIMS[turn:] + VICTIMS[:turn]:
            blow = (noun, step, victim)
            due = blow not in self._struck and self._in_time(victim, words)
            if due and self.strike(victim, note=blow):
                return

    def _lives(self, noun: str) -> int:
        """How many lives of the kind have begun; many of a kind that is only owned by others."""
        told = [int(words[1]) for words in self._fate.noted("lives") if words[0] == noun]
        return max(told, default=len(VICTIMS))

    def _in_time(self, victim: str, at: tuple[str, str, str]) -> bool:
        """The moments that tell most: acted, and nothing tells of it; written, not committed; and
        about to ask a host that is not there."""
        noun, step, moment = at
        if victim == "postgres":
            return moment == "written" and (self._deaths < _MOST or self._calm(victim))
        if victim == "server":
            # One that is not up yet is let be, or none would ever be.
            up = (self._data / "server.json").exists()
            return up and moment == ("ran" if (noun, step, "ran") in self._met else "written")
        return moment == "claimed" and (victim != "agent" or self._calm(victim))

    def _calm(self, victim: str) -> bool:
        return time.monotonic() - self._last[victim] > _CALM

    def strike(self, victim: str, note: tuple[str, str, str]) -> bool:
        """kill -9, if it is there to be killed."""
        pids = {
            "server": lambda: [os.getpid()],
            "postgres": self._postgres,
            "agent": lambda: running(str(self._data / "agent"), "skerry.sites.agent"),
            "workload": lambda: workload(self._data, len(self._struck)),
        }[victim]()
        if not pids:
            return False
        self._struck.add(note)
        self._fate.note("struck", *note)
        if victim == "postgres":
            self._deaths += 1
        self._last[victim] = time.monotonic()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return True

    def _postgres(self) -> list[int]:
        with contextlib.suppress(FileNotFoundError, ValueError):
            file = self._data / "postgres/cluster/postmaster.pid"
            return [int(file.read_text().split("\n", 1)[0])]
        return []


def running(*words: str) -> list[int]:
    """Processes whose command line has all of the words."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                line = (
                    (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
                if all(word in line for word in words):
                    found.append(int(entry.name))
    return found


def shims(data: Path) -> list[int]:
    return running(str(data / "agent"), "shim.main")


def workload(data: Path, which: int) -> list[int]:
    """All that runs below one of the shims: a sandbox and what is in it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int(
                    (entry / "stat").read_text().rpartition(")")[2].split()[1]
                )
    alive = [shim for shim in sorted(shims(data)) if shim in parents.values()]
    below = {alive[which % len(alive)]} if alive else set()
    found: list[int] = []
    while below:
        below = {pid for pid, parent in parents.items() if parent in below}
        found += sorted(below)
    return found


def main() -> None:
    from skerry import server
    from skerry.cli.main import main as skerry

    data = Path(sys.argv[sys.argv.index("--data") + 1])
    hand = Hand(Fate(Path(os.environ[FATE])), data)
    server.Worker = functools.partial(server.Worker, probe=hand, lease=LEASE)  # type: ignore[assignment,misc]
    skerry()


if __name__ == "__main__":
    main()
