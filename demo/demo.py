"""``make demo``: once around the loop of Skerry on this machine, in real commands.

Each command is printed before it runs, so that whatever is seen can be typed. Everything is kept in
the checkout's ``.demo`` folder: the cloud, the settings of its command line, what the job leaves. A
second run finds the cloud running, or starts it again, and goes around once more.
"""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).parent.parent
HOME = Path(".demo")
CLOUD = HOME / "cloud"
UP_LOG = HOME / "up.log"
HOST, PORT = "127.0.0.1", 8421
"""Where the cloud answers, or else at a free port."""
JOB_SHAPE = ("--count", "4", "--memory", "128MiB", "--time-limit", "2m")
START_SECONDS = 120
JOB_SECONDS = 300
LOOK_SECONDS = 3
SERVICE = "map"
WIDTH = 100


class Failed(Exception):
    """The demo can't go on; says why."""


def say(text: str, style: str = "") -> None:
    """Print, in colour where that is seen."""
    print(f"\033[{style}m{text}\033[0m" if style and sys.stdout.isatty() else text, flush=True)


def show(*words: str, tail: str = "") -> None:
    """Print a command as it would be typed, broken before an option where it grows too long."""
    lines = ["$"]
    for option in _options(words):
        if len(lines[-1]) + len(option) > WIDTH - 3:
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {option}"
    say("\n" + "\n".join(lines) + tail, "36")


def _options(words: tuple[str, ...]) -> list[str]:
    """The words, each option together with its value."""
    parts: list[str] = []
    for word in map(shlex.quote, words):
        if parts and not word.startswith("-") and parts[-1].startswith("--"):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return parts


def skerry(*words: str, may_fail: bool = False) -> None:
    """Show a command and run it, its output here."""
    show("skerry", *words)
    code = subprocess.run([_program(), *words], check=False).returncode
    if code and not may_fail:
        raise Failed(f"the last command ended with exit code {code}")


