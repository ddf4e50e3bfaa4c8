"""runc, driven directly: an OCI bundle written here, no daemon, no image.

The container's first process is a shell of three lines, in an empty environment, that starts the
rest in a child, buries the dead and passes the exit code on: a command that runs as process 1
would not even die of its own signals. What the shell itself would say goes nowhere; descriptor 9
keeps the command's standard error meanwhile.

For an image the container begins as root with the few rights that it takes to enter the image, and
without the system call filter, which would forbid just that: ``inside`` sets both right.
"""

import json
import subprocess
from typing import Any

from skerry.sites.contract import Isolation
from skerry.sites.local import seccomp
from skerry.sites.local.engines.base import (
    ENTERING,
    HOLD,
    Host,
    Launch,
    Order,
    Unusable,
    find,
    last,
)
from skerry.sites.local.shim.plan import PROGRAM_FD

_FIRST = 'exec 9>&2 2>/dev/null\n(exec "$@" 2>&9 9>&-)\nexit $?'
_OURS = PROGRAM_FD - 2
"""How many descriptors after standard error go into the sandbox."""
_OOM_SCORE = 500

_HIDDEN = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
)
_READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


class Runc:
    name = "runc"
    isolation: Isolation = "sandbox"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._state = host.data / "runc"

    def version(self) -> str:
        program = find("runc")
        if not self._host.root:
            raise Unusable("runc needs an agent that is root")
        if self._host.cgroups:
            raise Unusable(self._host.cgroups)
        text = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=True
        ).stdout
        return text.splitlines()[0].split()[-1]

    def launch(self, order: Order) -> Launch:
        bundle = order.directory / "bundle"
        bundle.mkdir(mode=0o700, exist_ok=True)
        (bundle / "config.json").write_text(json.dumps(self._config(order)))
        pid_file = str(bundle / "pid")
        filter = [seccomp.for_bubblewrap()] if order.image else []
        ours = _OURS + len(filter)
        argv = [
            *self._base(),
            *("run", "--detach", "--preserve-fds", str(ours), "--pid-file", pid_file),
            *("--bundle", str(bundle), order.name),
        ]
        return Launch(
            argv=argv,
            directory=bundle,
            path=self._host.view.path,
            pid_file=pid_file,
            depth=1,
            memory_files=filter,
            cleanup=[self.sweep(order.name)],
            join=False,
        )

    def sweep(self, name: str) -> list[str]:
        return [*self._base(), "delete", "--force", name]

    def _base(self) -> list[str]:
        return [find("runc"), "--root", str(self._state)]

    def _config(self, order: Order) -> dict[str, Any]:
        limits = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]
        if order.disk:
            limits.append({"type": "RLIMIT_FSIZE", "soft": order.disk, "hard": order.disk})
        rights = [f"CAP_{name}" for name in ENTERING] if order.image else []
        kinds = ("bounding", "effective", "permitted")
        uid = 0 if order.image else order.uid
        return {
            "ociVersion": "1.0.2",
            "hostname": order.hostname,
            "root": {"path": str(order.root or self._host.view.skeleton), "readonly": True},
            "process": {
                "terminal": False,
                "user": {"uid": uid, "gid": uid, "additionalGids": []},
                "args": ["/bin/sh", "-c", _FIRST, "sh", *last(0, order)],
                "env": [],
                "cwd": "/work",
                "capabilities": dict.fromkeys(kinds, rights),
                "rlimits": limits,
                "noNewPrivileges": True,
                "oomScoreAdj": _OOM_SCORE,
            },
            "mounts": self._mounts(order),
            "linux": {
                "namespaces": [
                    {"type": kind}
                    for kind in ("pid", "ipc", "uts", "mount", "cgroup", "network")
                    if not (kind == "network" and order.network)
                ],
                "cgroupsPath": order.cgroup,
                "resources": {"devices": _device_rules(order)},
                "devices": [],
                "maskedPaths": list(_HIDDEN),
                "readonlyPaths": list(_READ_ONLY),
                **({} if order.image else {"seccomp": seccomp.for_runc()}),
            },
        }

    def _mounts(self, order: Order) -> list[dict[str, Any]]:
        def mount(target: str, kind: str, *options: str) -> dict[str, Any]:
            return {"destination": target, "type": kind, "source": kind, "options": list(options)}

        size = f"size={order.memory}"
        mounts = [
            mount("/proc", "proc", "nosuid", "noexec", "nodev"),
            mount("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
            mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666"),
            mount("/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", size),  # noqa: S108
            mount("/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev"),
            mount("/tmp", "tmpfs", "nosuid", "nodev", "mode=1777", size),  # noqa: S108
        ]
        if order.image:
            mounts.append(mount(HOLD, "tmpfs", "nosuid", "nodev", "mode=755"))
        for bind in order.binds_in_order(tuple(self._host.view.binds)):
            options = ["rbind", "rw" if bind.writable or bind.device else "ro", "nosuid"]
            mounts.append(
                {
                    "destination": bind.target,
                    "type": "bind",
                    "source": bind.source,
                    "options": options if bind.device else [*options, "nodev"],
                }
            )
        return mounts


def _device_rules(order: Order) -> list[dict[str, Any]]:
    """Nothing but the order's devices; runc itself adds the harmless ones such as null."""
    rules: list[dict[str, Any]] = [{"allow": False, "access": "rwm"}]
    for bind in order.binds:
        if bind.device:
            type, major, minor = bind.device_number()
            rule = {"type": type, "major": major, "minor": minor, "access": bind.access}
            rules.append({"allow": True, **rule})
    return rules
