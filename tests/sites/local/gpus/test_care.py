"""Devices that fall ill, and devices between two leases."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from skerry.sites.contract import NoRoom
from skerry.sites.local import gpus
from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver
from skerry.sites.local.gpus import care
from skerry.sites.local.gpus.care import WELL, Care
from tests.harness.gpus import UUIDS, Nvml
from tests.sites.contract.rig import ended, plain, run, workload
from tests.sites.contract.script import Script
from tests.sites.local.rigs import LocalRig, config

ONE, TWO, THREE = UUIDS


async def sick(site: LocalDriver, looks: int = 1) -> dict[str, str]:
    """After so many more looks: what each device has that is not to be used."""
    machine = await site._ready()
    for _ in range(looks):
        await machine.look_at_gpus()
    room = await site.capacity()
    found = {gpu.uuid: gpu.sick for gpu in room.gpus if gpu.sick}
    assert set(room.free_gpus) == {gpu.uuid for gpu in room.gpus} - set(found)
    return found


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"uncorrected": "3"}, "3 errors that could not be corrected"),
        ({"pending": "1"}, "replaced once it is reset"),
        ({"failed": "1"}, "could not be replaced"),
        ({"retiring": "1"}, "retired once it is reset"),
        ({"throttled": "0x40", "celsius": "97"}, "too hot at 97 degrees"),
        ({"lost": "1"}, "fallen off the bus"),
    ],
)
async def test_what_reads_sick_is_not_free_until_it_reads_well(
    site: LocalDriver, nvml: Nvml, tmp_path: Path, facts: dict[str, str], words: str
) -> None:
    assert await sick(site) == {}
    nvml.tell(1, **facts)
    found = await sick(site)
    assert list(found) == [TWO]
    assert words in found[TWO]
    work = workload(LocalRig(tmp_path), Script(), gpus=1, devices=((TWO,),))
    with pytest.raises(NoRoom, match="is not to be used: ") as refused:
        await site.apply(work, 1)
    plain(refused.value)
    nvml.tell(1, **dict.fromkeys(facts, ""))
    assert list(await sick(site, WELL - 1)) == [TWO]
    assert await sick(site) == {}


async def test_an_event_is_remembered_until_the_operator_says_otherwise(
    site: LocalDriver, nvml: Nvml, tmp_path: Path
) -> None:
    nvml.happens(0, 31)  # a program's own fault
    assert await sick(site) == {}
    nvml.happens(0, 79)
    assert "Xid 79" in (await sick(site))[ONE]
    assert list(await sick(site, WELL + 2)) == [ONE]
    await site.close()
    settings = config(tmp_path / "site", engines=("runc",))
    for trusted, expected in (((), [ONE]), ((ONE,), [])):
        again = LocalDriver(read({**settings, "trustedGpus": trusted}))
        assert list(await sick(again)) == expected
        await again.close()


async def test_somebody_elses_work_keeps_a_device_out(site: LocalDriver, nvml: Nvml) -> None:
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        nvml.tell(2, pids=str(stranger.pid))
        assert f"process {stranger.pid} (sleep) uses it" in (await sick(site))[THREE]
        assert stranger.poll() is None
        nvml.tell(2, pids="")
        assert await sick(site, WELL) == {}
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_device_rests_until_its_memory_is_given_back(
    site: LocalDriver, nvml: Nvml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(care, "_PATIENCE", 0.2)
    rig = LocalRig(tmp_path)
    assert await sick(site) == {}
    work = workload(rig, Script(), gpus=1, devices=((ONE,),))
    nvml.tell(0, used=str(9 << 30))
    await site.apply(work, 1)
    await ended(site, work.id)
    machine = await site._ready()
    await machine.rested()
    assert "MiB of its memory are taken though nobody uses it" in (await sick(site))[ONE]
    nvml.tell(0, used=str(1 << 20))
    assert await sick(site, WELL) == {}
    again = workload(rig, Script(), gpus=1, devices=((ONE,),))
    assert (await run(site, again)).tasks[0].gpus == (ONE,)


@pytest.fixture
async def left() -> AsyncIterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def found(nvml: Nvml) -> Iterator[gpus.Gpus]:
    devices = gpus.find()
    yield devices
    devices.close()


async def test_what_a_task_left_on_its_device_is_ended(
    found: gpus.Gpus, nvml: Nvml, tmp_path: Path, left: subprocess.Popen[bytes]
) -> None:
    looked = Care(found, tmp_path / "kept", "boot", lambda pid: "job.0")
    nvml.tell(0, pids=str(left.pid))
    found.resting.add(ONE)
    clearing = asyncio.create_task(asyncio.to_thread(looked.clear, [ONE], "job.0"))
    assert await asyncio.to_thread(left.wait) == -9
    assert ONE in found.away
    nvml.tell(0, pids="")
    await clearing
    assert found.away == frozenset()


async def test_nothing_else_is_ended(
    found: gpus.Gpus,
    nvml: Nvml,
    tmp_path: Path,
    left: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(care, "_PATIENCE", 0.2)
    looked = Care(found, tmp_path / "kept", "boot", lambda pid: "another.0")
    nvml.tell(0, pids=str(left.pid))
    await asyncio.to_thread(looked.clear, [ONE], "job.0")
    assert left.poll() is None
    assert "still uses it after its lease" in found.sick[ONE]
