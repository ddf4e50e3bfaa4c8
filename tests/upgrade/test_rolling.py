"""A cloud of the baseline's version becomes one of this version, under load, without a stop.

The old program is taken out of the history. It serves, with a host that joined and jobs that run;
nodes of this version start beside it on the same Postgres; it is stopped; its host finds them, and
is then brought to this version as well. Nothing may be lost, doubled, or billed twice.
"""

import asyncio
import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from skerry.store.postgres import EmbeddedPostgres
from tests.e2e.test_nodes import ENDED, JOBS, billed_once, listed, put
from tests.harness.nodes import HOST, SITE, SKERRY, Node, Nodes
from tests.harness.ports import free_port
from tests.harness.served import elsewhere, until
from tests.sites.local.rigs import clean
from tests.upgrade.test_baseline import ROOT, baseline, git

pytestmark = pytest.mark.long
OPERATOR = "skerry.identity/v1/tenants"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The baseline's source. It runs with this version's dependencies."""
    commit = baseline()
    if git("cat-file", "-e", f"{commit}^{{commit}}").returncode:
        pytest.fail(
            f"this clone has not the commit {commit}, from which upgrades must work: it is shallow "
            "or no clone at all. Get the history with: git fetch --unshallow"
        )
    place = tmp_path_factory.mktemp("old")
    whole = subprocess.run(
        ["git", "-C", str(ROOT), "archive", commit, "src"], capture_output=True, check=True
    )
    subprocess.run(["tar", "-x", "-C", str(place)], input=whole.stdout, check=True)
    return place / "src"


class Old(Node):
    """``skerry up`` of the baseline, on the data and the database of all."""

    def __init__(self, cloud: "Upgraded", source: Path) -> None:
        super().__init__(cloud, "old", "api")
        self._told = cloud.data / "server.json"
        self.source, self.door = source, free_port()

    def start(self, program: Any = SKERRY) -> None:
        command = [
            *program, "up", "--no-agent", "--data", str(self.cloud.data), "--gateway", "none",
            "--listen", "127.0.0.1:0", "--agents", f"127.0.0.1:{self.door}",
            "--token-file", str(self.cloud.home / "token"), "--jurisdiction", "SE",
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**self.cloud.env, "PYTHONPATH": str(self.source)},
            )  # fmt: skip


class Upgraded(Nodes):
    """A cloud that begins old."""

    def begin(self, source: Path) -> Old:
        old = Old(self, source)
        self.all["old"] = old
        old.start()
        old.wait()
        told = subprocess.run(
            [sys.executable, "-c", "import skerry; print(skerry.__file__)"], capture_output=True,
            text=True, env={**self.env, "PYTHONPATH": str(source)}, check=True,
        )  # fmt: skip
        assert told.stdout.startswith(str(source)), "the old program is not what runs"
        self.extra = {"PYTHONPATH": str(source)}
        self.join()
        self.extra = {}
        return old

    extra: dict[str, str] = {}

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, **self.extra}

    def restart_host(self) -> None:
        """Its agent again, of this version; what runs there goes on."""
        assert self.host is not None
        self.host.send_signal(signal.SIGKILL)
        self.host.wait(30)
        with (self.home / "host.log").open("ab") as log:
            self.host = subprocess.Popen(
                [*SKERRY, "agent", "--data", str(self.home / "host")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env,
            )  # fmt: skip

    def connected(self) -> bool:
        host = self.call("GET", f"skerry.site/v1/sites/{SITE}/hosts/{HOST}")
        return bool(host["status"]["phase"] == "connected")


@pytest.fixture
def cloud(_postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Upgraded]:
    """On a database that nobody has migrated yet."""
    name = f"upgrade_{uuid.uuid4().hex}"

    async def run(sql: str) -> None:
        connection = await asyncpg.connect(_postgres.url_of("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    elsewhere(run(f"create database {name} template template0"))
    made = Upgraded(tmp_path, _postgres.url_of(name))
    try:
        yield made
    finally:
        made.end()
        if (tmp_path / "host").exists():
            with ThreadPoolExecutor(1) as pool:
                pool.submit(asyncio.run, clean(tmp_path / "host")).result()
        elsewhere(run(f"drop database {name} with (force)"))


def test_rolling(cloud: Upgraded, old: Path, tmp_path: Path) -> None:
    before = cloud.begin(old)
    applied = {row["number"] for row in cloud.rows("select number from migration")}
    spec = {"spec": {"data": {"key": "it stays between us"}}}
    cloud.call("PUT", "skerry.run/v1/tenants/operator/workspaces/default/secrets/kept", spec)
    for number in range(5):
        put(cloud, f"before-{number}", 0.2)  # less than a unit of usage costs nothing
    until(lambda: all(s["phase"] in ENDED for s in listed(cloud).values()), cloud.tail)
    put(cloud, "through", 45)
    until(lambda: listed(cloud)["through"]["phase"] == "running", cloud.tail)
    was = resources(cloud)
    receipt = cloud.call("GET", f"{JOBS}/before-0/receipt")

    # This version beside the old one: it migrates, and both work.
    cloud.start("a1", "w1")
    now = {row["number"] for row in cloud.rows("select number from migration")}
    assert applied <= now
    for number in range(6):
        put(cloud, f"beside-{number}", 0.2)  # at either API
    before.kill(signal.SIGTERM)
    for number in range(6):
        put(cloud, f"after-{number}", 0.2)

    # A node where the hosts look for the cloud.
    cloud.all["w2"] = Node(cloud, "w2", "worker", door=before.door)
    cloud["w2"].start()
    cloud["w2"].wait()
    until(cloud.connected, cloud.tail)
    cloud.restart_host()
    until(cloud.connected, cloud.tail)

    until(lambda: all(s["phase"] in ENDED for s in listed(cloud).values()), cloud.tail, None)
    done = listed(cloud)
    assert len(done) == 18
    for name, status in done.items():
        assert (status["phase"], status["attempt"]) == ("succeeded", 1), name
    billed_once(cloud, done)
    still = resources(cloud)
    assert {ref: spec for ref, spec in still.items() if ref in was} == was
    verified(receipt, cloud, tmp_path)
    audited = cloud.audit()
    assert audited.returncode == 0, audited.stdout


def verified(receipt: Any, cloud: Upgraded, tmp_path: Path) -> None:
    """What the old version gave out is good by the key that the cloud has today."""
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    told = {"authorization": f"Bearer {cloud.token}"}
    key = httpx2.get(f"{cloud['a1'].url}/providers/skerry.proof/v1/key", headers=told)
    done = subprocess.run(
        [*SKERRY, "verify", str(tmp_path / "receipt.json"), "--key", key.text.strip()],
        capture_output=True, text=True, env=cloud.env, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def resources(cloud: Nodes) -> dict[str, Any]:
    """What everybody wants, as the database has it; what changes by itself is no part of it."""
    found = cloud.rows(
        "select ref, spec::text as spec, labels::text as labels from resource "
        "where kind not in ('lease', 'invoice', 'region', 'offer') and deleted_at is null"
    )
    return {row["ref"]: (row["spec"], row["labels"]) for row in found}
