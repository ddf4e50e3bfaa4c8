"""Python environments: built from wheels alone, once, and told how far they are."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from skerry.sites.contract import EnvironmentSource, Progress, Refused
from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver
from skerry.sites.local.images import environments
from skerry.sites.local.images.environments import digest_of, plain
from tests.harness.packages import Index, Package, serving
from tests.sites.contract.imaging import brought, refused
from tests.sites.contract.rig import log, run, workload
from tests.sites.contract.script import Script
from tests.sites.local.rigs import LocalRig, config, leave

MANY = tuple(Package(f"part{n}", code=f"number = {n}\n") for n in range(12))


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    top = Package("top", needs=tuple(part.name for part in MANY))
    alone = Package("alone", code="import os; where = os.getpid()\n")
    other = Package("other")
    built = Package("built", wheel=False)
    with serving(top, alone, other, built, *MANY) as found:
        yield found


@pytest.fixture
async def site(index: Index, tmp_path: Path) -> AsyncIterator[LocalDriver]:
    more = {"index": index.url, "engines": ("runc",), "stall": 1.0, "keepFree": 0}
    data = tmp_path / "site"
    driver = LocalDriver(read(config(data, **more)))
    yield driver
    await leave(driver, data)


def wants(text: str) -> EnvironmentSource:
    return EnvironmentSource(requirements=text)


async def test_a_task_has_its_packages(site: LocalDriver, tmp_path: Path) -> None:
    told = await brought(site, wants("top>=1\n"))
    installed = [item for item in told if item.stage == "installing"]
    assert {item.total for item in installed} == {13}
    assert [item.done for item in installed] == sorted(item.done for item in installed)
    command = ("python", "-c", "import part3, part11; print(part3.number + part11.number)")
    rig = LocalRig(tmp_path)
    work = workload(rig, Script(), command=command, environment=told[-1].digest)
    status = await run(site, work)
    assert status.tasks[0].exit_code == 0, await log(site, work.id)
    assert await log(site, work.id) == "14\n"
    attempt = "import part3; open(part3.__file__, 'w')"
    work = workload(rig, Script(), command=("python3", "-c", attempt), environment=told[-1].digest)
    assert (await run(site, work)).tasks[0].exit_code == 1
    assert "Read-only file system" in await log(site, work.id)


async def test_the_same_is_built_once(site: LocalDriver, index: Index) -> None:
    texts = ("alone\nother\n", "Other # said twice\n\nalone", "other\nalone\nalone\n")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(brought(site, wants(text))) for text in texts]
    assert len({task.result()[-1].digest for task in tasks}) == 1
    fetched = len(index.asked)
    assert await brought(site, wants(texts[0])) == [
        Progress(stage="ready", digest=tasks[0].result()[-1].digest)
    ]
    assert len(index.asked) == fetched


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("built", "NoWheel", "would run its code"),
        ("nowhere-to-be-found", "NoSuchPackage", "not in the index"),
        ("alone==7", "BadRequirements", "alone==7"),
        ("alone==1.0 --hash=sha256:" + "0" * 64, "BadRequirements", "ash mismatch"),
    ],
)
async def test_what_can_not_be_had_is_told(
    site: LocalDriver, text: str, reason: str, words: str
) -> None:
    refusal = await refused(site, wants(text))
    assert refusal.reason == reason
    assert words in refusal.message


async def test_an_index_that_stalls_is_left(site: LocalDriver, index: Index) -> None:
    index.gate.clear()
    try:
        refusal = await refused(site, wants("other"))
    finally:
        index.gate.set()
    assert refusal.reason in ("Stalled", "IndexUnreachable")
    assert (await brought(site, wants("other")))[-1].stage == "ready"


async def test_without_uv_it_says_what_to_install(
    site: LocalDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uv", None)
    refusal = await refused(site, wants("alone"))
    assert refusal.reason == "Unsupported"
    assert "pip install uv" in refusal.message
    assert (await site.capacity()).isolations


def test_the_plainest_form_is_one() -> None:
    text = "Foo_Bar [ b, a ] >= 1.0 ; python_version > '3' # why\nfoo--bar\n\\\n"
    assert plain(text) == ["foo-bar", "foo-bar[ b, a ]>= 1.0; python_version > '3'"]
    assert digest_of(["a"], "") != digest_of(["a"], "http://other") != digest_of(["b"], "")


@pytest.mark.parametrize(
    "line",
    [
        "-r other.txt",
        "--extra-index-url http://x",
        "-e .",
        "./folder",
        "../x.whl",
        "name @ http://x/y.whl",
        "git+https://x/y",
        "file:///etc/passwd",
        "a b",
        "a==1 --hash=md5:00",
        "a; os_name == 'x' @ b",
        "a\x00b",
    ],
)
def test_only_names_and_versions(line: str) -> None:
    with pytest.raises(Refused) as told:
        plain(line)
    assert told.value.reason == "BadRequirements"


def test_there_is_an_end_of_them() -> None:
    with pytest.raises(Refused):
        plain("a\n" * environments._LONGEST)
