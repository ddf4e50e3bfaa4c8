"""The machine: disk, open files, control groups, engines, user namespaces, ports."""

import os
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from skerry.api.console import built
from skerry.doctor import Report
from skerry.sites.local.cgroups import mounts
from skerry.sites.local.engines.base import Unusable, find

MIB, GIB = 1 << 20, 1 << 30
LOW, EMPTY = 2 * GIB, 256 * MIB
"""Free disk below which work will soon be refused, and is."""
FILES, FEW_FILES = 4096, 1024
SLOW_SYNC = 0.05
_CONTROLLERS = ("cpu", "cpuacct", "memory", "pids", "freezer")
_UNIFIED = ("cpu", "memory", "pids")
_SECONDS = 20
_FOR_IMAGES = (("skopeo", "skopeo"), ("umoci", "umoci"))
_FOR_VOLUMES = (("mkfs.ext4", "e2fsprogs"),)


def disk(report: Report, data: Path) -> None:
    """Room, and how long a write takes to be safe."""
    place = _there(data)
    room = os.statvfs(place)
    free, total = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    said = f"{free / GIB:.1f} GiB of {total / GIB:.1f} GiB are free at {place}"
    remedy = "Delete what is not needed, or put --data on a larger disk."
    if free < EMPTY:
        report.broken("disk", f"{said}: new work is refused", remedy)
    elif free < LOW:
        report.warning("disk", said, remedy)
    else:
        report.ok("disk", said)
    if room.f_files and room.f_favail < 10_000:
        report.warning("disk", f"only {room.f_favail} more files fit on it", remedy)
    _sync(report, place)


def _sync(report: Report, place: Path) -> None:
    """In a file without a name, so that nothing stays."""
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            began = time.perf_counter()
            for _ in range(3):
                file.write(b"x" * 8192)
                file.flush()
                os.fsync(file.fileno())
            took = (time.perf_counter() - began) / 3
    except OSError as error:
        remedy = "Let the user who runs Skerry write there, or name another --data."
        report.broken("disk", f"{place} can't be written: {error.strerror}", remedy)
        return
    said = f"a write is safe on disk after {took * 1000:.1f} ms"
    if took > SLOW_SYNC:
        report.warning("disk", said, "Use a faster disk: every change waits for this.")
    else:
        report.ok("disk", said)


def _there(path: Path) -> Path:
    """The nearest directory that exists."""
    return next(p for p in (path, *path.parents) if p.is_dir())


def files(report: Report) -> None:
    """How many files one process may open: a connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    said = f"a process may have {'any number of' if hard < 0 else hard} files open"
    remedy = "Raise it: LimitNOFILE=65536 in the service's unit, or `ulimit -Hn 65536`."
    if 0 <= hard < FEW_FILES:
        report.broken("files", said, remedy)
    elif 0 <= hard < FILES:
        report.warning("files", said, remedy)
    else:
        report.ok("files", said)


def cgroups(report: Report) -> None:
    """Whether the kernel can hold tasks to their memory, processes and cores."""
    found = mounts(Path("/proc/self/mountinfo").read_text())
    unified = next((m for m in found if m.version == 2), None)
    if unified is not None:
        there = (unified.directory / "cgroup.controllers").read_text().split()
        if set(_UNIFIED) <= set(there):
            _writable(report, unified.directory, 2)
            return
    options = {option for m in found if m.version == 1 for option in m.options}
    missing = [c for c in _CONTROLLERS if c not in options]
    if missing:
        said = f"the kernel offers no control group for {', '.join(missing)}"
        report.warning(
            "cgroups", f"{said}: limits of tasks are held by watching them, or not at all",
            "Mount cgroup2 at /sys/fs/cgroup with the controllers cpu, memory and pids.",
        )  # fmt: skip
        return
    _writable(report, next(m for m in found if "memory" in m.options).directory, 1)


def _writable(report: Report, directory: Path, version: int) -> None:
    if os.geteuid() == 0 and not os.access(directory, os.W_OK):
        report.warning(
            "cgroups", f"{directory} is read-only here: limits of tasks can't be set",
            "Give the container its control groups to write (--cgroupns=private, rw).",
        )  # fmt: skip
        return
    if os.geteuid() != 0:
        report.note(
            "cgroups", f"version {version}; who is not root needs them delegated",
            "In the service's unit: Delegate=yes. Else run the agent as root.",
        )  # fmt: skip
        return
    report.ok("cgroups", f"version {version}, at {directory}")


def engines(report: Report) -> None:
    """What separates tasks from this machine. Without any, it runs its operator's work only."""
    whys = {"runc": _runc(), "bubblewrap": _bubblewrap()}
    usable = [name for name, why in whys.items() if not why]
    if usable:
        report.ok("engines", f"tasks are kept apart by {usable[0]}")
    else:
        told = "; ".join(f"{name}: {why}" for name, why in whys.items())
        report.broken(
            "engines", f"no sandbox: {told}",
            "Install one: apt-get install runc (or bubblewrap). Or start with --no-agent.",
        )  # fmt: skip
    _program(report, "network", (("nft", "nftables"),), "tasks that ask for a network are refused")
    _program(report, "images", _FOR_IMAGES, "work that names an image is refused")
    _program(report, "volumes", _FOR_VOLUMES, "volumes can't be made")


