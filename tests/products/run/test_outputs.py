"""What an ended job left is told by digests, once, as its host made them."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from skerry.sites import outputs
from skerry.sites.contract import FileInfo
from skerry.sites.simulated.faults import Fault
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script


def sha(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


async def logged(cloud: Cloud) -> list[dict[str, Any]]:
    told = "select body, verb, tenant, workspace, actor from change where kind = 'output'"
    rows = await cloud.db.fetch(told)
    assert all((row["verb"], row["actor"]) == ("kept", "system") for row in rows)
    return [msgspec.json.decode(row["body"]) for row in rows]


async def test_logs_and_artifacts_of_each_copy_are_logged_once(cloud: Cloud) -> None:
    await cloud.site()
    script = Script().write("out/a", "alpha").write("other", "no artifact").print("said")
    job = await cloud.job(script=script, count=2, artifacts=["out/*"])
    await cloud.until(job, "succeeded")
    await cloud.let_pass(30)
    [body] = await logged(cloud)
    assert body["copies"] == [
        {
            "rank": rank,
            "log": {"size": 5, "digest": sha("said\n")},
            "files": [{"path": "out/a", "size": 5, "digest": sha("alpha")}],
            "more": 0,
        }
        for rank in range(2)
    ]
    await cloud.assert_books_closed()


async def test_only_the_last_run_of_one_that_is_tried_again_counts(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=Script().print("no").exit(1), retries=1)
    await cloud.until(job, "failed")
    await cloud.let_pass(30)
    [body] = await logged(cloud)
    assert body["run"].endswith("2")


async def test_what_never_ran_left_nothing(cloud: Cloud) -> None:
    job = await cloud.job()
    await cloud.turn()
    await cloud.cancel(job)
    await cloud.until(job, "cancelled")
    await cloud.let_pass(30)
    assert await logged(cloud) == []


async def test_a_host_that_is_away_is_waited_for(cloud: Cloud) -> None:
    world = await cloud.site()
    job = await cloud.job(script=Script().print("late"))
    world.fail(Fault(kind="unreachable", verbs=("files",), times=2))
    await cloud.until(job, "succeeded")
    await cloud.let_pass(60)
    [body] = await logged(cloud)
    assert body["copies"][0]["log"]["digest"] == sha("late\n")


def test_what_is_too_much_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MOST_FILES", 2)
    monkeypatch.setattr(outputs, "MOST_BYTES", 5)
    room = outputs._Room()
    then = datetime(2026, 1, 1, tzinfo=UTC)
    files = [FileInfo(path=name, size=3, mode=0, modified_at=then) for name in "abc"]
    assert [room.lists(file) for file in files] == [True, True, False]
    assert [room.reads(file) for file in files] == [True, False, False]
