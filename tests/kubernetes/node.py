"""A real node: kubelet, containerd and runc, in namespaces of its own. Run as a program.

    python -m tests.kubernetes.node FOLDER

It is process 1 of its own pid and mount namespaces, so whatever it started, shims and pods too,
ends with it, and no mount is left. What is outside of those lies in ``FOLDER``, in control groups
and behind a bridge that are named after it; ``clear`` removes them. SIGUSR1 kills the kubelet,
SIGUSR2 starts it again.
"""

import contextlib
import ipaddress
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

from tests.harness.images import Entry, Image, image, layer
from tests.harness.ports import free_port
from tests.kubernetes.control import kubeconfig
from tests.kubernetes.processes import Program, find, wait_for

PAUSE = "skerry.test/pause:1"
_WAITS = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait; done"
# Places that containerd, its plugins and the kubelet insist on.
_OWN_PLACES = ("/run/containerd", "/var/lib/cni", "/var/log/containers")
HANDLER = "sandbox"
"""A handler of a RuntimeClass: runc by another name, to show which one a pod asked for."""


def mark(folder: Path) -> str:
    """The name of what a node has outside of its folder; at most 15 letters."""
    return f"{folder.parent.name}-{folder.name}"[-15:]


def prepare(folder: Path, name: str, url: str, ca: Path, token: str) -> dict[str, str]:
    """Write all that the node reads; what others may know of it."""
    folder.mkdir(mode=0o700)
    for place in _OWN_PLACES:
        Path(place).mkdir(parents=True, exist_ok=True)
    network = _free_network()
    gateway = str(next(network.hosts()))
    socket = folder / "c.sock"
    kubeconfig(folder / "kubeconfig", url, ca, token)
    (folder / "name").write_text(name)
    (folder / "containerd.toml").write_text(_CONTAINERD.format(folder=folder, cni=_plugins()))
    (folder / "cni").mkdir()
    (folder / "cni" / "10-tests.conflist").write_text(json.dumps(_network(folder, network)))
    address = "127.0.0.1" if name == "localhost" else name
    (folder / "kubelet.yaml").write_text(yaml.safe_dump(_kubelet(folder, address, ca, socket)))
    pause = image(Entrypoint=["/bin/sh", "-c", _WAITS])
    (folder / "pause.tar").write_bytes(named(pause, PAUSE))
    return {"name": name, "socket": str(socket), "gateway": gateway, "folder": str(folder)}


def _kubelet(folder: Path, address: str, ca: Path, socket: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": address,
        "port": free_port(),
        "healthzPort": 0,
        "containerRuntimeEndpoint": f"unix://{socket}",
        "cgroupRoot": f"/{mark(folder)}",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "maxOpenFiles": 20000,
        "localStorageCapacityIsolation": False,
        "makeIPTablesUtilChains": False,
        "podLogsDir": str(folder / "logs"),
        "clusterDomain": "cluster.local",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(ca)},
        },
        "authorization": {"mode": "Webhook"},
        "nodeStatusUpdateFrequency": "5s",
        "nodeStatusReportFrequency": "1m",
        "syncFrequency": "10s",
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "serializeImagePulls": False,
        "shutdownGracePeriod": "0s",
        # The disk is others' as well: how full it is says nothing about these pods.
        "evictionHard": {"memory.available": "50Mi"},
        "imageGCHighThresholdPercent": 100,
    }


_CONTAINERD = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "{folder}/c.sock"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "skerry.test/pause:1"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni}"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.sandbox]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.sandbox.options]
      SystemdCgroup = false
