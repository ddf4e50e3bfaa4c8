"""What a workload runs in: brought before it starts, named by what it is, there when it runs."""

import asyncio
import signal

import pytest

from skerry.sites.contract import (
    EnvironmentSource,
    Images,
    ImageSource,
    Progress,
    Refused,
    Workloads,
)
from tests.harness.images import image
from tests.sites.contract.rig import (
    PATIENCE,
    Base,
    Rig,
    digest,
    ended,
    log,
    plain,
    printed,
    run,
    upload,
    workload,
)
from tests.sites.contract.script import Script

NOWHERE = "sha256:" + "0" * 64
NOTHING = "# no packages\n"


async def brought(site: Workloads, source: ImageSource | EnvironmentSource) -> list[Progress]:
    """All that is told of it, up to the end."""
    assert isinstance(site, Images)
    async with asyncio.timeout(PATIENCE):
        if isinstance(source, ImageSource):
            return [item async for item in site.prepare_image(source)]
        return [item async for item in site.prepare_environment(source)]


async def refused(site: Workloads, source: ImageSource | EnvironmentSource) -> Refused:
    """The refusal, which is in plain words."""
    with pytest.raises(Refused) as told:
        await brought(site, source)
    plain(told.value)
    return told.value


async def uploaded(site: Workloads, **config: object) -> ImageSource:
    return ImageSource(archive=await upload(site, image(**config).archive()))  # type: ignore[arg-type]


class Preparing(Base):
    """Images and environments, in short."""

    async def test_a_workload_runs_in_its_image(self, rig: Rig, site: Workloads) -> None:
        told = await brought(site, await uploaded(site))
        assert [item.stage for item in told].count("ready") == 1
        assert told[-1].stage == "ready"
        assert told[-1].digest.startswith("sha256:")
        work = workload(rig, Script().print("hello").exit(3), image=told[-1].digest)
        status = await run(site, work)
        assert status.tasks[0].exit_code == 3
        assert await log(site, work.id) == "hello\n"

    async def test_a_signal_ends_what_runs_in_an_image(self, rig: Rig, site: Workloads) -> None:
        """At once, though it does not handle it: process 1 of a namespace would not hear it."""
        told = await brought(site, await uploaded(site))
        work = workload(rig, Script().print("up").stay(), image=told[-1].digest)
        await site.apply(work, 1)
        await printed(site, work.id, "up")
        await site.signal(work.id, signal.SIGTERM, 1)
        assert (await ended(site, work.id)).tasks[0].exit_code == 128 + signal.SIGTERM

    async def test_what_is_no_image_is_refused(self, rig: Rig, site: Workloads) -> None:
        garbage = await upload(site, b"no image at all " * 1000)
        missing = digest(b"never uploaded")
        for source, reason in (
            (ImageSource(archive=garbage), "BadImage"),
            (ImageSource(archive=missing), "MissingBlob"),
            (ImageSource(reference="not a name"), "BadReference"),
            (ImageSource(), "BadReference"),
            (ImageSource(reference="a.example/b", archive=garbage), "BadReference"),
        ):
            assert (await refused(site, source)).reason == reason

    async def test_an_environment_is_there(self, rig: Rig, site: Workloads) -> None:
        told = await brought(site, EnvironmentSource(requirements=NOTHING))
        assert told[-1].stage == "ready"
        again = await brought(site, EnvironmentSource(requirements="\n"))
        assert again[-1].digest == told[-1].digest
        work = workload(rig, Script().print("hello"), environment=told[-1].digest)
        assert (await run(site, work)).tasks[0].exit_code == 0


class Imaging(Preparing):
    """All of it."""

    async def test_it_is_named_by_what_it_is(self, rig: Rig, site: Workloads) -> None:
        source = await uploaded(site)
        first, again, other = [
            (await brought(site, s))[-1].digest
            for s in (source, source, await uploaded(site, Env=["A=b"]))
        ]
        assert first == again != other

    async def test_several_want_it_at_once(self, rig: Rig, site: Workloads) -> None:
        source = await uploaded(site)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(brought(site, source)) for _ in range(4)]
        assert len({task.result()[-1].digest for task in tasks}) == 1

    async def test_what_was_not_brought_is_refused(self, rig: Rig, site: Workloads) -> None:
        for reason, more in (
            ("MissingImage", {"image": NOWHERE}),
            ("MissingEnvironment", {"environment": NOWHERE}),
        ):
            with pytest.raises(Refused) as told:
                await site.apply(workload(rig, Script(), **more), 1)
            assert told.value.reason == reason
            plain(told.value)

    async def test_it_outlives_the_driver(self, rig: Rig, site: Workloads) -> None:
        source = await uploaded(site)
        found = (await brought(site, source))[-1].digest
        await rig.kill()
        again = await rig.open()
        status = await run(again, workload(rig, Script().exit(4), image=found))
        assert status.tasks[0].exit_code == 4

    async def test_another_than_the_wanted_is_refused(self, rig: Rig, site: Workloads) -> None:
        source = await uploaded(site)
        wanted = ImageSource(archive=source.archive, digest=NOWHERE)
        assert (await refused(site, wanted)).reason == "ImageChanged"

    async def test_requirements_that_reach_out_are_refused(self, rig: Rig, site: Workloads) -> None:
        for text in ("-e /etc", "--index-url http://elsewhere", "http://elsewhere/x.whl"):
            refusal = await refused(site, EnvironmentSource(requirements=text))
            assert refusal.reason == "BadRequirements"
