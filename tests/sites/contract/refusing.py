"""What is not taken, and that nothing is half-made by it."""

import pytest

from skerry.sites.contract import File, Refused, Resources, Workloads
from tests.sites.contract.rig import Base, Rig, download, find, plain, run, upload, workload
from tests.sites.contract.script import Script

TRICKS = [
    "",
    ".",
    "..",
    "/etc/passwd",
    "../outside",
    "a/../../outside",
    "a/..",
    "a/./b",
    "a//b",
    "a/",
    "nul\0byte",
    "x" * 5000,
]


class Refusing(Base):
    async def _refused(self, rig: Rig, site: Workloads, **changes: object) -> Refused:
        work = workload(rig, Script().print("should not run"), **changes)
        with pytest.raises(Refused) as refused:
            await site.apply(work, 1)
        plain(refused.value)
        assert await find(site, work.id) is None
        return refused.value

    @pytest.mark.parametrize("path", TRICKS)
    async def test_a_file_stays_inside(self, rig: Rig, site: Workloads, path: str) -> None:
        file = File(path=path, digest=await upload(site, b"evil"), size=4)
        assert (await self._refused(rig, site, files=(file,))).reason == "BadPath"

    @pytest.mark.parametrize("pair", [("a", "a"), ("a", "a/b"), ("a/b", "a")])
    async def test_files_do_not_collide(
        self, rig: Rig, site: Workloads, pair: tuple[str, str]
    ) -> None:
        known = await upload(site, b"x")
        files = tuple(File(path=path, digest=known, size=1) for path in pair)
        assert (await self._refused(rig, site, files=files)).reason == "BadPath"

    @pytest.mark.parametrize("glob", ["", "/etc/*", "../*", "out/../../*", "nul\0"])
    async def test_a_glob_stays_inside(self, rig: Rig, site: Workloads, glob: str) -> None:
        assert (await self._refused(rig, site, artifacts=(glob,))).reason == "BadPath"

    @pytest.mark.parametrize("path", TRICKS)
    async def test_a_download_stays_inside(self, rig: Rig, site: Workloads, path: str) -> None:
        work = workload(rig, Script().write("a/b", "in"), artifacts=("**",))
        await run(site, work)
        with pytest.raises(Refused) as refused:
            await download(site, work.id, path)
        plain(refused.value)

    @pytest.mark.parametrize("id", ["", "../x", "a/b", "UPPER", "under_score", "x" * 64, "a\n"])
    async def test_an_id_is_plain(self, rig: Rig, site: Workloads, id: str) -> None:
        assert (await self._refused(rig, site, id=id)).reason == "BadWorkload"

    @pytest.mark.parametrize(
        "changes",
        [
            {"tasks": 0},
            {"tasks": -1},
            {"command": ()},
            {"command": ("nul\0",)},
            {"env": {"A=B": "x"}},
            {"env": {"A": "nul\0"}},
            {"secret_env": {"": "x"}},
            {"time_limit": -1},
            {"grace": -1},
            {"resources": Resources(millicores=0, memory=1 << 26)},
            {"resources": Resources(millicores=100, memory=0)},
            {"resources": Resources(millicores=100, memory=-5)},
            {"resources": Resources(millicores=100, memory=1 << 26, gpus=-1)},
        ],
        ids=str,
    )
    async def test_nonsense_is_refused(
        self, rig: Rig, site: Workloads, changes: dict[str, object]
    ) -> None:
        assert (await self._refused(rig, site, **changes)).reason == "BadWorkload"

    async def test_isolation_is_never_weaker_than_asked(self, rig: Rig, site: Workloads) -> None:
        able = (await site.capacity()).isolations
        for isolation in ("process", "sandbox", "vm"):
            if isolation not in able:
                refused = await self._refused(rig, site, isolation=isolation)
                assert refused.reason == "Isolation"
                assert isolation in refused.message

    async def test_more_than_there_is(self, rig: Rig, site: Workloads) -> None:
        whole = await site.capacity()
        for ask in (
            {"millicores": whole.millicores + 1},
            {"memory": whole.memory + 1},
            {"gpus": len(whole.gpus) + 1},
        ):
            assert (await self._refused(rig, site, **ask)).reason == "NoRoom"

    async def test_a_device_of_another_model_will_not_do(self, rig: Rig, site: Workloads) -> None:
        ask = Resources(millicores=100, memory=1 << 26, gpus=1, gpu_model="Abacus 9000")
        assert (await self._refused(rig, site, resources=ask)).reason == "NoRoom"