def _runc() -> str:
    """Why it can't be used; empty if it can."""
    if os.geteuid() != 0:
        return "is for an agent that is root"
    try:
        return _ran(find("runc"), "--version")
    except Unusable as error:
        return str(error)


def _bubblewrap() -> str:
    try:
        program = find("bwrap")
    except Unusable as error:
        return str(error)
    user = () if os.geteuid() == 0 else ("--unshare-user",)
    return _ran(program, *user, "--unshare-pid", "--ro-bind", "/", "/", "/bin/true")


def _ran(*command: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else f"{Path(command[0]).name}: {done.stderr.strip()[:200]}"


def _program(report: Report, about: str, wanted: tuple[tuple[str, str], ...], without: str) -> None:
    missing = []
    for program, package in wanted:
        try:
            find(program)
        except Unusable:
            missing.append((program, package))
    if missing:
        names = " and ".join(program for program, _ in missing)
        packages = " ".join(package for _, package in missing)
        said = f"{names} not installed: {without}"
        report.warning(about, said, f"apt-get install {packages}")
    else:
        report.ok(about, f"{', '.join(program for program, _ in wanted)} there")


def namespaces(report: Report) -> None:
    """User namespaces: Postgres under root, and sandboxes of an agent that is not root, need
    them."""
    unshare = shutil.which("unshare")
    why = "unshare is not installed" if unshare is None else _ran(unshare, "--user", "true")
    if not why:
        report.ok("user namespaces", "can be made")
        return
    remedy = (
        "sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000; on Ubuntu"
        " also kernel.apparmor_restrict_unprivileged_userns=0"
    )
    if os.geteuid() == 0:
        report.warning(
            "user namespaces", f"can't be made ({why}): Postgres runs as a system user instead",
            f"Make a user called skerry or postgres, or: {remedy}",
        )  # fmt: skip
    else:
        report.broken("user namespaces", f"can't be made ({why}): no sandbox for tasks", remedy)


def port(report: Report, listen: str) -> None:
    """Whether the API can listen there, for a cloud that is down."""
    host, _, number = listen.rpartition(":")
    host = host.strip("[]")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, int(number), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        who = holder(int(number))
        said = f"{listen} can't be had: {error.strerror or error}"
        report.broken(
            "port", f"{said}{f' (it is held by {who})' if who else ''}",
            "End what listens there, or say --listen HOST:PORT.",
        )  # fmt: skip
        return
    report.ok("port", f"{listen} is free")


def holder(number: int) -> str:
    """Who listens on a port, as far as it can be seen."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == number:
                inodes.add(f"socket:[{words[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(fd) in inodes for fd in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()}, process {process.name}"
        except OSError:
            continue
    return ""


def console(report: Report) -> None:
    """Whether people have pages to look at."""
    if built():
        report.ok("console", "the web console is there")
    else:
        report.note(
            "console",
            "the web console was not built; API and commands need none",
            "In a checkout: `make console`. A released package has it.",
        )
