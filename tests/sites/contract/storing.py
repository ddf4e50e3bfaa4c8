"""Files in, artifacts out."""

import pytest

from skerry.sites.contract import File, Refused, Workloads
from tests.sites.contract.rig import (
    Base,
    Rig,
    digest,
    download,
    find,
    log,
    plain,
    put,
    run,
    upload,
    upload_as,
    workload,
)
from tests.sites.contract.script import Script


class Storing(Base):
    async def test_files_are_there_before_it_starts(self, rig: Rig, site: Workloads) -> None:
        files = (
            await put(site, "data.txt", b"forty-two\n"),
            await put(site, "deep/er/tool", b"#!/bin/sh\n", mode=0o755),
            await put(site, "deep/empty", b""),
        )
        script = Script().cat("data.txt").mode("data.txt").mode("deep/er/tool").cat("deep/empty")
        work = workload(rig, script, files=files)
        await run(site, work)
        assert await log(site, work.id) == "forty-two\n644\n755\n"

    async def test_each_task_has_its_own_copy(self, rig: Rig, site: Workloads) -> None:
        files = (await put(site, "shared", b"original\n"),)
        script = Script().cat("shared").write("shared", "mine\n").cat("shared")
        work = workload(rig, script, files=files, tasks=2)
        await run(site, work)
        for rank in range(2):
            assert await log(site, work.id, rank) == "original\nmine\n"
        after = workload(rig, Script().cat("shared"), files=files)
        await run(site, after)
        assert await log(site, after.id) == "original\n"

    async def test_the_site_knows_what_it_has(self, rig: Rig, site: Workloads) -> None:
        here, absent = await upload(site, b"here"), digest(b"absent")
        assert await site.has_blobs((absent, here)) == (here,)
        await upload(site, b"here")
        assert await site.has_blobs(()) == ()

    async def test_a_large_file_arrives_whole(self, rig: Rig, site: Workloads) -> None:
        content = bytes(range(256)) * 20_000
        work = workload(rig, Script(), files=(await put(site, "big", content),), artifacts=("big",))
        await run(site, work)
        [kept] = await site.files(work.id, 0)
        assert (kept.path, kept.size) == ("big", len(content))
        assert await download(site, work.id, "big") == content

    async def test_a_digest_that_lies_is_refused(self, rig: Rig, site: Workloads) -> None:
        claimed = digest(b"what was promised")
        with pytest.raises(Refused) as refused:
            await upload_as(site, claimed, b"what came")
        assert refused.value.reason == "DigestMismatch"
        plain(refused.value)
        assert await site.has_blobs((claimed,)) == ()

    @pytest.mark.parametrize(
        "odd", ["", "sha256:", "md5:0123", "sha256:../../etc/passwd", "sha256:" + "G" * 64]
    )
    async def test_an_odd_digest_is_refused(self, rig: Rig, site: Workloads, odd: str) -> None:
        with pytest.raises(Refused) as refused:
            await upload_as(site, odd, b"content")
        plain(refused.value)

    async def test_a_file_that_never_came_is_missed(self, rig: Rig, site: Workloads) -> None:
        absent = File(path="x", digest=digest(b"never uploaded"), size=14)
        work = workload(rig, Script(), files=(absent,))
        with pytest.raises(Refused) as refused:
            await site.apply(work, 1)
        assert refused.value.reason == "MissingBlob"
        plain(refused.value)
        assert await find(site, work.id) is None

    async def test_artifacts_are_what_the_globs_name(self, rig: Rig, site: Workloads) -> None:
        script = (
            Script()
            .write("out/a.txt", "A")
            .write("out/b.log", "B")
            .write("deep/er/c.txt", "C")
            .write("other.txt", "no")
        )
        work = workload(rig, script, artifacts=("out/*.txt", "deep/**/*.txt", "none/*"))
        await run(site, work)
        found = {info.path: info for info in await site.files(work.id, 0)}
        assert sorted(found) == ["deep/er/c.txt", "out/a.txt"]
        assert found["out/a.txt"].size == 1
        assert found["out/a.txt"].digest in ("", digest(b"A"))
        assert await download(site, work.id, "out/a.txt") == b"A"
        assert await download(site, work.id, "deep/er/c.txt") == b"C"

    async def test_artifacts_of_a_failure_are_kept_too(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().write("core", "why").exit(1), artifacts=("core",))
        await run(site, work)
        assert await download(site, work.id, "core") == b"why"

    async def test_artifacts_are_each_tasks_own(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().write("mine", "x"), tasks=2, artifacts=("mine",))
        await run(site, work)
        for rank in range(2):
            assert [info.path for info in await site.files(work.id, rank)] == ["mine"]
            assert await download(site, work.id, "mine", rank) == b"x"

    async def test_a_large_artifact_comes_back_whole(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().fill("zeros", 5_000_000), artifacts=("zeros",))
        await run(site, work)
        assert await download(site, work.id, "zeros") == bytes(5_000_000)

    async def test_a_file_that_is_not_there_is_refused(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script(), artifacts=("*",))
        await run(site, work)
        with pytest.raises(Refused) as refused:
            await download(site, work.id, "nothing")
        plain(refused.value)

    async def test_a_link_leads_nowhere_outside(self, rig: Rig, site: Workloads) -> None:
        script = Script().link("out/passwd", "/etc/passwd").link("up", "../../..")
        work = workload(rig, script.write("out/real", "r"), artifacts=("out/*", "up/**"))
        await run(site, work)
        assert [info.path for info in await site.files(work.id, 0)] == ["out/real"]
        for path in ("out/passwd", "up/etc/passwd"):
            with pytest.raises(Refused):
                await download(site, work.id, path)