"""


def _plugins() -> Path:
    return (
        find("bridge").parent if not Path("/usr/lib/cni/bridge").exists() else Path("/usr/lib/cni")
    )


def _free_network() -> ipaddress.IPv4Network:
    """A /24 that no route of this machine touches."""
    routes = subprocess.run(["ip", "-j", "route"], capture_output=True, check=True).stdout
    taken = [
        ipaddress.ip_network(route["dst"])
        for route in json.loads(routes)
        if route["dst"] != "default"
    ]
    chance = random.Random(os.urandom(8))
    while True:
        network = ipaddress.IPv4Network(
            (f"10.{chance.randrange(130, 250)}.{chance.randrange(256)}.0", 24)
        )
        if not any(network.overlaps(other) for other in taken if other.version == 4):
            return network


def _network(folder: Path, network: ipaddress.IPv4Network) -> dict[str, object]:
    ranges = [[{"subnet": str(network)}]]
    ipam = {"type": "host-local", "dataDir": str(folder / "ipam"), "ranges": ranges}
    ipam |= {"routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": mark(folder), "isGateway": True, "ipam": ipam}
    return {"cniVersion": "0.4.0", "name": mark(folder), "plugins": [bridge]}


def start(folder: Path) -> Program:
    """A prepared node. It is up once ``folder/ready`` is there and Kubernetes calls it ready."""
    for group in _groups():
        own = group / mark(folder)
        own.mkdir(exist_ok=True)
        # A child of the first version's cpuset has no processors until it is given some.
        for limit in ("cpuset.cpus", "cpuset.mems"):
            if (own / limit).exists() and not (own / limit).read_text().strip():
                with contextlib.suppress(OSError):
                    (own / limit).write_text((group / limit).read_text())
    space = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return Program(
        [*space, sys.executable, "-m", "tests.kubernetes.node", folder], folder / "node.log"
    )


def _groups() -> list[Path]:
    """Where control groups are mounted."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    first = [Path(place) for _, place, kind, *_ in mounts if kind == "cgroup"]
    return first + [Path(place) for _, place, kind, *_ in mounts if kind == "cgroup2"]


def clear(folder: Path) -> None:
    """Remove what an ended node has outside of its folder."""
    subprocess.run(["ip", "link", "delete", mark(folder)], capture_output=True, check=False)
    for group in _groups():
        own, until = group / mark(folder), time.monotonic() + 10
        # Those who were killed hold their groups until they are gone.
        while own.exists() and time.monotonic() < until:
            for inner in sorted(own.rglob("*/"), key=lambda path: len(path.parts), reverse=True):
                with contextlib.suppress(OSError):
                    inner.rmdir()
            with contextlib.suppress(OSError):
                own.rmdir()
                break
            time.sleep(0.1)


def main() -> None:
    folder = Path(sys.argv[1])
    for place in _OWN_PLACES:
        subprocess.run(["mount", "-t", "tmpfs", "tests", place], check=True)
    path = {"PATH": os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))}
    settings = ("--config", folder / "containerd.toml")
    runtime = Program([find("containerd"), *settings], folder / "containerd.log", path)
    wait_for("containerd's start", lambda: add_image(folder, folder / "pause.tar"), runtime)
    command: list[str | Path] = [find("kubelet"), "--config", folder / "kubelet.yaml"]
    command += ["--kubeconfig", folder / "kubeconfig", "--root-dir", folder / "kubelet"]
    command += ["--cert-dir", folder / "pki", "--hostname-override", (folder / "name").read_text()]
    kubelet = Program(command, folder / "kubelet.log", path)
    mine = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD)
    signal.pthread_sigmask(signal.SIG_BLOCK, mine)
    (folder / "ready").touch()
    while (told := signal.sigwait(mine)) != signal.SIGTERM:
        if told == signal.SIGUSR1:
            kubelet.kill()
        elif told == signal.SIGUSR2:
            kubelet = Program(command, folder / "kubelet.log", path)
        else:
            _reap()
    kubelet.stop()


def _reap() -> None:
    """What has lost its parent is ours, as the first process."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def add_image(folder: Path, archive: Path) -> bool:
    """Give the node an image; whether its containerd took it."""
    address = ("--address", folder / "c.sock", "--namespace", "k8s.io")
    command = [find("ctr"), *address, "images", "import", archive]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def named(image: Image, name: str) -> bytes:
    """An image as an archive that says what it is called."""
    files = image.files()
    listed = json.loads(files["index.json"])
    listed["manifests"][0]["annotations"] = {"io.containerd.image.name": name}
    files["index.json"] = json.dumps(listed).encode()
    return layer(*(Entry(path, text, mode=0o644) for path, text in files.items()))


if __name__ == "__main__":
    main()
