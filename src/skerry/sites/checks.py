"""Checks that every driver makes in the same way, before it touches anything.

A workload that came this far may still hold nonsense: the driver is the last one who can refuse
it with nothing half-made. Paths are the dangerous part: each one is relative, in its plainest
form, and so can't leave the working directory by its spelling. (Symbolic links are the driver's
own care.)
"""

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from skerry.sites.contract import Health, Refused, Workload

_ID = re.compile(r"[a-z0-9-]{1,63}\Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_LONGEST_PATH = 1024
_LONGEST_NAME = 255


def check(workload: Workload) -> None:
    """Refuse (``BadWorkload``, ``BadPath``) what no site could run."""
    _need(_ID.match(workload.id), "a workload's id is 1 to 63 of a-z, 0-9 and -")
    _need(workload.tasks >= 1, "a workload has at least one task")
    if workload.command or not workload.image:
        _need(workload.command and workload.command[0], "there is no command to run")
    for digest in filter(None, (workload.image, workload.environment)):
        check_digest(digest)
    _need(all("\0" not in word for word in workload.command), "a command can't hold NUL bytes")
    for name, value in (*workload.env.items(), *workload.secret_env.items()):
        _need(
            name and not {"=", "\0"} & set(name) and "\0" not in value,
            f"{name!r} can't be the name of a variable, or its value holds a NUL byte",
        )
    ask = workload.resources
    _need(ask.millicores >= 1, "each task needs at least a thousandth of a core")
    _need(ask.memory >= 1, "each task needs some memory")
    _need(ask.gpus >= 0, "the number of GPUs can't be negative")
    _need(ask.disk >= 0, "the disk space can't be negative")
    _need(ask.pids >= 1, "each task needs at least one process")
    _check_pins(workload)
    _need(workload.time_limit >= 0, "the time limit can't be negative")
    _need(workload.grace >= 0, "the grace can't be negative")
    _need(workload.max_restarts >= 0, "the number of restarts can't be negative")
    _need(workload.log_bytes >= 1, "the log needs some space")
    ports = [port.port for port in workload.ports]
    _need(all(1 <= port <= 65535 for port in ports), "a port is a number from 1 to 65535")
    _need(len(set(ports)) == len(ports), "each port is named once")
    _check_secrets(workload)
    if workload.health is not None:
        _check_health(workload.health)
    for file in workload.files:
        check_digest(file.digest)
        check_path(file.path)
    _check_collisions([file.path for file in workload.files])
    for use in workload.mounts:
        _check_place(use.path, "a volume")
    for what in ("volume", "path"):
        named = [getattr(use, what) for use in workload.mounts]
        _need(len(set(named)) == len(named), f"each {what} of a volume is named once")
    for glob in workload.artifacts:
        check_path(glob, "glob of artifacts")


def _check_pins(workload: Workload) -> None:
    for what, named in (("node", workload.nodes), ("set of devices", workload.devices)):
        _need(len(named) in (0, workload.tasks), f"the {what} of every task is named, or of none")
    gpus = workload.resources.gpus
    _need(
        all(len(held) == gpus for held in workload.devices),
        "for each task as many devices are named as it asks for",
    )
    held = [uuid for one in workload.devices for uuid in one]
    _need(len(set(held)) == len(held), "a device is named for one task only")


def _check_health(health: Health) -> None:
    _need(
        bool(health.port) != bool(health.command),
        "a health check has a port to connect to, or a command to run, and not both",
    )
    _need(0 <= health.port <= 65535, "a port is a number from 1 to 65535")
    path = health.path
    _need(
        not path or (health.port and path[0] == "/" and path.isascii() and path.isprintable()),
        "the path of a health check begins with '/'",
    )
    _need(" " not in path, "the path of a health check has no spaces")
    _need(all("\0" not in word for word in health.command), "a command can't hold NUL bytes")
    times = (health.every, health.timeout)
    _need(all(0 < n < float("inf") for n in times), "the times of a health check are positive")
    _need(health.start >= 0, "the time that a health check leaves a start is not negative")
    _need(health.failures >= 1, "at least one failure makes a task unready")


def _need(holds: object, message: str) -> None:
    if not holds:
        raise Refused("BadWorkload", message)


def check_path(path: str, what: str = "path") -> str:
    """Refuse (``BadPath``) a path that is not relative and plain: no ``..``, ``.``, ``//``."""
    parts = path.split("/")
    if (
        any(part in ("", ".", "..") or len(part.encode()) > _LONGEST_NAME for part in parts)
        or "\0" in path
        or len(path.encode()) > _LONGEST_PATH
    ):
        shown = path if len(path) <= 80 else path[:77] + "..."
        raise Refused(
            "BadPath", f"{shown!r} is no {what} relative to the working directory, without '..'"
        )
    return path


def _check_secrets(workload: Workload) -> None:
    for path in workload.secret_files:
        _check_place(path, "a secret file")
        if any(PurePosixPath(path).is_relative_to(use.path) for use in workload.mounts):
            raise Refused("BadPath", f"{path[:80]!r} is in a volume, where others may read it")
    _check_collisions([path.lstrip("/") for path in workload.secret_files])


def _check_place(path: str, what: str) -> None:
    parts = PurePosixPath(path).parts
    plain = str(PurePosixPath(path)) == path and ".." not in parts and "\0" not in path
    if not plain or len(parts) < 2 or parts[0] != "/" or parts[1] in ("dev", "proc", "sys"):
        raise Refused("BadPath", f"{path[:80]!r} is no place for {what}: name one below /")
    if len(path.encode()) > _LONGEST_PATH or path in ("/work", "/tmp"):  # noqa: S108
        raise Refused("BadPath", f"{path[:80]!r} is taken, or too long: name another place")


def _check_collisions(paths: list[str]) -> None:
    seen: set[str] = set()
    for path in paths:
        if path in seen:
            raise Refused("BadPath", f"two files have the path {path!r}")
        seen.add(path)
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            above = "/".join(parts[:depth])
            if above in seen:
                raise Refused("BadPath", f"{above!r} can't be a file and hold {path!r}, too")


def check_digest(digest: str) -> str:
    """Refuse (``BadDigest``) what is not ``sha256:`` and 64 hex digits; gives the hex digits."""
    if not _DIGEST.match(digest):
        raise Refused("BadDigest", f"{digest[:80]!r} is not sha256: and 64 hex digits")
    return digest.removeprefix("sha256:")


def matcher(globs: Iterable[str]) -> Callable[[str], bool]:
    """Whether a path matches any of ``globs``.

    ``*`` and ``?`` stay within a name, ``[a-z]`` is one character, ``**`` as a whole name is any
    number of folders, and at the end everything below.
    """
    patterns = [tuple(glob.split("/")) for glob in globs]
    return lambda path: any(_matches(pattern, path.split("/")) for pattern in patterns)


def _matches(pattern: tuple[str, ...], names: list[str]) -> bool:
    """Walk along ``names`` with all the places in ``pattern`` where one can be by then."""
    last = len(pattern) - 1

    def skipping(places: set[int]) -> set[int]:
        """``**`` before the last name also stands for no folder at all."""
        for place in sorted(places):
            while place < last and pattern[place] == "**":
                place += 1
                places.add(place)
        return places

    places = skipping({0})
    for name in names:
        following: set[int] = set()
        for place in places:
            if place > last:
                continue
            if pattern[place] == "**":
                following |= {place, place + 1} if place == last else {place}
            elif fnmatchcase(name, pattern[place]):
                following.add(place + 1)
        places = skipping(following)
    return last + 1 in places
