"""Several machines: one with the server, others with an agent that joined over the network.

Each is a network namespace of its own, on a bridge in the server's. What runs in them is the
product as a person starts it: ``skerry up --agents``, ``skerry site invite``, ``skerry site join``.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import SKERRY, Cloud, until
from tests.sites.local.rigs import clean

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="networks are made by root")
DOOR = 8422
SITE = "home"
_NET = "10.211.7"
_SERVER = f"{_NET}.1"
_CLONE_NEWNET = 0x40000000


def sh(script: str) -> str:
    done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """This thread is in the network namespace meanwhile; sockets that it makes stay there."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(descriptor: int) -> None:
        if libc.setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{namespace}") as there:
        enter(there.fileno())
        try:
            yield
        finally:
            enter(home.fileno())


class Machine:
    """One that joined, with its agent."""

    def __init__(self, machines: "Machines", name: str, number: int) -> None:
        self.name, self.at = name, f"{SITE}/{name}"
        self.namespace = f"{name}-{machines.mark}"
        self.data = machines.home / name
        self.log = machines.home / f"{name}.log"
        self._machines = machines
        self._port = f"to{number}"
        self.agent: subprocess.Popen[bytes] | None = None
        sh(f"""
        ip netns add {self.namespace}; ip -n {self.namespace} link set lo up
        ip -n {machines.namespace} link add {self._port} type veth peer name eth0 \
            netns {self.namespace}
        ip -n {machines.namespace} link set {self._port} master lan up
        ip -n {self.namespace} addr add {_NET}.{10 + number}/24 dev eth0
        ip -n {self.namespace} link set eth0 up
        ip -n {self.namespace} route add default via {_SERVER}
        """)

    def join(self) -> None:
        """Trade a new token for membership, and run the agent."""
        told = self._machines.cloud.json("site", "invite", SITE)
        command = ["site", "join", told["address"], "--name", self.name, "--data", str(self.data)]
        self._start(command, {"SKERRY_JOIN_TOKEN": told["token"]})
        until((self.data / "host" / "place.json").exists, self.tail, self.agent)
        self.until_phase("connected")

    def start(self) -> None:
        """Run the agent of a machine that joined already."""
        self._start(["agent", "--data", str(self.data)])

    def _start(self, command: Sequence[str], env: dict[str, str] | None = None) -> None:
        with self.log.open("ab") as log:
            self.agent = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{self.namespace}", *SKERRY, *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**self._machines.cloud.env, **(env or {})},
            )  # fmt: skip

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the agent; what runs goes on."""
        if self.agent is not None:
            self.agent.send_signal(number)
            self.agent.wait(30)
            self.agent = None

    def power_off(self) -> None:
        """End the agent and all that runs there, at once, as a machine without power does."""
        self.kill()
        for pid in sh(f"ip netns pids {self.namespace}").split() + self.tasks():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def tasks(self) -> list[str]:
        """The processes of what it runs."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdecimal() and (
                    f"{self.data}/workloads".encode() in (entry / "cmdline").read_bytes()
                ):
                    found.append(entry.name)
        return found

    def cut(self) -> None:
        """Its cable is pulled: neither end is told."""
        sh(f"ip -n {self._machines.namespace} link set {self._port} down")

    def mend(self) -> None:
        sh(f"ip -n {self._machines.namespace} link set {self._port} up")

    def shown(self) -> dict[str, Any]:
        found = self._machines.get(f"skerry.site/v1/sites/{SITE}/hosts/{self.name}")
        return dict(found["status"])

    def until_phase(self, phase: str, seconds: float = 60) -> None:
        until(lambda: self.shown()["phase"] == phase, self.tail, self.agent, seconds)

    def tail(self) -> str:
        own = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
        return f"{self.name}:\n{own}\nserver:\n{self._machines.cloud.tail()}"

    def end(self) -> None:
        try:
            self.kill()
            if self.data.exists():
                with inside(self.namespace):
                    asyncio.run(clean(self.data))
        finally:
            sh(f"ip netns del {self.namespace}")


class InNamespace(Cloud):
    """A cloud whose server and command line are in a network namespace."""

    def __init__(self, home: Path, namespace: str, *flags: str) -> None:
        super().__init__(home, *flags)
        self.prefix = ("nsenter", f"--net=/run/netns/{namespace}")


class Machines:
    """``cloud`` is the server's, with the site ``home`` and no agent of its own. Code in
    ``with machines.inside():`` reaches its addresses."""

    def __init__(self, home: Path, *flags: str) -> None:
        self.home = home
        self.mark = f"{os.getpid():x}"
        self.namespace = f"server-{self.mark}"
        self.cloud = InNamespace(
            home, self.namespace, "--no-agent", "--agents", f"{_SERVER}:{DOOR}", *flags
        )
        self.all: list[Machine] = []

    def start(self, *names: str) -> None:
        sh(f"""
        ip netns add {self.namespace}; ip -n {self.namespace} link set lo up
        ip -n {self.namespace} link add lan type bridge
        ip -n {self.namespace} addr add {_SERVER}/24 dev lan
        ip -n {self.namespace} link set lan up
        """)
        self.cloud.start()
        self.cloud.skerry(
            "site", "create", SITE, "--driver", "local", "--region", "home", "--zone", "home-1",
            "--jurisdiction", "SE",
        )  # fmt: skip
        for number, name in enumerate(names):
            self.all.append(Machine(self, name, number))
        for machine in self.all:
            machine.join()
        until(
            lambda: len(self.get("skerry.market/v1/offers")["items"]) == len(names), self.cloud.tail
        )

    def __getitem__(self, name: str) -> Machine:
        return next(machine for machine in self.all if machine.name == name)

    @contextmanager
    def inside(self) -> Iterator[None]:
        with inside(self.namespace):
            yield

    def get(self, path: str) -> Any:
        """What the API answers: far cheaper to ask often than by a command."""
        told = self.cloud.told()
        request = urllib.request.Request(
            f"{told['SKERRY_URL']}/providers/{path}",
            headers={"authorization": f"Bearer {told['SKERRY_TOKEN']}"},
        )
        with self.inside(), urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def job(self, name: str) -> Any:
        """The status of a job."""
        return self.get(f"skerry.run/v1/tenants/operator/workspaces/default/jobs/{name}")["status"]

    def end(self) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(sh, f"ip netns del {self.namespace}")
            stack.callback(self.cloud.stop)
            for machine in self.all:
                stack.callback(machine.end)


@contextmanager
def machines(home: Path, *names: str) -> Iterator[Machines]:
    """A server and machines of these names that joined its site, until the block ends."""
    made = Machines(home)
    try:
        made.start(*names)
        yield made
    finally:
        made.end()
