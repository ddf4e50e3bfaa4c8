"""A control plane on loopback: etcd, API servers, controllers, scheduler, and kwok."""

import json
import secrets
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from tests.harness.ports import free_port
from tests.kubernetes import authority
from tests.kubernetes.processes import Program, find, wait_for

_HERE = Path(__file__).parent
SERVICES = "10.96.0.0/16"


def kubeconfig(path: Path, url: str, ca: Path, token: str) -> Path:
    """A file as kubectl reads it, for its owner only."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "tests", "cluster": {"server": url, "certificate-authority": str(ca)}}
        ],
        "users": [{"name": "tests", "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
        "current-context": "tests",
    }
    path.touch(0o600)
    path.write_text(yaml.safe_dump(config))
    return path


def etcd(folder: Path) -> tuple[Program, str]:
    """A store without regard for power cuts, and its URL."""
    url, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    command: list[str | Path] = [find("etcd"), "--data-dir", folder / "etcd", "--unsafe-no-fsync"]
    command += ["--listen-client-urls", url, "--advertise-client-urls", url]
    command += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
    command += ["--initial-cluster", f"default={peer}", "--quota-backend-bytes", str(4 << 30)]
    program = Program(command, folder / "etcd.log")
    wait_for("etcd's start", lambda: answers(f"{url}/health"), program)
    return program, url


class ApiServer:
    """An API server; several may stand on one store. Its port stays while it is down."""

    def __init__(self, folder: Path, store: str, name: str = "kube-apiserver") -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._log = folder / f"{name}.log"
        options = {
            "etcd-servers": store,
            "bind-address": "127.0.0.1",
            "secure-port": self.port,
            "tls-cert-file": folder / "apiserver.crt",
            "tls-private-key-file": folder / "apiserver.key",
            "kubelet-client-certificate": folder / "kubelet-client.crt",
            "kubelet-client-key": folder / "kubelet-client.key",
            "service-account-key-file": folder / "sa.key",
            "service-account-signing-key-file": folder / "sa.key",
            "service-account-issuer": "https://kubernetes.default.svc",
            "token-auth-file": folder / "tokens.csv",
            "authorization-mode": "Node,RBAC",
            "service-cluster-ip-range": SERVICES,
            "kubelet-preferred-address-types": "Hostname",
            "endpoint-reconciler-type": "none",
            "event-ttl": "30m",
            # Debian's etcd 3.4 cannot tell how far a watch has come, which this rests on.
            "feature-gates": "WatchList=false",
        }
        self._command: list[str | Path] = [find("kube-apiserver")]
        self._command += [f"--{option}={value}" for option, value in options.items()]
        self.program = self.start()

    def start(self) -> Program:
        """Start it, for the first time or again; it needs a moment until it is ready."""
        self.program = Program(self._command, self._log)
        return self.program

    def wait(self) -> None:
        wait_for("the API server's start", self.ready, self.program)

    def ready(self) -> bool:
        return answers(f"{self.url}/readyz", self.folder / "ca.crt", self.folder / "admin.token")


def answers(url: str, ca: Path | None = None, token: Path | None = None) -> bool:
    headers = {"Authorization": f"Bearer {token.read_text()}"} if token else {}
    context = ssl.create_default_context(cafile=str(ca)) if ca else None
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def identities(folder: Path, *nodes: str) -> dict[str, str]:
    """Write certificates and tokens; the token of each user."""
    authority.write(folder)
    groups = {"admin": "system:masters"}
    groups |= {f"system:node:{node}": "system:nodes" for node in nodes}
    tokens = {user: secrets.token_urlsafe(24) for user in groups}
    lines = [f'{token},{user},{user},"{groups[user]}"' for user, token in tokens.items()]
    for name, text in (("tokens.csv", "\n".join(lines) + "\n"), ("admin.token", tokens["admin"])):
        (folder / name).touch(0o600)
        (folder / name).write_text(text)
    return tokens


def hands(folder: Path, config: Path) -> list[Program]:
    """The controllers, the scheduler, and kwok."""
    common: list[str | Path] = ["--kubeconfig", config, "--leader-elect=false"]
    common += ["--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000"]
    manager = [find("kube-controller-manager"), *common]
    manager += ["--service-account-private-key-file", folder / "sa.key"]
    manager += ["--root-ca-file", folder / "ca.crt", "--node-monitor-grace-period=20s"]
    manager += ["--node-monitor-period=2s"]
    player: list[str | Path] = [find("kwok"), "--kubeconfig", config]
    player += ["--config", _HERE / "stages.yaml", "--manage-all-nodes=false"]
    player += ["--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake"]
    return [
        Program(manager, folder / "kube-controller-manager.log"),
        Program([find("kube-scheduler"), *common], folder / "kube-scheduler.log"),
        # It keeps a directory in its user's home.
        Program(player, folder / "kwok.log", {"KWOK_WORKDIR": str(folder / "kwok")}),
    ]


def dump(path: Path, state: dict[str, object]) -> None:
    """Write it, seen by others only when whole."""
    part = path.with_suffix(".part")
    part.touch(0o600)
    part.write_text(json.dumps(state))
    part.rename(path)
