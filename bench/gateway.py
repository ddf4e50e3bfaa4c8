"""The gateway's proxy beside nginx as the same proxy, in the same run, before the same backend.

One worker each, connections to the backend kept alive, one tenant's route, a small answer; the
load comes from wrk and the backend is another nginx, so neither is the bottleneck. CPU is that of
the proxy's process alone, so a busy machine changes little of it. Latency is one connection's, and
what counts is what the proxy adds to asking the backend itself; ours and the peer's rounds
alternate, and the best round of each stands. Memory is what connections that wait add to a process
that has served nothing yet.

    python bench/gateway.py [--seconds 4] [--rounds 3] [--idle 10000]

wrk and nginx are Debian's: make deps-bench
"""

import argparse
import asyncio
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvloop

from figures import Figures
from skerry.gateway import gateway
from skerry.gateway.access import AccessLog
from skerry.gateway.proxy import Proxy
from skerry.gateway.seams import Answer, Entry, Head
from skerry.gateway.spool import Spool
from skerry.gateway.table import Backend, Route, Table
from skerry.series import Requests

HOST = "web-default-acme.apps.localhost"
TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 32
BODY = "x" * 400
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}

BACKEND = """
daemon off; worker_processes 1; pid {place}/backend.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; server {{ listen 127.0.0.1:{port};
  location / {{ default_type text/plain; return 200 "{body}"; }} }} }}
"""
PEER = """
daemon off; worker_processes 1; pid {place}/peer.pid; error_log stderr crit;
events {{ worker_connections 25000; }}
http {{ access_log {place}/access.log combined buffer=64k; keepalive_requests 100000000;
  upstream app {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port}; server_name {host};
    location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Request-Id $request_id;
      proxy_set_header X-Forwarded-Host $host; add_header X-Request-Id $request_id;
      proxy_buffering off; }} }} }}
"""

figures = Figures("gateway")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    process = subprocess.Popen(command)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def nginx(place: Path, name: str, text: str) -> list[str]:
    path = place / f"{name}.conf"
    path.write_text(text)
    return ["nginx", "-c", str(path), "-p", str(place)]


def cpu(pid: int) -> float:
    """Seconds of CPU of a process and its children (nginx's worker)."""
    total = 0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for one in (str(pid), *children):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def wrk(port: int, connections: int, seconds: float) -> tuple[int, float]:
    """Requests made, and the median latency in ms. Whatever is not a 2xx ends the run. wrk takes
    whole seconds only."""
    command = [
        "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency",
        "-H", f"Host: {HOST}",
        f"http://127.0.0.1:{port}/some/path?of=usual&length=1",
    ]  # fmt: skip
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"requests failed:\n{text}")
    done = re.search(r"(\d+) requests in", text)
    median = re.search(r"50%\s+([\d.]+)(us|ms|s)", text)
    assert done is not None
    assert median is not None
    return int(done[1]), float(median[1]) * UNITS[median[2]]


