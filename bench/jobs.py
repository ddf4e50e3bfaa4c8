"""How soon a job runs: a real `skerry up`, this machine as its site, jobs put over HTTP.

- accepted to running: from the answer to the PUT until a watch tells that the job is running;
- asked to running: from before the PUT until the job's command has said its first word.

The second has peers, in the same run and turn by turn: `podman run` of the same command in the same
image, and bare `runc run` of it. Each is timed from before it is asked until the command has said
the machine's uptime, which is its first word. All three give it one core, the same memory, as many
processes, and no network. podman is asked for no more than that (`--rootfs`, `--network none`,
runc, cgroupfs): what it does beside is its own. It keeps no ledger, and Skerry has placed, set
money aside and written down by the time that the command runs.

    python bench/jobs.py [--rounds 20]
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from figures import Figures
from figures.bare import Bare
from figures.processes import skerry_up

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.harness.images import base, image

from skerry.client import Client
from skerry.client.errors import SkerryError
from skerry.client.images import put_image

FIGURES = Figures("jobs")
COMMAND = ["sh", "-c", "cat /proc/uptime; sleep 0.3"]
MEMORY, PIDS = 64 << 20, 512
PAUSE = 0.2


def uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Podman:
    """podman with folders of its own, on a tree that is there already."""

    def __init__(self, folder: Path, rootfs: Path) -> None:
        folder.mkdir()
        settings = folder / "containers.conf"
        settings.write_text(
            '[containers]\ndefault_ulimits=["nofile=1024:4096","nproc=4096:4096"]\n'
            '[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\nruntime="runc"\n'
        )
        self._env = {**os.environ, "CONTAINERS_CONF": str(settings)}
        places = (("root", "root"), ("runroot", "run"), ("tmpdir", "tmp"))
        self._base = ["podman", *(f"--{flag}={folder / name}" for flag, name in places)]
        self._command = [
            *self._base, "run", "--rm", "--network=none", "--cpus=1", f"--memory={MEMORY}",
            f"--pids-limit={PIDS}", "--rootfs", str(rootfs), *COMMAND,
        ]  # fmt: skip

    def run(self, number: int) -> float:
        return first_word(self._command, env=self._env)

    def end(self) -> None:
        reset = [*self._base, "system", "reset", "--force"]
        subprocess.run(reset, env=self._env, capture_output=True, check=False)


def first_word(command: Sequence[str], **more: object) -> float:
    """Seconds until it said its first word; waits for its end."""
    begun = uptime()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **more)  # type: ignore[call-overload]
    return float(done.stdout.split()[0]) - begun


class Watch:
    """When each job was first seen running."""

    def __init__(self, cloud: Client) -> None:
        self._at: dict[str, float] = {}
        self._news = threading.Condition()
        threading.Thread(target=self._follow, args=(cloud,), daemon=True).start()

    def _follow(self, cloud: Client) -> None:
        with contextlib.suppress(RuntimeError, SkerryError):  # at the end the client is closed
            self._see(cloud)

    def _see(self, cloud: Client) -> None:
        for event in cloud.kind("job").watch():
            if event.resource.status.get("phase") in ("running", "succeeded", "failed"):
                with self._news:
                    self._at.setdefault(event.ref.rpartition("/")[2], uptime())
                    self._news.notify_all()

    def ran(self, name: str) -> float:
        with self._news:
            if not self._news.wait_for(lambda: name in self._at, 60):
                raise TimeoutError(f"{name} does not run")
            return self._at[name]


class Ours:
    def __init__(self, cloud: Client, archive: Path) -> None:
        self._cloud = cloud
        self._jobs = cloud.kind("job")
        self._watch = Watch(cloud)
        self._image = cloud.take(put_image(archive, self._jobs.target.scope, cloud.policy))
        self.running: list[float] = []
        """From accepted, of jobs without an image."""

    def run(self, number: int, *, inside: bool = True) -> float:
        name = f"job-{'image' if inside else 'plain'}-{number}"
        spec = {"command": COMMAND, "millicores": 1000, "memory": MEMORY}
        begun = uptime()
        self._jobs.put(name, {**spec, "image": self._image} if inside else spec)
        accepted = uptime()
        ran = self._watch.ran(name)
        self._jobs.wait(name, until="ended", timeout=60)
        said = b"".join(chunk.data for chunk in self._jobs.logs(name))
        if not inside:
            self.running.append(ran - accepted)
        return float(said.split()[0]) - begun


def middle(found: Sequence[float]) -> float:
    return 1000 * statistics.median(found)


def measure(cloud: Client, folder: Path, rounds: int) -> None:
    (folder / "image.tar").write_bytes(image().archive())
    rootfs = folder / "rootfs"
    rootfs.mkdir()
    subprocess.run(["tar", "-x", "-C", str(rootfs)], input=base(), check=True)
    ours, podman = Ours(cloud, folder / "image.tar"), Podman(folder / "podman", rootfs)
    bare = Bare(folder / "runc", rootfs, COMMAND, memory=MEMORY, pids=PIDS)
    turns: dict[str, Callable[[int], float]] = {
        "ours": ours.run,
        "plain": lambda number: ours.run(number, inside=False),
        "podman run": podman.run,
        "bare runc": lambda number: first_word(bare.command(number), cwd=bare.folder),
    }
    found: dict[str, list[float]] = {name: [] for name in turns}
    try:
        for number in range(rounds + 1):
            for name, turn in turns.items():
                took = turn(number)
                if number:  # the first is for what is made once
                    found[name].append(took)
                time.sleep(PAUSE)
    finally:
        podman.end()
    FIGURES.add("accepted to running, p50", middle(ours.running[1:]), "ms", limit=300)
    asked = middle(found["ours"])
    peer = ("podman run", middle(found["podman run"]))
    FIGURES.add("asked to its first word, in an image, p50", asked, "ms", peer=peer, most=2)
    for name, ran in (("in an image", asked), ("plain", middle(found["plain"]))):
        told = ("bare runc", middle(found["bare runc"]))
        FIGURES.add(f"asked to its first word, {name}, p50", ran, "ms", peer=told)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    if os.geteuid() != 0 or not shutil.which("podman") or not shutil.which("runc"):
        print("podman and runc with limits need root, and to be there: nothing was measured")
        return FIGURES.end()
    with tempfile.TemporaryDirectory(prefix="bench-jobs-") as place, skerry_up(Path(place)):
        told = json.loads((Path(place) / "cloud" / "server.json").read_text())
        token = (Path(place) / "token").read_text().strip()
        with Client(url=told["url"], token=token, tenant="operator", workspace="default") as cloud:
            while not list(cloud.kind("offer").list()):
                time.sleep(0.1)
            measure(cloud, Path(place), rounds)
    return FIGURES.end()


if __name__ == "__main__":
    sys.exit(main())
