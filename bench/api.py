"""The API's edge beside a bare handler of the same requests, and what lists and watches cost.

GET by id and PUT with its event: CPU of the server's process (not of Postgres) for each request,
beside Starlette, msgspec and asyncpg by hand (`served/bare.py`) with the same statements and the
same token check; rounds alternate, and the best of each stands. A page is read from the collection
of 25,000 jobs over one connection. Watches are connections that all follow one collection; an event
is delivered when its line has arrived, and its time is taken from before its PUT is sent.

    python bench/api.py [--seconds 1] [--rounds 9] [--resources 25000] [--watches 1000]

wrk is Debian's: make deps-bench
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import re
import resource
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from figures import Figures
from served import BASE
from skerry.identity.bootstrap import first_operator
from skerry.kernel import quotas
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.kinds import Registry
from skerry.kernel.paths import Path as At
from skerry.kernel.resources import Resources
from skerry.kernel.sealing import Sealer
from skerry.store import Database
from skerry.store.migrations import migrate
from skerry.store.postgres import EmbeddedPostgres

TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 16
EVENTS = 40
SPEC = {"command": ["python", "train.py"], "millicores": 2000, "memory": 1 << 30}
FILL = """
insert into resource (uid, kind, ref, name, tenant, workspace, region, parent_ref, root_uid,
  created_by, labels, annotations, extensions, spec, spec_version, status, state, conditions,
  version, generation, created_at, modified_at)
select u, kind, replace(ref, 'first', 'job-' || n), 'job-' || n, tenant, workspace, region,
  parent_ref, u, created_by, labels, annotations, extensions, spec, spec_version,
  '{"phase": "succeeded", "exitCode": 0}', 'active', conditions, version, generation, created_at,
  modified_at
from (select r.*, n, gen_random_uuid() as u from resource r, generate_series(1, $1::int) n
      where r.name = 'first' and r.kind = 'job') x
"""
SCRIPT = """
local n = 0
request = function()
  n = n + 1
  local name = {name}
  return wrk.format("{method}", "{base}/" .. name, wrk.headers, {body})
end
"""


async def fill(url: str, place: Path, count: int) -> str:
    """A workspace with so many jobs; the operator's token."""
    await migrate(url)
    db = await Database.open(url)
    registry = Registry.discover()
    resources = Resources(registry, Sealer(place / "seal.json"), "home")
    async with db.transaction() as tx:
        token = await first_operator(tx, resources)
        await resources.put(tx, registry["tenant"], At(name="bench"), {}, SYSTEM)
        await resources.put(tx, registry["workspace"], At("bench", name="bench"), {}, SYSTEM)
        await quotas.allow(tx, registry["job"], "bench", 10**9)
        body = {"spec": SPEC, "labels": {"team": "bench", "run": "nightly"}}
        first = At("bench", "bench", name="first")
        await resources.put(tx, registry["job"], first, body, SYSTEM)
        await tx.execute(FILL, count - 1)
    await db.execute("vacuum analyze resource")
    await db.close()
    assert token is not None
    return token


