"""Pulls from a real registry: by name, by digest, with a login, and when it does badly."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from skerry.sites.contract import ImageSource, Progress, Refused
from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver
from tests.harness.images import ARCHITECTURE, Entry, Image, digest_of, image, index, layer
from tests.harness.registry import PASSWORD, USER, Front, Registry
from tests.sites.contract.imaging import brought, refused
from tests.sites.contract.rig import log, run, workload
from tests.sites.contract.script import Script
from tests.sites.local.rigs import LocalRig, clean, config

NOWHERE = "sha256:" + "0" * 64


def named(reference: str, **more: str) -> ImageSource:
    return ImageSource(reference=reference, **more)


def marked(text: str, **config: object) -> Image:
    """An image of its own, so that tests don't share layers."""
    return image([layer(Entry("mark", text.encode()))], **config)  # type: ignore[arg-type]


def kept(tmp_path: Path) -> list[str]:
    """What the site has of images, whole."""
    return os.listdir(tmp_path / "site/images/roots")


async def said(site: LocalDriver, tmp_path: Path, digest: str, *command: str) -> str:
    work = workload(LocalRig(tmp_path), Script(), command=command, image=digest)
    await run(site, work)
    return await log(site, work.id)


async def test_by_tag_and_by_digest(site: LocalDriver, public: Registry, tmp_path: Path) -> None:
    made = marked("by tag")
    reference = public.push("team/app", made, "v1")
    told = await brought(site, named(reference))
    assert [item.stage for item in told][:1] == ["waiting"]
    assert {"resolving", "pulling", "unpacking"} >= {item.stage for item in told} - {
        "waiting",
        "ready",
    }
    assert told[-1] == Progress(stage="ready", digest=made.digest)
    assert await said(site, tmp_path, made.digest, "cat", "/mark") == "by tag"
    exact = f"{public.host}/team/app@{made.digest}"
    assert (await brought(site, named(exact)))[-1].digest == made.digest
    assert (await brought(site, named(reference, digest=made.digest)))[-1].stage == "ready"


async def test_a_tag_that_moved_is_noticed(site: LocalDriver, public: Registry) -> None:
    first, second = marked("first"), marked("second")
    reference = public.push("team/moved", first)
    assert (await brought(site, named(reference)))[-1].digest == first.digest
    public.push("team/moved", second)
    pinned = await brought(site, named(reference, digest=first.digest))
    assert pinned[-1].digest == first.digest
    assert (await brought(site, named(reference)))[-1].digest == second.digest


async def test_a_login_is_needed_each_time(
    site: LocalDriver, private: Registry, tmp_path: Path
) -> None:
    made = marked("private")
    reference = private.push("team/secret", made)
    login = {"username": USER, "password": PASSWORD}
    for bad in ({}, {"username": USER, "password": "wrong"}):
        assert (await refused(site, named(reference, **bad))).reason == "Unauthorized"
    assert (await brought(site, named(reference, **login)))[-1].digest == made.digest
    assert await said(site, tmp_path, made.digest, "cat", "/mark") == "private"
    exact = f"{private.host}/team/secret@{made.digest}"
    for bad in ({}, {"username": USER, "password": "wrong"}):
        refusal = await refused(site, named(exact, digest=made.digest, **bad))
        assert refusal.reason == "Unauthorized"
        assert "imageSecret" in refusal.message
    written = [p for p in (tmp_path / "site").rglob("*") if p.is_file() and not p.is_symlink()]
    assert not [p for p in written if PASSWORD.encode() in p.read_bytes()]


async def test_what_is_not_there(site: LocalDriver, public: Registry) -> None:
    for name, reason in (
        ("team/none:latest", "NoSuchImage"),
        (f"team/none@{NOWHERE}", "NoSuchImage"),
        ("UPPER/case", "BadReference"),
        ("a//b", "BadReference"),
        ("team/app:", "BadReference"),
    ):
        assert (await refused(site, named(f"{public.host}/{name}"))).reason == reason


async def test_nobody_answers(site: LocalDriver) -> None:
    refusal = await refused(site, named("127.0.0.1:1/team/app"))
    assert refusal.reason == "RegistryUnreachable"


@pytest.mark.parametrize("which", ["layer", "config"])
async def test_a_digest_that_lies(
    site: LocalDriver, public: Registry, tmp_path: Path, which: str
) -> None:
    made = marked(f"lies in its {which}")
    reference = public.push("team/liar", made)
    parts = json.loads(made.text)
    digest = parts["config"]["digest"] if which == "config" else parts["layers"][1]["digest"]
    honest = public.stored(digest).read_bytes()
    public.stored(digest).write_bytes(honest[:-9] + b"\0" * 9)
    refusal = await refused(site, named(reference))
    assert refusal.reason == "DigestMismatch"
    assert "not what its digest says" in refusal.message
    assert not kept(tmp_path)
    assert not (tmp_path / "site/images/blobs/sha256" / digest.removeprefix("sha256:")).exists()
    public.stored(digest).write_bytes(honest)
    assert (await brought(site, named(reference)))[-1].digest == made.digest


