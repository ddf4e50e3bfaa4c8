"""A real cloud: ``skerry up`` as a process, and the ``skerry`` command as a person uses it.

Its database is prepared; very first starts are those of the demo and of docs/operating.md.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.harness.prepared import prepare

SKERRY = [sys.executable, "-m", "skerry.cli.main"]


class Cloud:
    """One cloud in a directory of its own, started and killed as a test wants."""

    def __init__(self, home: Path, *flags: str) -> None:
        self.home = home
        self.data = home / "data"
        self.token_file = home / "token"
        self.flags = flags
        self.prefix: tuple[str, ...] = ()
        self.entry = SKERRY
        """The program that is started as the server."""
        self.process: subprocess.Popen[bytes] | None = None
        self.log = home / "up.log"

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SKERRY_")}
        return {**kept, "XDG_CONFIG_HOME": str(self.home / "config"), "NO_COLOR": "1"}

    def start(self) -> None:
        """Start and wait until it answers."""
        if not self.data.exists():
            prepare(self.data)
        self.spawn()
        until(lambda: (self.data / "server.json").exists(), self.tail, self.process)

    def spawn(self) -> None:
        """Start and don't wait."""
        (self.data / "server.json").unlink(missing_ok=True)
        command = [
            *self.prefix, *self.entry, "up", "--data", str(self.data), "--listen", "127.0.0.1:0",
            "--token-file", str(self.token_file), "--jurisdiction", "SE", *self.flags,
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env
            )

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        self.process = None

    def pids(self) -> list[int]:
        """Server, agent and Postgres: all that ``up`` started, but no shim and no workload."""
        assert self.process is not None
        found = [self.process.pid]
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                except OSError:
                    continue
                mine = str(self.data) in line
                if mine and ("skerry.sites.agent" in line or "/bin/postgres" in line):
                    found.append(int(entry.name))
        return found

    def kill(self) -> None:
        """kill -9 of server, agent and Postgres, all at once."""
        assert self.process is not None
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self.process = None

    def told(self) -> dict[str, str]:
        """The environment of a command, with this cloud's context."""
        return {
            **self.env,
            "SKERRY_URL": json.loads((self.data / "server.json").read_text())["url"],
            "SKERRY_TOKEN": self.token_file.read_text().strip(),
            "SKERRY_TENANT": "operator",
            "SKERRY_WORKSPACE": "default",
        }

    def skerry(
        self, *arguments: str, check: bool = True, timeout: float = 90, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """The command, with this cloud's context."""
        done = subprocess.run(
            [*self.prefix, *SKERRY, *arguments], env={**self.told(), **env}, capture_output=True,
            text=True, timeout=timeout, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stderr}\n{self.tail()}")
        return done

    def json(self, *arguments: str) -> Any:
        return json.loads(self.skerry(*arguments, "-o", "json").stdout)

    def offers(self) -> bool:
        """Whether this machine is on sale. Asked without the command: its start is half a second,
        and this is asked again and again."""
        return bool(self.get("/providers/skerry.market/v1/offers")["items"])

    def get(self, path: str) -> Any:
        """What is there, without a start of the command."""
        told = self.told()
        bearer = {"authorization": f"Bearer {told['SKERRY_TOKEN']}"}
        with urlopen(Request(told["SKERRY_URL"] + path, headers=bearer), timeout=30) as answer:
            return json.load(answer)

    def audit(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SKERRY, "audit", "verify", "--data", str(self.data)],
            env=self.env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip


def until(happens: Any, told: Any = str, process: Any = None, seconds: float = 60) -> None:
    """Wait for a condition; a test that waits too long says what it saw."""
    end = time.monotonic() + seconds
    while not happens():
        if process is not None and process.poll() is not None:
            raise AssertionError(f"it ended with {process.returncode}: {told()}")
        if time.monotonic() > end:
            raise AssertionError(f"it did not happen within {seconds} s: {told()}")
        time.sleep(0.05)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One cloud for the tests of a module that leave it whole."""
    made = Cloud(tmp_path_factory.mktemp("cloud"))
    made.start()
    until(made.offers, made.tail)
    yield made
    made.stop()


@pytest.fixture
def own_cloud(tmp_path: Path) -> Iterator[Cloud]:
    """A cloud that a test may break."""
    made = Cloud(tmp_path)
    made.start()
    until(made.offers, made.tail)
    yield made
    if made.process is None:
        made.start()
    made.stop()
