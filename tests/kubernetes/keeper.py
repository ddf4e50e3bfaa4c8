"""What keeps a run's Kubernetes. Run as a program.

    python -m tests.kubernetes.keeper STATE OWNER

It ends when the process ``OWNER`` does, or by SIGTERM: API server before etcd, which would else
wait for it. ``STATE`` is written once all is up: a JSON object of what others may know.
"""

import contextlib
import fcntl
import os
import select
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.kubernetes import node
from tests.kubernetes.control import (
    ApiServer,
    answers,
    dump,
    etcd,
    hands,
    identities,
    kubeconfig,
)
from tests.kubernetes.processes import Program, wait_for

NODE = "localhost"
SPARES = tuple(f"127.0.0.{last}" for last in range(2, 10))
"""Names of nodes that tests may add: kubelets listen at the address that is their name."""
_PREFIX = "skk-"


def clear_left() -> None:
    """Remove what killed keepers left."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (left / "alive").open("r+") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(left)


def remove(folder: Path) -> None:
    for name in folder.glob("*/name"):
        node.clear(name.parent)
    shutil.rmtree(folder, ignore_errors=True)


class Keeper:
    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._alive = (self.folder / "alive").open("w")
        fcntl.flock(self._alive, fcntl.LOCK_EX)
        self._ends: list[Callable[[], None]] = []

    def start(self) -> dict[str, object]:
        """All of it; what others may know."""
        folder = self.folder
        tokens = identities(folder, NODE, *SPARES)
        store, store_url = etcd(folder)
        self._ends.append(store.kill)
        server = ApiServer(folder, store_url)
        self._ends.append(server.program.kill)
        server.wait()
        ca = folder / "ca.crt"
        config = kubeconfig(folder / "kubeconfig", server.url, ca, tokens["admin"])
        programs = hands(folder, config)
        self._ends += [program.kill for program in programs]
        place = folder / "n0"
        known = node.prepare(place, NODE, server.url, ca, tokens[f"system:node:{NODE}"])
        real = node.start(place)
        self._ends.append(real.kill)
        account = f"{server.url}/api/v1/namespaces/default/serviceaccounts/default"
        ready = f"{server.url}/api/v1/nodes/{NODE}"
        for what, url in (("the first account", account), ("the node", ready)):
            self._await(what, url, server.program, real, *programs)
        return {
            "pid": os.getpid(),
            "folder": str(folder),
            "url": server.url,
            "token": tokens["admin"],
            "store": store_url,
            "kubeconfig": str(config),
            "node": known,
        }

    def _await(self, what: str, url: str, *programs: Program) -> None:
        ca, token = self.folder / "ca.crt", self.folder / "admin.token"
        wait_for(what, lambda: answers(url, ca, token), *programs)

    def end(self) -> None:
        while self._ends:
            self._ends.pop()()
        remove(self.folder)


def main() -> None:
    state, owner = Path(sys.argv[1]), os.pidfd_open(int(sys.argv[2]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    clear_left()
    keeper = Keeper()
    try:
        dump(state, keeper.start())
        select.select([owner], [], [])
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        state.unlink(missing_ok=True)
        keeper.end()


if __name__ == "__main__":
    main()
