"""Two APIs and three workers in one process, on one Postgres: who dies in mid-work is not missed.

``tests/e2e/test_nodes.py`` does it with processes and SIGKILL; here a node's tasks and connections
end at once, which the database sees alike.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from skerry import auditing, up
from skerry.server import Server, opened
from skerry.serving import claimed, serve
from skerry.settings import Settings
from skerry.sites.relay import Relays

JOBS = "skerry.run/v1/tenants/operator/workspaces/default/jobs"
SITE = f"site-{uuid.uuid4().hex[:8]}"


class Member:
    """One node."""

    def __init__(self, data: Path, url: str, name: str) -> None:
        role = "api" if name.startswith("a") else "worker"
        self.settings = Settings(
            data=data, database_url=url, agent=False, node=name, roles=frozenset({role}),
            relay="127.0.0.1:0", listen="127.0.0.1:0", connections=4,
        )  # fmt: skip
        self.stack = AsyncExitStack()
        self.token: str | None = None

    async def start(self) -> "Member":
        self.server: Server = await self.stack.enter_async_context(opened(self.settings))
        up.equip(self.server)
        if "api" in self.settings.roles:
            self.token = (await up.bootstrap(self.server)).token
        else:
            relays = self.server.services[Relays]
            await self.stack.enter_async_context(relays.listening("127.0.0.1", 0))
        self.task = asyncio.create_task(self.server.run())
        await self.server.listening.wait()
        if "api" in self.settings.roles:
            await up.place(self.server)
        return self

    async def kill(self) -> None:
        """Without a word to anybody."""
        self.server.db.terminate()
        await self.stop()

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.stack.aclose()


class Many:
    """All of them."""

    def __init__(self, members: dict[str, Member], http: httpx2.AsyncClient) -> None:
        self.members, self.http = members, http

    async def call(self, method: str, path: str, spec: Any = None, at: str = "a1") -> Any:
        member = self.members[at]
        answer = await self.http.request(
            method, f"{member.server.address}/providers/{path}",
            json=None if spec is None else {"spec": spec},
            headers={"authorization": f"Bearer {self.members['a1'].token}"},
        )  # fmt: skip
        assert answer.is_success, answer.text
        return answer.json()

    async def until(self, happens: Any) -> None:
        async with asyncio.timeout(60):
            while not await happens():
                await asyncio.sleep(0.05)


@pytest.fixture
async def many(pg_url: str, tmp_path: Path) -> AsyncIterator[Many]:
    made: dict[str, Member] = {}
    async with httpx2.AsyncClient(timeout=30) as http:
        for name in ("a1", "a2", "w1", "w2", "w3"):
            made[name] = await Member(tmp_path / "shared", pg_url, name).start()
        cloud = Many(made, http)
        yield cloud
        for member in cloud.members.values():
            await member.stop()


async def test_the_work_goes_on(many: Many, tmp_path: Path) -> None:
    spec = {
        "driver": "simulated", "region": "home", "zone": "home-1", "jurisdiction": "SE",
        "operator": "skerry", "config": {"name": SITE},
    }  # fmt: skip
    await many.call("PUT", f"skerry.site/v1/sites/{SITE}", spec)

    async def offered() -> bool:
        return bool((await many.call("GET", "skerry.market/v1/offers"))["items"])

    await many.until(offered)
    db = many.members["a1"].server.db
    names: list[str] = []

    async def holder() -> str:
        watcher = await db.fetchval("select watcher from site_contact where at = $1", SITE)
        return next(n for n, m in many.members.items() if m.server.node.id == watcher)

    while len(many.members) > 3:
        for number in range(4):
            names.append(f"j{len(many.members)}-{number}")
            at = "a2" if number % 2 and "a2" in many.members else "a1"
            await many.call("PUT", f"{JOBS}/{names[-1]}", {"command": ["true"]}, at)
        victim = await holder() if len(many.members) == 5 else "a2"
        dead = many.members.pop(victim)
        await dead.kill()
        # As 15 seconds would do, in which the site of a dead process is out of reach.
        await db.execute(
            "update site_contact set watcher_until = null where watcher = $1", dead.server.node.id
        )
        # As thirty would do, for which its flows are held. Who lives and loses one by it repeats.
        await db.execute("update flow set lease_until = null where lease_until is not null")

    async def ended() -> bool:
        items = (await many.call("GET", JOBS))["items"]
        return len(items) == len(names) and all(
            item["status"]["phase"] == "succeeded" for item in items
        )

    await many.until(ended)
    assert await db.fetchval("select count(*) from workload where seen_at is not null") == len(
        names
    )
    settings = many.members["a1"].settings
    log = next(m for m in many.members.values() if "worker" in m.settings.roles).server.log
    await log.publish()
    assert await auditing.verify(settings) == []


def test_a_name_is_one_nodes(tmp_path: Path) -> None:
    own = tmp_path / "nodes" / "one"
    with claimed(own), pytest.raises(OSError, match="another --name"), claimed(own):
        pass
    with claimed(own):
        pass


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "nodes share a Postgres"),
        (["--database-url", "x", "--name", "a/b"], "can't be a node's name"),
        (["--database-url", "x", "--role", "api", "--agents", "1.1.1.1:1"], "is for workers"),
        (["--database-url", "x", "--role", "gateway"], "needs --public-url"),
        (["--database-url", "x", "--agents", "0.0.0.0:1"], "--agents-name"),
        (["--database-url", "x", "--listen", "0.0.0.0:1"], "plain HTTP"),
    ],
)
def test_what_can_not_be_is_said(words: list[str], why: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        serve, [*words, "--data", str(tmp_path / "new")], env={"DATABASE_URL": ""}
    )
    assert done.exit_code == 2
    assert why in done.output
    assert not (tmp_path / "new").exists()
