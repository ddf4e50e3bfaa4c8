"""A job's life when nothing goes wrong but the job itself."""

import base64

import msgspec
import pytest

from skerry.kernel.errors import ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.paths import Path
from skerry.kernel.views import Asked, Stream
from skerry.market.ask import GIB
from skerry.products.run.views import logs
from tests.products.run.cloud import Cloud, driver
from tests.sites.contract.script import Script


async def test_a_job_is_queued_placed_run_and_billed(cloud: Cloud) -> None:
    await cloud.site(startSeconds=5)
    job = await cloud.job(script=Script().sleep(100).exit(0), millicores=2000)
    assert (job.state, job.phase) == ("pending", "queued")
    await cloud.turn()
    starting = await cloud.read(job)
    assert (starting.state, starting.phase) == ("creating", "starting")
    assert starting.status["place"]["site"] == "one"
    assert await cloud.used() == 2000
    running = await cloud.until(job, "running")
    assert running.state == "active"
    ended = await cloud.until(job, "succeeded")
    assert ended.state == "active"
    assert ended.status["exitCode"] == 0
    assert "message" not in ended.status
    states = [(c["state"], c.get("reason")) for c in ended.conditions]
    assert states == [("active", "Started"), ("creating", "Placed"), ("pending", None)]
    assert await cloud.seconds(job) == pytest.approx(100, abs=0.1)
    assert ended.status["cost"]["amountNano"] == await cloud.charged(job) > 0
    assert await cloud.leases(job) == [("closed", "done")]
    await cloud.assert_books_closed()


async def test_what_waits_to_start_costs_nothing(cloud: Cloud) -> None:
    await cloud.site(startSeconds=300)
    job = await cloud.job(script=Script().sleep(20))
    await cloud.let_pass(290)
    assert (await cloud.read(job)).phase == "starting"
    assert (await cloud.shown(job))["cost"]["amountNano"] == 0
    await cloud.until(job, "succeeded")
    assert await cloud.seconds(job) == pytest.approx(20, abs=0.1)


async def test_a_job_that_is_over_before_anybody_looked_is_billed_all_the_same(
    cloud: Cloud,
) -> None:
    await cloud.site()
    job = await cloud.job(script=Script().sleep(0.5).exit(0))
    await cloud.turn()
    await cloud.shift(30)
    ended = await cloud.until(job, "succeeded")
    assert await cloud.seconds(job) == pytest.approx(0.5, abs=0.01)
    assert ended.status["cost"]["amountNano"] == await cloud.charged(job) > 0
    await cloud.assert_books_closed()


async def test_the_exit_code_is_the_commands(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=Script().sleep(1).exit(7))
    failed = await cloud.until(job, "failed")
    assert (failed.status["exitCode"], failed.status["reason"]) == (7, "ExitCode")
    assert failed.status["attempt"] == 1
    missing = await cloud.job("missing", script=Script().exit(127))
    assert (await cloud.until(missing, "failed")).status["exitCode"] == 127
    await cloud.assert_books_closed()


async def test_copies_start_together_and_end_as_one(cloud: Cloud) -> None:
    await cloud.site(millicores=4000)
    other = await cloud.job("other", Script().sleep(50), millicores=1000)
    await cloud.until(other, "running")
    gang = await cloud.job("gang", Script().sleep(20), count=4)
    await cloud.let_pass(30)
    waiting = await cloud.read(gang)
    assert (waiting.phase, waiting.status["reason"]) == ("queued", "NoOffer")
    assert cloud.at_site() == ["running"]
    running = await cloud.until(gang, "running")
    assert [t["phase"] for t in running.status["tasks"]] == ["running"] * 4
    ended = await cloud.until(gang, "succeeded")
    assert [t["rank"] for t in ended.status["tasks"]] == [0, 1, 2, 3]
    assert await cloud.seconds(gang) == pytest.approx(20, abs=0.1)
    await cloud.assert_books_closed()


