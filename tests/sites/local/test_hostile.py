"""A task that wants out, or wants to do harm, in each engine: it finds nothing to talk to, nothing
of the kernel to turn, and no way to take from the host what others need."""

import asyncio
import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from skerry.sites.contract import Resources, Workloads
from tests.sites.contract.rig import MIB, ended, log, put, run, running, workload
from tests.sites.contract.suite import Script
from tests.sites.local.rigs import LocalRig

KNOCK = """
import json, socket, sys
for family, place in json.load(open("places")):
    address = ("\\0" + place[1:] if place[0] == "@" else place) if family == 1 else tuple(place)
    with socket.socket(family) as end:
        end.settimeout(2)
        try:
            end.connect(address)
        except OSError:
            continue
        print("reached", place)
print("end")
"""


@contextmanager
def listening(family: socket.AddressFamily, address: Any) -> Iterator[Any]:
    """Somebody who listens; where."""
    with socket.socket(family) as server:
        server.bind("\0" + address[1:] if str(address).startswith("@") else address)
        server.listen(8)
        yield address if family == socket.AF_UNIX else server.getsockname()[:2]


async def test_nobody_of_the_host_is_reached(
    rig: LocalRig, site: Workloads, tmp_path: Path, pg_url: str
) -> None:
    """Not Postgres, not an agent, not the API, wherever they listen."""
    mark = uuid.uuid4().hex[:8]
    database = f"{parse_qs(urlsplit(pg_url).query)['host'][0]}/.s.PGSQL.5432"
    unix = [f"/tmp/skerry-{mark}", f"/dev/shm/skerry-{mark}", str(tmp_path / "agent.sock")]
    with ExitStack() as stack:
        places: list[tuple[int, Any]] = [(1, database)]
        for path in (*unix, f"@skerry-{mark}"):
            places.append((1, stack.enter_context(listening(socket.AF_UNIX, path))))
        for host in ("127.0.0.1", "0.0.0.0"):
            there = stack.enter_context(listening(socket.AF_INET, (host, 0)))
            places.append((2, ("127.0.0.1", there[1])))
        for place in places:  # all are there for who is not in a sandbox
            with socket.socket(place[0]) as end:
                end.connect(place[1].replace("@", "\0") if place[0] == 1 else place[1])
        told = await put(site, "places", json.dumps(places).encode())
        work = workload(rig, Script(), command=("python3", "-c", KNOCK), files=(told,))
        await run(site, work)
        assert await log(site, work.id) == "end\n"
        for path in unix:
            os.unlink(path)


async def test_nothing_of_the_kernel_can_be_turned_or_read(rig: LocalRig, site: Workloads) -> None:
    script = (
        "for f in /proc/kcore /proc/kmsg /proc/slabinfo /proc/keys /proc/vmallocinfo; do"
        " head -c 1 $f 2>/dev/null | grep -q . && echo read $f; done;"
        "for f in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches"
        " /proc/sys/kernel/hostname /proc/self/oom_score_adj /proc/1/oom_score_adj; do"
        " (echo -1000 > $f) 2>/dev/null && echo wrote $f; done;"
        "grep -vc ' 0000000000000000\\|^0000000000000000' /proc/kallsyms;"
        "ls -A /sys; ls -l /dev | grep '^[bc]' | awk '{print $NF}'"
    )
    work = workload(rig, Script(), command=("sh", "-c", script))
    await run(site, work)
    devices = ["full", "null", "random", "tty", "urandom", "zero"]
    assert (await log(site, work.id)).split() == ["0", *devices]


async def test_its_signals_end_at_its_walls(rig: LocalRig, site: Workloads) -> None:
    other = workload(rig, Script().print("up").stay())
    await site.apply(other, 1)
    await running(site, other.id)
    work = workload(rig, Script(), command=("sh", "-c", "kill -9 -1; kill -9 1; true"))
    await site.apply(work, 1)
    await ended(site, work.id)
    _, held = await site.list()
    [status] = [status for status in held if status.id == other.id]
    assert [task.exit_code for task in status.tasks] == [None]


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm", "/var/tmp"])
async def test_places_in_memory_end_with_its_memory(
    rig: LocalRig, site: Workloads, place: str
) -> None:
    script = f"head -c 200000000 /dev/zero > {place}/x; stat -c %s {place}/x; exit 3"
    work = workload(rig, Script(), command=("sh", "-c", script), memory=64 * MIB)
    [task] = (await run(site, work)).tasks
    assert task.exit_code in (3, 137)
    size = await log(site, work.id, stream="stdout")
    assert task.exit_code == 137 or int(size) <= 64 * MIB


async def test_nowhere_else_can_it_write(rig: LocalRig, site: Workloads) -> None:
    script = (
        "find / -maxdepth 2 -xdev -type d -writable 2>/dev/null; "
        "for d in /run /var /srv /mnt /opt /home /root /etc /sys /proc; do"
        " (echo x > $d/x) 2>/dev/null && echo wrote $d; done; echo end"
    )
    work = workload(rig, Script(), command=("sh", "-c", script))
    await run(site, work)
    assert await log(site, work.id) == "/tmp\n/work\nend\n"


async def test_empty_files_are_no_way_to_take_all_inodes(tmp_path: Path) -> None:
    rig = LocalRig(tmp_path, engines=("runc",))
    site = await rig.open()
    program = (
        "import time\n"
        "for n in range(3000): open(str(n), 'w').close()\n"
        "print('made', flush=True); time.sleep(1000)"
    )
    work = workload(
        rig,
        Script(),
        command=("python3", "-c", program),
        resources=Resources(millicores=1000, memory=64 * MIB, disk=10 * MIB),
    )
    await site.apply(work, 1)
    async with asyncio.timeout(60):
        [task] = (await ended(site, work.id)).tasks
    assert (task.exit_code, task.reason) == (137, "DiskLimit")
    await rig.end()
