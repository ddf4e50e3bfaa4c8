"""bubblewrap: the sandbox for hosts without runc, and for agents that are not root.

As root it sets the sandbox up with root's rights, and ``become`` inside it then turns into the
task's own user for good. Not as root it uses a user namespace; the task runs as the agent's user
outside and as another one inside.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from skerry.sites.contract import Isolation
from skerry.sites.local import seccomp
from skerry.sites.local.engines import become
from skerry.sites.local.engines.base import Host, Launch, Order, Unusable, find, inner
from skerry.sites.local.shim.plan import FIRST_MEMORY_FD

_FILTER, _PROGRAM = FIRST_MEMORY_FD, FIRST_MEMORY_FD + 1
_UID_INSIDE = 1000


class Bubblewrap:
    name = "bubblewrap"
    isolation: Isolation = "sandbox"

    def __init__(self, host: Host) -> None:
        self._host = host

    def version(self) -> str:
        if self._host.root and self._host.cgroups:
            raise Unusable(self._host.cgroups)
        text = subprocess.run(
            [find("bwrap"), "--version"], capture_output=True, text=True, check=True
        ).stdout
        version = text.split()[-1]
        if self._host.cgroups:
            return f"{version}; limits by watching, not by the kernel: {self._host.cgroups}"
        return version

    def launch(self, order: Order) -> Launch:
        python = os.path.realpath(sys.executable)
        argv = [
            find("bwrap"),
            *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
            *([] if order.network else ["--unshare-net"]),
            *("--die-with-parent", "--as-pid-1", "--hostname", order.hostname),
            *self._mounts(order),
            *("--chdir", "/work", "--seccomp", str(_FILTER)),
            *self._rights(),
            *("--", python, "-I", "-S", f"/proc/self/fd/{_PROGRAM}"),
        ]
        env = {"PATH": self._host.view.path, "HOME": "/work", "LANG": "C.UTF-8", **order.env}
        uid = order.uid if self._host.root else 0
        inside = {"argv": inner(order.command), "env": env, "uid": uid}
        return Launch(
            argv=argv,
            env={},
            directory=order.work,
            outside=True,
            memory_files=[
                seccomp.for_bubblewrap(),
                Path(become.__file__).read_bytes(),
                json.dumps(inside).encode(),
            ],
        )

    def _mounts(self, order: Order) -> list[str]:
        view = self._host.view
        argv = ["--ro-bind", str(view.skeleton), "/", "--proc", "/proc", "--dev", "/dev"]
        for bind in (*view.binds, *order.binds):
            how = "--dev-bind" if bind.device else "--bind" if bind.writable else "--ro-bind"
            argv += [how, bind.source, bind.target]
        argv += ["--perms", "1777", "--size", str(order.memory), "--tmpfs", "/tmp"]  # noqa: S108
        return [*argv, "--bind", str(order.work), "/work"]

    def _rights(self) -> list[str]:
        if not self._host.root:
            inside = str(_UID_INSIDE)
            return ["--unshare-user", "--uid", inside, "--gid", inside]
        keep = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
        return ["--cap-drop", "ALL", *(word for cap in keep for word in ("--cap-add", cap))]

    def sweep(self, name: str) -> list[str]:
        return []