async def test_a_manifest_that_lies(
    site: LocalDriver, gated: Front, public: Registry, tmp_path: Path
) -> None:
    made, other = marked("asked for"), marked("sent instead")
    public.push("team/swap", other)
    public.push("team/swap", made)
    path = f"/v2/team/swap/manifests/{made.digest}"
    gated.instead[path] = other.text
    refusal = await refused(site, named(f"{gated.host}/team/swap@{made.digest}"))
    assert refusal.reason == "DigestMismatch"
    assert not kept(tmp_path)


GARBAGE = (
    b"no json at all",
    b"[]",
    b"{}",
    b'{"schemaVersion":1,"layers":[]}',
    b'{"schemaVersion":2,"layers":[{"digest":"../../etc/passwd","size":3}]}',
    b'{"schemaVersion":2,"config":{"digest":"sha256:00"},"layers":[{"size":"x"}]}',
    b'{"schemaVersion":2,"layers":[' + b" " * (5 << 20) + b"]}",
    b'{"schemaVersion":2,"manifests":[]}',
    b'{"schemaVersion":2,"manifests":"x"}',
    b'{"schemaVersion":2,"layers":[7]}',
)


async def test_a_manifest_of_garbage(
    site: LocalDriver, gated: Front, public: Registry, tmp_path: Path
) -> None:
    public.push("team/garbage", marked("garbage"))
    for text in GARBAGE:
        gated.instead["/v2/team/garbage/manifests/latest"] = text
        refusal = await refused(site, named(f"{gated.host}/team/garbage"))
        assert refusal.reason in ("BadImage", "NoPlatform", "RegistryUnreachable"), refusal
    assert not kept(tmp_path)


async def test_a_registry_that_stalls(
    site: LocalDriver, gated: Front, public: Registry, tmp_path: Path
) -> None:
    made = marked("stalls", Env=["STALL=1"])
    public.push("team/slow", made)
    gated.gate.clear()
    refusal = await refused(site, named(f"{gated.host}/team/slow"))
    assert refusal.reason == "Stalled"
    assert "nothing has come for 1 seconds" in refusal.message
    assert not kept(tmp_path)
    assert not os.listdir(tmp_path / "site/images/scratch")
    gated.gate.set()
    assert (await brought(site, named(f"{gated.host}/team/slow")))[-1].stage == "ready"


async def test_several_pull_once(site: LocalDriver, gated: Front, public: Registry) -> None:
    made = marked("pulled once")
    public.push("team/once", made)
    public.push("team/once", made, "other")
    names = ("team/once", "team/once:other", f"team/once@{made.digest}", "team/once")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(brought(site, named(f"{gated.host}/{name}"))) for name in names]
    assert {task.result()[-1].digest for task in tasks} == {made.digest}
    blobs = [path for path in gated.layers(made) if path.startswith("GET")]
    assert len(blobs) == len(set(blobs)) == len(made.blobs)


async def test_the_one_for_this_machine(
    site: LocalDriver, public: Registry, tmp_path: Path
) -> None:
    ours, theirs = marked("ours"), marked("theirs", architecture="riscv64")
    several = index([("riscv64", theirs), (ARCHITECTURE, ours)])
    reference = public.push("team/several", several)
    assert (await brought(site, named(reference)))[-1].digest == ours.digest
    exact = f"{public.host}/team/several@{several.digest}"
    assert (await brought(site, named(exact)))[-1].digest == ours.digest
    public.push("team/foreign", index([("riscv64", theirs)]))
    for name in ("team/foreign", f"team/several@{theirs.digest}"):
        refusal = await refused(site, named(f"{public.host}/{name}"))
        assert refusal.reason == "NoPlatform"
        assert "riscv64" in refusal.message
    assert kept(tmp_path) == [ours.digest.removeprefix("sha256:")]


async def test_killed_in_the_middle_of_a_pull(
    gated: Front, public: Registry, tmp_path: Path, settings: dict[str, object]
) -> None:
    """What the driver leaves is the same as after SIGKILL; its tools die with it."""
    made = marked("killed")
    public.push("team/killed", made)
    source = named(f"{gated.host}/team/killed")
    gated.gate.clear()
    data = tmp_path / "killed"
    first = LocalDriver(read(config(data, **settings)))
    steps = first.prepare_image(source)
    async for progress in steps:
        if progress.done:
            break
    await first.close()
    gated.gate.set()
    again = LocalDriver(read(config(data, **settings)))
    try:
        await again.capacity()
        assert not os.listdir(data / "images/scratch")
        assert not os.listdir(data / "images/roots")
        assert (await brought(again, source))[-1].digest == made.digest
    finally:
        await again.close()
        await clean(data)


async def test_without_the_tools_it_says_what_to_install(
    site: LocalDriver, public: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.capacity()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Refused) as told:
        await brought(site, named(f"{public.host}/team/app"))
    assert told.value.reason == "Unsupported"
    assert "apt-get install skopeo" in told.value.message


def test_digests_are_of_the_bytes() -> None:
    assert marked("a").digest == digest_of(marked("a").text)