def memory(pid: int) -> int:
    """Bytes that a process and its children hold, none twice."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    texts = [Path(f"/proc/{one}/smaps_rollup").read_text() for one in (str(pid), *children)]
    found = [re.search(r"^Pss:\s+(\d+) kB", text, re.M) for text in texts]
    return sum(int(one[1]) << 10 for one in found if one is not None)


def held(port: int, pid: int, count: int) -> float:
    """KiB of memory for each of so many connections that were asked once and wait since."""
    request = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    before = memory(pid)
    with ExitStack() as stack:
        for _ in range(count):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            sock.sendall(request)
            if not sock.recv(4096).startswith(b"HTTP/1.1 200 "):
                sys.exit("a connection was not answered")
        return (memory(pid) - before) / count / 1024


class Open:
    """A gate that lets everything through, and keeps of requests what the gateway keeps: sums for
    the ledger, a line in the access log, samples."""

    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder / "spool")
        self.access = AccessLog(folder / "access")
        self.requests = Requests()

    def check(self, route: Route, head: Head) -> None:
        return None

    async def wait(self, route: Route, head: Head | None) -> Answer:
        return Answer(503)

    def strip(self, route: Route, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return headers

    def entry(self, entry: Entry) -> None:
        self.spool.add(entry)
        self.access.add(entry)
        self.requests.count(
            entry.route.uid, failed=entry.status >= 500, seconds=entry.seconds,
            received=entry.received, sent=entry.sent,
        )  # fmt: skip

    async def write(self) -> None:
        """As often as the gateway does."""
        while True:
            await asyncio.sleep(gateway.WRITE)
            await self.access.write()
            await self.spool.write()


async def serve(port: int, backend: int, folder: Path) -> None:
    async def dial(_: Backend) -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", backend))
        return sock

    route = Route(
        uuid.uuid4(), "routes/web", "acme", 1, (Backend("here", "web", 0, backend),), hosts=(HOST,)
    )
    gate = Open(folder)
    proxy = Proxy(Table([route]), dial, gate)
    await proxy.listen("127.0.0.1", port)
    await gate.write()


def measured(ports: dict[str, tuple[int, int]], backend: int, seconds: float, rounds: int) -> None:
    """``ports``: port and process of ours and of the peer."""
    rate: dict[str, list[float]] = {name: [] for name in ports}
    median: dict[str, list[float]] = {name: [] for name in ports}
    through: dict[str, list[float]] = {name: [] for name in ports}
    direct = []
    for port, _ in ports.values():
        wrk(port, CONNECTIONS, 1)
    for _ in range(rounds):
        direct.append(wrk(backend, 1, seconds / 2)[1])
        for name, (port, pid) in ports.items():
            median[name].append(wrk(port, 1, seconds / 2)[1])
            before = cpu(pid)
            done, _ = wrk(port, CONNECTIONS, seconds)
            rate[name].append(done / (cpu(pid) - before))
            through[name].append(done / seconds)
    ours, peer, base = min(median["ours"]), min(median["nginx"]), min(direct)
    print(f"{CONNECTIONS} connections; {rounds} rounds; the backend itself: {base:.3f} ms")
    figures.add("latency added, p50", ours - base, "ms", limit=0.3)
    figures.add("latency added, p50", ours - base, "ms", peer=("nginx", peer - base))
    fast, fastest = max(rate["ours"]), max(rate["nginx"])
    figures.add("requests per CPU second", fast, "/s", limit=5000, least=1.0)
    figures.add("requests per CPU second", fast, "/s", peer=("nginx", fastest), least=0.1)
    most, peers = max(through["ours"]), max(through["nginx"])
    figures.add("requests per second", most, "/s", peer=("nginx", peers))


def waiting(ports: dict[str, tuple[int, int]], count: int) -> None:
    """Memory of connections on which nothing happens."""
    each = {name: held(port, pid, count) for name, (port, pid) in ports.items()}
    name = f"{count:,} idle connections, each"
    figures.add(name, each["ours"], "KiB", limit=8)
    figures.add(name, each["ours"], "KiB", peer=("nginx", each["nginx"]))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--serve", nargs=3, metavar=("PORT", "BACKEND", "FOLDER"))
    given = parser.parse_args()
    if given.serve:
        port, backend, folder = given.serve
        uvloop.run(serve(int(port), int(backend), Path(folder)))
        return 0
    for program in ("wrk", "nginx"):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not installed: apt-get install wrk nginx-light")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < given.idle + 1000:
        sys.exit(f"{given.idle} idle connections need a higher limit of open files than {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="bench-") as where, ExitStack() as stack:
        place = Path(where)
        place.chmod(0o755)
        backend, peer, ours = free_port(), free_port(), free_port()
        text = BACKEND.format(place=place, port=backend, body=BODY)
        stack.enter_context(running(nginx(place, "backend", text), backend))
        text = PEER.format(place=place, port=peer, backend=backend, host=HOST)
        ports = {"nginx": (peer, stack.enter_context(running(nginx(place, "peer", text), peer)))}
        command = [sys.executable, __file__, "--serve", str(ours), str(backend), f"{place}/gateway"]
        ports["ours"] = (ours, stack.enter_context(running(command, ours)))
        waiting(ports, given.idle)
        measured(ports, backend, given.seconds, given.rounds)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