def asked(*words: str) -> Any:
    """The JSON that a command answers, unseen."""
    done = subprocess.run(
        [_program(), *words, "-o", "json", "-q"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"skerry {shlex.join(words)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def _program() -> str:
    return str(Path(sys.executable).parent / "skerry")


class Demo:
    """One run. Its number tells its job from those of earlier runs."""

    def __init__(self) -> None:
        self.number = datetime.now(UTC).strftime("%m%d-%H%M%S")
        self.job = f"map-{self.number}"
        self.url = ""
        self.page = ""
        # On a small machine the four tasks share it, and leave room to replace the service.
        self.cpus = min(0.5, round((os.cpu_count() or 1) / 4 - 0.05, 2))

    def start(self) -> None:
        self.url = _running()
        if self.url:
            say(f"An earlier run's cloud answers at {self.url}.")
        else:
            self.url = _start()
        operator = ("--tenant", "operator", "--workspace", "default")
        token = ("--token-file", str(HOME / "operator.token"))
        skerry("context", "create", "operator", "--url", self.url, *operator, *token)
        for _ in range(START_SECONDS):
            if asked("offer", "list"):
                break
            time.sleep(1)
        skerry("site", "list")

    def declare(self) -> None:
        skerry("apply", "-f", "demo/acme.yaml")
        token = (
            "token", "create", f"mapmaker.{self.number}", "--tenant", "acme",
            "--subject", "service-accounts/mapmaker", "--ttl-seconds", "1d",
        )  # fmt: skip
        show("skerry", *token)
        secret = asked(*token)["status"]["secret"]
        say("(The token is shown once. It goes straight into the context that follows.)")
        context = (
            "context", "create", "acme", "--url", self.url, "--tenant", "acme",
            "--workspace", "maps", "--token-stdin",
        )  # fmt: skip
        show("skerry", *context)
        subprocess.run([_program(), *context], input=secret, text=True, check=True)
        skerry("whoami")

    def quote(self) -> None:
        say("What would the job cost, and where would it run?")
        job = ("--millicores", str(round(self.cpus * 1000)), *JOB_SHAPE)
        command = ("--", "python3", "distance.py")
        skerry("quote", "job", *job, *command)
        say(
            "\nThe same in a workspace whose work must stay in France, and on GPUs nobody has here:"
        )
        skerry("quote", "job", "--workspace", "paris", *job, *command, may_fail=True)
        gpus = ("--gpus", "8", "--gpu-model", "H100")
        skerry("quote", "job", *gpus, *command, may_fail=True)

    def run(self) -> None:
        say("How far is each place on Earth from the nearest coast? Four tasks paint a map of it.")
        skerry(
            "run", "--detach", "--name", self.job, "--dir", "demo/world",
            "--cpus", f"{self.cpus:g}", *JOB_SHAPE, "--artifact", "out/*",
            "--", "python3", "distance.py",
        )  # fmt: skip
        show("skerry", "job", "cost", self.job, tail=f"    (every {LOOK_SECONDS} s)")
        self._watch()
        skerry("logs", self.job)
        skerry("job", "list", "-o", "wide")
        skerry("job", "files", self.job, "--to", str(HOME / self.job))
        picture = str(HOME / "map.png")
        show("python3", "demo/join.py", str(HOME / self.job), picture)
        joined = (sys.executable, "demo/join.py", str(HOME / self.job), picture)
        subprocess.run(joined, check=True)

    def _watch(self) -> None:
        """Tell the cost while the job runs."""
        for _ in range(JOB_SECONDS // LOOK_SECONDS):
            phase = asked("job", "get", self.job)["status"]["phase"]
            cost = asked("job", "cost", self.job)
            so_far, per_hour = cost["amountNano"] / 1e9, cost["perHourNano"] / 1e9
            say(f"{phase:<10} {so_far:.6f} {cost['currency']}   ({per_hour:.2f} per hour)")
            if phase == "succeeded":
                return
            if phase in ("failed", "cancelled"):
                skerry("logs", self.job)
                raise Failed(f"the job {phase}")
            time.sleep(LOOK_SECONDS)
        skerry("job", "explain", self.job)
        raise Failed(f"the job has not ended in {JOB_SECONDS} s")

    def serve(self) -> None:
        say("The map, at an address that stays while what serves it is replaced:")
        page = HOME / "page"
        page.mkdir(exist_ok=True)
        shutil.copy(HOME / "map.png", page)
        shutil.copy("demo/index.html", page)
        there = any(one["metadata"]["name"] == SERVICE for one in asked("service", "list"))
        skerry(
            "service", "update" if there else "create", SERVICE, "--dir", str(page),
            "--port", "8000", "--cpus", "0.1", "--memory", "64MiB", "--health", "/map.png",
            "--", "python3", "-m", "http.server", "8000",
        )  # fmt: skip
        self.page = str(asked("service", "get", SERVICE)["status"]["url"])
        seen = _get(self.page, "/map.png")
        say(f"(GET /map.png there: {seen.status_code}, {len(seen.content)} bytes.)")
        skerry("service", "list")

    def bill(self) -> None:
        month = datetime.now(UTC).strftime("%Y-%m")
        skerry("budget", "list")
        skerry("invoice", "document", month)
        skerry("invoice", "page", month, "--to", str(HOME / "invoice.html"))

    def prove(self) -> None:
        receipt, key = str(HOME / "receipt.json"), HOME / "operator.key"
        skerry("receipt", self.job, "--to", receipt)
        show("skerry", "key", tail=f" > {key}")
        key.write_bytes(subprocess.run([_program(), "key"], capture_output=True, check=True).stdout)
        skerry("verify", receipt, "--key", str(key))
        skerry("audit", "verify", "--data", str(CLOUD))

    def farewell(self) -> None:
        say(f"The cloud goes on at {self.url}; `make down` stops it.")
        say(f"In a browser: {self.page}")
        say("To look at:  .demo/map.png  .demo/invoice.html  .demo/receipt.json")
        say('To go on:    export XDG_CONFIG_HOME="$PWD/.demo/config" PATH="$PWD/.venv/bin:$PATH"')
        say("             skerry run -- echo hello")


def _get(url: str, path: str) -> httpx2.Response:
    """Ask the gateway, which is on this machine, whatever the resolver knows of ``localhost``."""
    where = httpx2.URL(url)
    return httpx2.get(
        f"http://{HOST}:{where.port}{path}", headers={"host": where.netloc.decode()}, timeout=30
    )


def _running() -> str:
    """The address of the cloud in ``.demo``, if one answers."""
    try:
        url = str(json.loads((CLOUD / "server.json").read_bytes())["url"])
    except FileNotFoundError:
        return ""
    return url if _ready(url) else ""


def _ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz", timeout=5).is_success
    except httpx2.TransportError:
        return False


def _start() -> str:
    """Start the cloud in the background; its address."""
    with socket.socket() as probe:
        # As the server itself does, so that connections that just ended are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = 0 if probe.connect_ex((HOST, PORT)) == 0 else PORT
    words = (
        "up", "--data", str(CLOUD), "--listen", f"{HOST}:{port}", "--jurisdiction", "SE",
        "--prices", "demo/prices.toml", "--token-file", str(HOME / "operator.token"),
    )  # fmt: skip
    show("skerry", *words, tail=f" > {UP_LOG} 2>&1 &")
    (CLOUD / "server.json").unlink(missing_ok=True)
    with UP_LOG.open("wb") as log:
        server = subprocess.Popen(
            [_program(), *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    for _ in range(START_SECONDS * 5):
        url = _running()
        if url:
            say(f"It answers at {url}. (Where this machine stands, in Sweden, is only said.)")
            return url
        if server.poll() is not None:
            raise Failed(f"the cloud did not start:\n{UP_LOG.read_text()}")
        time.sleep(0.2)
    raise Failed(f"the cloud has not answered for {START_SECONDS} s: see {UP_LOG}")


def main() -> int:
    os.chdir(ROOT)
    HOME.mkdir(mode=0o700, exist_ok=True)
    for name in [name for name in os.environ if name.startswith("SKERRY_")]:
        del os.environ[name]
    os.environ.update(XDG_CONFIG_HOME=str(HOME.absolute() / "config"), SKERRY_NO_CONTEXT="1")
    demo, began = Demo(), time.monotonic()
    stages = {
        "A cloud on this machine": demo.start,
        "A customer, its rules, its budget": demo.declare,
        "Ask and match": demo.quote,
        "Run": demo.run,
        "Serve": demo.serve,
        "Meter and bill": demo.bill,
        "Prove": demo.prove,
        "Done": demo.farewell,
    }
    try:
        for number, (title, stage) in enumerate(stages.items(), 1):
            say(f"\n{number}. {title}", "1")
            stage()
    except Failed as failed:
        say(f"\nThe demo can't go on: {failed}", "31")
        return 1
    say(f"({time.monotonic() - began:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
