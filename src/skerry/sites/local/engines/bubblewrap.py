"""bubblewrap: the sandbox for hosts without runc, and for agents that are not root.

As root it sets the sandbox up with root's rights, and ``inside`` then becomes the task's own user
for good. Not as root it uses a user namespace; the task runs as the agent's user outside and as
another one inside. The sandbox's first process is bubblewrap's own, which buries the dead.
"""

import subprocess
from pathlib import Path

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
from skerry.sites.local.shim.plan import FIRST_MEMORY_FD

_DEPTH = 2
"""bubblewrap outside, its first process inside, the command."""
_UID_INSIDE = 1000
_BECOMING: tuple[str, ...] = ("SETUID", "SETGID", "SETPCAP")
_OWN = ("/tmp", "/dev/shm")  # noqa: S108 - in the sandbox, where they are the task's own


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
            why = self._host.cgroups
            return f"{version}; memory and processes limited by watching, cores not at all: {why}"
        return version

    def launch(self, order: Order) -> Launch:
        argv = [
            find("bwrap"),
            *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
            *([] if order.network else ["--unshare-net"]),
            *("--die-with-parent", "--hostname", order.hostname),
            *self._mounts(order),
            *("--chdir", "/work"),
            *self._rights(order),
            "--",
            *last(order.uid if self._host.root else 0, order),
        ]
        return Launch(
            argv=argv,
            directory=order.work,
            path=self._host.view.path,
            depth=_DEPTH,
            memory_files=[seccomp.for_bubblewrap()],
        )

    def _mounts(self, order: Order) -> list[str]:
        view = self._host.view
        root = str(order.root or view.skeleton)
        argv = ["--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev"]
        for place in _OWN:
            argv += ["--perms", "1777", "--size", str(order.memory), "--tmpfs", place]
        if order.image:
            argv += ["--perms", "0755", "--tmpfs", HOLD]
        for bind in order.binds_in_order(tuple(view.binds)):
            for above in reversed(Path(bind.target).parents):
                if any(above.is_relative_to(place) and str(above) != place for place in _OWN):
                    # bubblewrap would close what it makes itself to all but root.
                    argv += ["--perms", "0755", "--dir", str(above)]
            how = "--dev-bind" if bind.device else "--bind" if bind.writable else "--ro-bind"
            argv += [how, bind.source, bind.target]
        return argv

    def _rights(self, order: Order) -> list[str]:
        if order.image is None:
            inside, keep = str(_UID_INSIDE), _BECOMING
            filter = ["--seccomp", str(FIRST_MEMORY_FD)]
        else:  # ``inside`` takes the rights and sets the filter once it has entered the image
            inside, keep, filter = "0", ENTERING, []
        if not self._host.root:
            rights = ["--cap-add", "ALL"] if order.image else []
            return ["--unshare-user", "--uid", inside, "--gid", inside, *rights, *filter]
        kept = (word for name in keep for word in ("--cap-add", f"CAP_{name}"))
        return ["--cap-drop", "ALL", *kept, *filter]

    def sweep(self, name: str) -> list[str]:
        return []