async def test_what_it_may_write_is_set_aside_whether_it_says_so_or_not(cloud: Cloud) -> None:
    world = await cloud.site(disk=3 << 30)
    one = await cloud.job("one", Script().sleep(50))
    two = await cloud.job("two", Script().sleep(50), disk=2 << 30)
    more = await cloud.job("more", Script().sleep(50))
    for job in (one, two):
        await cloud.until(job, "running")
    assert world.room.capacity().free_disk == 0
    assert (await cloud.read(more)).phase == "queued"
    await cloud.until(more, "succeeded")


async def test_a_job_is_tried_again_as_often_as_asked(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=Script().sleep(5).exit(3), retries=2)
    again = await cloud.until(job, lambda r: r.status.get("message", "").startswith("Attempt"))
    assert again.phase == "queued"
    assert again.status["message"] == "Attempt 1 of 3 failed."
    second = await cloud.until(job, lambda r: r.phase == "running" and r.status["attempt"] == 2)
    assert "exitCode" not in second.status
    assert "endedAt" not in second.status
    failed = await cloud.until(job, "failed")
    assert failed.status["attempt"] == 3
    assert await cloud.leases(job) == [("closed", "done")] * 3
    assert await cloud.seconds(job) == pytest.approx(15, abs=0.1)
    assert failed.status["cost"]["amountNano"] == await cloud.charged(job)
    assert [c["state"] for c in failed.conditions] == ["active", "creating", "pending"]
    # The site keeps the last run's files only.
    await cloud.let_pass(30)
    for work in await cloud.works(job):
        assert (work.given_up_at is None) == work.id.endswith("-3")
    await cloud.assert_books_closed()


async def test_a_time_limit_ends_it_and_is_billed_whole(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=Script().ignore("TERM").sleep(1000), timeLimit=60)
    failed = await cloud.until(job, "failed")
    assert failed.status["reason"] == "TimeLimit"
    assert failed.status["message"].endswith("had come.")
    assert await cloud.seconds(job) == pytest.approx(70, abs=0.1)
    assert failed.status["cost"]["amountNano"] == await cloud.charged(job)
    assert await cloud.db.fetchval("select sum(unbilled) from usage") == 0
    await cloud.assert_books_closed()


async def test_new_labels_change_nothing_else(cloud: Cloud) -> None:
    await cloud.site(millicores=1000)
    first = await cloud.job("first", Script().sleep(60))
    second = await cloud.job("second", Script().sleep(60))
    await cloud.until(first, "running")
    for job in (first, second):
        await cloud.put("job", job.name, job.spec, labels={"team": "blue"})
    await cloud.turn()
    running, queued = await cloud.read(first), await cloud.read(second)
    assert (running.phase, running.state, running.labels) == ("running", "active", {"team": "blue"})
    assert (queued.phase, queued.state) == ("queued", "active")
    ended = await cloud.until(second, "succeeded")
    assert len(await cloud.works(second)) == 1
    assert ended.conditions[0]["state"] == "active"
    await cloud.put("job", "first", first.spec, labels={"team": "red"})
    await cloud.turn()
    relabelled = await cloud.read(first)
    assert (relabelled.phase, relabelled.state) == ("succeeded", "active")
    assert len(await cloud.works(first)) == 1
    await cloud.assert_books_closed()


async def test_its_work_can_not_be_changed(cloud: Cloud) -> None:
    job = await cloud.job()
    with pytest.raises(ValidationError):
        await cloud.put("job", "job", {**job.spec, "command": ["other"]})


async def test_devices_are_those_that_are_billed_and_are_named(cloud: Cloud) -> None:
    gpus = [{"model": "H100", "count": 1}, {"model": "L4", "count": 2}]
    await cloud.site(gpus=gpus)
    job = await cloud.job(script=Script().sleep(60), gpus=1)
    running = await cloud.until(job, "running")
    # The cheaper model was chosen, and no other device is given.
    [device] = running.status["tasks"][0]["gpus"]
    assert device.endswith("-L4")
    big = await cloud.job("big", Script().sleep(60), gpus=1, gpuModel="H100")
    [device] = (await cloud.until(big, "running")).status["tasks"][0]["gpus"]
    assert device.endswith("-H100")
    await cloud.until(big, "succeeded")
    skus = await cloud.db.fetch("select distinct sku from stream where meter = 'gpu-hour'")
    assert {row["sku"] for row in skus} == {"L4", "H100"}
    await cloud.assert_books_closed()


