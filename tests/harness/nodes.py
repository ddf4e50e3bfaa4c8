"""A cloud of many nodes, each a process, on one Postgres and one directory; and a host that joined.

What a test kills it kills for good (SIGKILL); a node of the same name may be started again.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2

from skerry.sites.joining import own_name
from tests.harness.ports import free_port
from tests.harness.served import elsewhere, until

SKERRY = [sys.executable, "-m", "skerry.cli.main"]
ROLES = {"a": "api", "w": "worker", "g": "gateway"}
SITE, HOST = "home", own_name("one")


class Node:
    """One process."""

    def __init__(self, cloud: "Nodes", name: str, role: str, door: int = 0) -> None:
        self.cloud, self.name, self.role = cloud, name, role
        self.door = door or free_port()  # the same after a restart, as an operator has it
        self.process: subprocess.Popen[bytes] | None = None
        self.log = cloud.home / f"{name}.log"
        self._told = cloud.data / "nodes" / name / "server.json"

    def start(self, program: Sequence[str] = SKERRY) -> None:
        """Begin to start."""
        self._told.unlink(missing_ok=True)
        door = f"127.0.0.1:{self.door}"
        more = {
            "api": ["--listen", "127.0.0.1:0", "--gateway", "none"],
            "worker": ["--agents", door, "--gateway", "none"],
            "gateway": ["--gateway", "127.0.0.1:0", "--public-url", "http://cloud.example"],
        }
        command = [
            *program, "serve", "--role", self.role, "--name", self.name,
            "--data", str(self.cloud.data), "--token-file", str(self.cloud.home / "token"),
            "--connections", "8", *more[self.role],
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.cloud.env
            )

    def wait(self) -> None:
        """Until it answers."""
        until(self._told.exists, self.tail, self.process)

    @property
    def url(self) -> str:
        """Where its API answers, or its gateway."""
        told = json.loads(self._told.read_text())
        return str(told["gateway" if self.role == "gateway" else "url"])

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(60)
        self.process = None

    def tail(self) -> str:
        return f"{self.name}:\n{self.log.read_text(errors='replace')[-3000:]}"


class Nodes:
    """All of them. Ask by ``call``, which goes to whichever API answers."""

    def __init__(self, home: Path, database: str) -> None:
        self.home, self.database = home, database
        self.data = home / "shared"
        self.all: dict[str, Node] = {}
        self.host: subprocess.Popen[bytes] | None = None
        self.http = httpx2.Client(timeout=30)

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SKERRY_")}
        mine = {"DATABASE_URL": self.database, "XDG_CONFIG_HOME": str(self.home / "config")}
        return {**kept, **mine, "SKERRY_NO_CONTEXT": "1"}

    def start(self, *names: str) -> None:
        """``a…`` is an API, ``w…`` a worker, ``g…`` a gateway."""
        for name in names:
            self.all[name] = Node(self, name, ROLES[name[0]])
            self.all[name].start()
        for name in names:
            self.all[name].wait()

    def __getitem__(self, name: str) -> Node:
        return self.all[name]

    @property
    def token(self) -> str:
        return (self.home / "token").read_text().strip()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What an API answers: the first that does, beginning with the next in turn."""
        apis = [n for n in self.all.values() if n.role == "api" and n.process is not None]
        for node in apis[::-1]:
            self.all[node.name] = self.all.pop(node.name)
            try:
                answer = self.http.request(
                    method, f"{node.url}/providers/{path}", json=body,
                    headers={"authorization": f"Bearer {self.token}"},
                )  # fmt: skip
            except httpx2.TransportError:
                continue
            assert answer.is_success, answer.text
            return answer.json() if answer.content else None
        raise AssertionError("no API answers")

    def join(self) -> None:
        """Declare the site, and let a host of this machine join it."""
        spec = {"driver": "local", "region": "home", "zone": "home-1", "jurisdiction": "SE"}
        self.call("PUT", f"skerry.site/v1/sites/{SITE}", {"spec": spec})
        told = self.call("POST", f"skerry.site/v1/sites/{SITE}/invite", {})
        command = [
            *SKERRY, "site", "join", told["address"], "--name", HOST, "--data",
            str(self.home / "host"),
        ]  # fmt: skip
        with (self.home / "host.log").open("ab") as log:
            self.host = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**self.env, "SKERRY_JOIN_TOKEN": told["token"]},
            )  # fmt: skip
        until(lambda: self.call("GET", "skerry.market/v1/offers")["items"], self.tail, self.host)

    def holder(self) -> Node:
        """The worker that the host is connected to."""
        found = [n for n in self.all.values() if n.role == "worker" and n.process is not None]
        return max(found, key=lambda node: node.log.read_text().rfind('"agent connected"') >= 0)

    def rows(self, sql: str) -> list[Any]:
        """What the database says."""

        async def fetch() -> list[Any]:
            connection = await asyncpg.connect(self.database)
            try:
                return list(await connection.fetch(sql))
            finally:
                await connection.close()

        return elsewhere(fetch())

    def audit(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SKERRY, "audit", "verify", "--data", str(self.data)],
            env=self.env, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def tail(self) -> str:
        host = self.home / "host.log"
        said = [node.tail() for node in self.all.values() if node.log.exists()]
        return "\n".join([*said, host.read_text()[-2000:] if host.exists() else ""])

    def end(self) -> None:
        for node in self.all.values():
            if node.process is not None:
                node.kill(signal.SIGTERM)
        if self.host is not None:
            self.host.terminate()
            self.host.wait(30)


@contextmanager
def nodes(home: Path, database: str, *names: str) -> Iterator[Nodes]:
    """Nodes of these names, until the block ends."""
    cloud = Nodes(home, database)
    try:
        cloud.start(*names)
        yield cloud
    finally:
        cloud.end()
