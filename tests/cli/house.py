"""A whole cloud: ``skerry up`` as its own process, with this machine as its site."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path

import asyncpg

from skerry.store.postgres import EmbeddedPostgres
from tests.harness.ports import free_port

START_SECONDS = 60


class House:
    """Started once for all tests that need it; they use names of their own."""

    def __init__(self, postgres: EmbeddedPostgres, data: Path) -> None:
        name = f"house_{uuid.uuid4().hex}"
        asyncio.run(_create(postgres.url_of("postgres"), name))
        self._database = postgres.url_of(name)
        self._data = data
        self._token = data.parent / "token"
        self._listen = f"127.0.0.1:{free_port()}"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def token(self) -> str:
        return self._token.read_text().strip()

    def start(self) -> None:
        """Start it, on the same port each time."""
        facts = self._data / "server.json"
        facts.unlink(missing_ok=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SKERRY_")}
        with (self._data.parent / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", "skerry.cli.main", "up", "--data", str(self._data),
                    "--listen", self._listen, "--gateway", "127.0.0.1:0",
                    "--database-url", self._database,
                    "--token-file", str(self._token), "--jurisdiction", "SE",
                ],
                env={**environment, "SKERRY_NO_CONTEXT": "1"}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + START_SECONDS
        while not facts.exists():
            assert self._process.poll() is None, (self._data.parent / "log").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        self.url = json.loads(facts.read_text())["url"]
        while not self._offers():
            assert time.monotonic() < end
            time.sleep(0.05)

    def _offers(self) -> list[object]:
        request = urllib.request.Request(
            f"{self.url}/providers/skerry.market/v1/offers",
            headers={"authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            items: list[object] = json.load(answer)["items"]
        return items

    def kill(self) -> None:
        """As a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)


async def _create(admin: str, name: str) -> None:
    connection = await asyncpg.connect(admin)
    try:
        await connection.execute(f"create database {name} template template strategy file_copy")
    finally:
        await connection.close()
