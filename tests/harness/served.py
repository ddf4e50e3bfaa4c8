"""A whole cloud as its users meet it: ``skerry up`` in a process of its own, spoken to over HTTP.

It has a database of its own in the run's Postgres, which the test may look into, and no host agent:
its sites are simulated. What a test adds beside the house (products, drivers) it names in ``env``.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx2

from skerry.store.postgres import EmbeddedPostgres

T = TypeVar("T")
SECONDS = 60.0
BESIDE = ("SKERRY_PRODUCTS", "SKERRY_DRIVERS")
"""Where what was added beside the house is: for the cloud as for the test."""


def elsewhere(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own, whatever loop runs here."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Served:
    """One cloud. ``url`` and ``token`` (the operator's) are all that a client needs."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path, database: str) -> None:
        self.process = process
        self.home = home
        self.database = database
        until(lambda: (home / "data/server.json").exists(), self.told, process)
        self.url = str(json.loads((home / "data/server.json").read_text())["url"])
        self.token = (home / "token").read_text().strip()
        self.http = httpx2.Client(base_url=self.url, timeout=30)

    def told(self) -> str:
        return (self.home / "log").read_text(errors="replace")[-3000:]

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: Any
    ) -> httpx2.Response:
        """A request. ``token`` "" sends none."""
        secret = self.token if token is None else token
        headers = {"authorization": f"Bearer {secret}"} if secret else {}
        headers.update(more.pop("headers", {}))
        if body is not None:
            more["json"] = body
        return self.http.request(method, path, headers=headers, **more)

    def put(self, path: str, spec: Any = None, **more: Any) -> dict[str, Any]:
        """Put what must be taken, as the operator; the document."""
        answer = self.call("PUT", path, {"spec": spec or {}}, **more)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def get(self, path: str, **more: Any) -> dict[str, Any]:
        answer = self.call("GET", path, **more)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def rows(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """What the database says."""

        async def fetch() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.database)
            try:
                return list(await connection.fetch(sql, *args))
            finally:
                await connection.close()

        return elsewhere(fetch())

    def user(self, tenant: str, name: str, *roles: str, workspaces: tuple[str, ...] = ()) -> str:
        """A new user of a tenant with these roles; their token."""
        identity = f"/providers/skerry.identity/v1/tenants/{tenant}"
        self.put(f"{identity}/users/{name}")
        if roles:
            scope = {"workspaces": list(workspaces)} if workspaces else {}
            assignments = f"/providers/seca.authorization/v1/tenants/{tenant}/role-assignments"
            self.put(
                f"{assignments}/{name}", {"roles": list(roles), "subs": [name], "scopes": [scope]}
            )
        made = self.put(f"{identity}/tokens/{name}.test", {"subject": name})
        return str(made["status"]["secret"])

    def site(self, name: str, driver: str = "simulated", **config: Any) -> None:
        """A simulated site, connected and on sale."""
        spec = {
            "driver": driver, "region": "home", "zone": "home-1", "jurisdiction": "SE",
            "operator": "skerry", "config": {"name": name, **config},
        }  # fmt: skip
        self.put(f"/providers/skerry.site/v1/sites/{name}", spec)
        offer = f"/providers/skerry.market/v1/offers/{name}"
        until(lambda: self.call("GET", offer).status_code == 200, self.told, self.process)

    def stop(self) -> None:
        self.http.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def until(happens: Callable[[], Any], told: Callable[[], str], process: Any = None) -> Any:
    """Wait for something; whoever waits too long is told what was seen."""
    end = time.monotonic() + SECONDS
    while not (found := happens()):
        if process is not None and process.poll() is not None:
            raise AssertionError(f"it ended with {process.returncode}: {told()}")
        if time.monotonic() > end:
            raise AssertionError(f"it did not happen within {SECONDS} s: {told()}")
        time.sleep(0.05)
    return found


@contextmanager
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A migrated database of one's own."""
    name = f"served_{uuid.uuid4().hex}"

    async def run(sql: str) -> None:
        connection = await asyncpg.connect(postgres.url_of("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    elsewhere(run(f"create database {name} template template strategy file_copy"))
    try:
        yield postgres.url_of(name)
    finally:
        elsewhere(run(f"drop database {name} with (force)"))


@contextmanager
def served(
    postgres: EmbeddedPostgres,
    home: Path,
    env: Mapping[str, str] | None = None,
    prices: str = "",
) -> Iterator[Served]:
    """A running cloud."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SKERRY_") or k in BESIDE}
    (home / "prices.toml").write_text(prices)
    own = {"XDG_CONFIG_HOME": str(home / "config"), "SKERRY_NO_CONTEXT": "1", **(env or {})}
    with database(postgres) as url, (home / "log").open("ab") as log:
        command = [
            sys.executable, "-m", "skerry.cli.main", "up", "--no-agent", "--listen", "127.0.0.1:0",
            "--data", str(home / "data"), "--token-file", str(home / "token"),
            "--database-url", url, *(("--prices", str(home / "prices.toml")) if prices else ()),
            "--agents", "127.0.0.1:0",
        ]  # fmt: skip
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**kept, **own}
        )
        cloud = None
        try:
            cloud = Served(process, home, url)
            yield cloud
        finally:
            if cloud is not None:
                cloud.stop()
            elif process.poll() is None:
                process.kill()
                process.wait()