async def test_it_is_isolated_as_the_policy_demands(cloud: Cloud) -> None:
    world = await cloud.site()
    await cloud.put("policy", "strict", {"isolation": "vm"})
    job = await cloud.job(script=Script().sleep(10))
    running = await cloud.until(job, "running")
    assert running.status["isolation"] == "vm"
    [live] = world._live.values()
    assert live.work.isolation == "vm"


async def test_it_gets_its_files_and_secrets_and_leaves_artifacts(cloud: Cloud) -> None:
    world = await cloud.site()
    digest = await cloud.blobs.put(b"four words and more")
    await cloud.db.execute(
        "insert into workspace_blob values ('acme', 'lab', $1, skerry_now())", str(digest)
    )
    script = Script().cat("in/a.txt").env("PIN").write("out.txt", "done").sleep(5)
    job = await cloud.job(
        script=script,
        inputs=[
            {"path": "in/a.txt", "digest": str(digest), "size": 19},
            {"path": "b.txt", "digest": str(digest), "size": 19},
        ],
        artifacts=["out.txt"],
        secretEnv={"PIN": "hunter2"},
        memory=2 * GIB,
    )
    assert "hunter2" not in str(job)
    await cloud.until(job, "succeeded")
    [work] = await cloud.works(job)
    said = b"".join([chunk.data async for chunk in driver(world).logs(work.id, 0)])
    assert said == b"four words and morehunter2\n"
    assert [f.path for f in await driver(world).files(work.id, 0)] == ["out.txt"]
    again = await cloud.job("again", inputs=job.spec["inputs"])
    await cloud.until(again, "succeeded")
    assert (await cloud.read(again)).spec["inputs"] == job.spec["inputs"]


async def test_a_lease_is_shown_where_the_job_is(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=Script().sleep(10))
    running = await cloud.until(job, "running")
    async with cloud.db.transaction() as tx:
        kind = cloud.resources.registry["lease"]
        page = await cloud.resources.list(tx, kind, Path("acme", "lab"))
    [lease] = page.items
    assert (lease.name, lease.phase) == (running.status["lease"], "active")
    assert lease.owner_uid == job.uid


async def test_a_place_in_a_log_is_a_place_in_that_runs_log(cloud: Cloud) -> None:
    """An offset belongs to the run that it was told of, however long the next one's log is."""

    async def read(**query: str) -> list[tuple[str, str]]:
        resource = await cloud.read(job)
        asked = Asked(
            cloud.db,
            cloud.resources,
            cloud.services,
            resource,
            SYSTEM,
            query={"rank": "0", **query},
        )
        stream = await logs(asked)
        assert isinstance(stream, Stream)
        lines = [msgspec.json.decode(line) async for line in stream.chunks if line.strip()]
        return [(line["run"], base64.b64decode(line["data"]).decode()) for line in lines]

    await cloud.site(startSeconds=30)
    script = Script().print("from the beginning").sleep(20).print("to the end").exit(3)
    job = await cloud.job(script=script, retries=1)
    await cloud.until(job, "running")
    [(first, said)] = await read()
    assert said == "from the beginning\n"
    place = {"run": first, "offset": str(len(said))}
    await cloud.until(job, lambda r: r.status.get("message", "").startswith("Attempt"))
    assert await read(**place) == [(first, "to the end\n")]
    await cloud.until(job, lambda r: r.phase == "starting" and r.status["attempt"] == 2)
    assert await read(**place) == await read() == []
    await cloud.until(job, lambda r: r.phase == "running" and r.status["attempt"] == 2)
    [(second, said)] = await read(**place)
    assert (second != first, said) == (True, "from the beginning\n")
    assert await read(run=second, offset="5") == [(second, "the beginning\n")]