@contextmanager
def server(which: str, url: str, place: Path) -> Iterator[tuple[int, int]]:
    """Port and process of one of the two."""
    process = subprocess.Popen(
        [sys.executable, "-m", "served", which, url, str(place)], cwd=Path(__file__).parent,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid
    finally:
        process.kill()
        process.wait()


def cpu(pid: int) -> float:
    """Seconds of CPU of one process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> float:
    """MiB that a process holds."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    assert found is not None
    return int(found[1]) / 1024


def wrk(port: int, token: str, script: Path, seconds: float) -> int:
    """Requests made. Whatever is not a 2xx ends the run. wrk takes whole seconds only."""
    command = [
        "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script),
        "-H", f"Authorization: Bearer {token}", f"http://127.0.0.1:{port}/",
    ]  # fmt: skip
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    done = re.search(r"(\d+) requests in", text)
    if "Non-2xx" in text or "Socket errors" in text or done is None:
        sys.exit(f"requests failed:\n{text}")
    return int(done[1])


class Load:
    """The requests of each kind, as scripts for wrk."""

    def __init__(self, place: Path, count: int) -> None:
        self._place = place
        self._count = count
        self._round = 0

    def script(self, what: str) -> Path:
        body = json.dumps({"spec": SPEC, "labels": {"team": "bench", "run": "nightly"}})
        self._round += 1
        names = {
            "GET": f'"job-" .. (n * 7919 % {self._count - 1} + 1)',
            "create": f'"new-{self._round}-" .. n',
            "replace": f'"job-" .. (n * 7919 % {self._count - 1} + 1)',
        }
        path = self._place / f"{what}.lua"
        text = SCRIPT.replace("{base}", BASE).replace("{name}", names[what])
        text = text.replace("{method}", "GET" if what == "GET" else "PUT")
        path.write_text(text.replace("{body}", "nil" if what == "GET" else f"'{body}'"))
        return path


def requests(
    figures: Figures, servers: dict[str, tuple[int, int]], token: str, load: Load,
    seconds: float, rounds: int,
) -> None:  # fmt: skip
    """CPU for each request, ours beside the bare handler's."""
    for what in ("GET", "create", "replace"):
        taken: dict[str, list[float]] = {name: [] for name in servers}
        for port, _ in servers.values():
            wrk(port, token, load.script(what), 1)
        for _ in range(rounds):
            for name, (port, pid) in servers.items():
                before = cpu(pid)
                done = wrk(port, token, load.script(what), seconds)
                taken[name].append(1e6 * (cpu(pid) - before) / done)
        ours, bare = min(taken["ours"]), min(taken["bare"])
        name = "GET by id, CPU" if what == "GET" else f"PUT with event ({what}), CPU"
        figures.add(name, ours, "µs", peer=("bare handler", bare), most=1.5)


def pages(figures: Figures, port: int, token: str, count: int) -> None:
    """Pages of 100 through the whole collection, one after another."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    taken, seen, skip = [], 0, ""
    while seen < count:
        began = time.perf_counter()
        query = f"?limit=100{f'&skipToken={skip}' if skip else ''}"
        connection.request("GET", BASE + query, headers={"authorization": f"Bearer {token}"})
        page = json.load(connection.getresponse())
        taken.append(1000 * (time.perf_counter() - began))
        seen += len(page["items"])
        skip = page["metadata"].get("skipToken", "")
        if not skip:
            break
    connection.close()
    print(f"{len(taken)} pages, {seen:,} resources; p95 {_p95(taken):.1f} ms")
    figures.add(f"a page of 100 of {count:,}, median", statistics.median(taken), "ms", limit=50)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


class Watches:
    """Connections that follow one collection."""

    def __init__(self, port: int, token: str, count: int) -> None:
        self._poll = selectors.DefaultSelector()
        self._port = port
        request = (
            f"GET {BASE}?watch=true HTTP/1.1\r\nHost: bench\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        )
        self._sockets = []
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", port))
            sock.sendall(request.encode())
            self._sockets.append(sock)
        for sock in self._sockets:
            heard = b""
            while b": watching" not in heard:
                heard += sock.recv(4096)
            sock.setblocking(False)
            self._poll.register(sock, selectors.EVENT_READ)

    def deliver(self, token: str, number: int) -> list[float]:
        """Milliseconds from before a PUT until each of them has its event."""
        mark = f'"event":"{number}"'.encode()
        body = json.dumps({"spec": SPEC, "labels": {"event": str(number)}})
        head = (
            f"PUT {BASE}/first HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        taken: list[float] = []
        heard: dict[int, bytes] = {}
        with socket.create_connection(("127.0.0.1", self._port)) as sock:
            began = time.perf_counter()
            sock.sendall((head + body).encode())
            while len(taken) < len(self._sockets):
                for key, _ in self._poll.select():
                    text = heard.get(key.fd, b"") + key.fileobj.recv(65536)  # type: ignore[union-attr]
                    heard[key.fd] = text
                    if mark in text and text.endswith(b"\n\n\r\n"):
                        taken.append(1000 * (time.perf_counter() - began))
            if b" 200 " not in sock.recv(4096):
                sys.exit("the event's PUT was refused")
        return taken

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()


def watches(figures: Figures, port: int, pid: int, token: str, count: int) -> None:
    before = memory(pid)
    following = Watches(port, token, count)
    with contextlib.closing(following):
        following.deliver(token, 0)
        held = memory(pid) - before
        began = cpu(pid)
        taken: list[float] = []
        for number in range(EVENTS):
            taken += following.deliver(token, number + 1)
        each = 1e6 * (cpu(pid) - began) / EVENTS / count
    print(f"{count:,} watches of one collection: {each:.0f} µs of CPU an event and watch")
    figures.add(f"{count:,} open watches, memory", held, "MiB", limit=100)
    figures.add(f"to all {count:,} watches, p50", statistics.median(taken), "ms", limit=100)
    figures.add(f"to all {count:,} watches, p95", _p95(taken), "ms", limit=100)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--resources", type=int, default=25_000)
    parser.add_argument("--watches", type=int, default=1000)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="bench-api-") as where, ExitStack() as stack:
        place = Path(where)
        postgres = EmbeddedPostgres(place / "postgres", fsync=False)
        url = asyncio.run(postgres.start())
        stack.callback(lambda: asyncio.run(postgres.stop()))
        token = asyncio.run(fill(url, place, given.resources))
        figures = Figures("api")
        with server("following", url, place) as (port, pid):
            pages(figures, port, token, given.resources)
            watches(figures, port, pid, token, given.watches)
        # Last, because nobody gives positions to the changes that are made here.
        names = ("bare", "ours")
        servers = {name: stack.enter_context(server(name, url, place)) for name in names}
        load = Load(place, given.resources)
        requests(figures, servers, token, load, given.seconds, given.rounds)
        return figures.end()


if __name__ == "__main__":
    sys.exit(main())
