"""What a driver's test gives the suite, and the words its cases are written in."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import pytest

from skerry.sites.contract import (
    CursorExpired,
    File,
    Isolation,
    LogChunk,
    Manifest,
    Refused,
    Resources,
    Workload,
    Workloads,
    WorkloadStatus,
)
from tests.sites.contract.script import Script

MIB = 1 << 20
PATIENCE = 60
"""Seconds before a case that waits for something gives up."""


class Rig(Protocol):
    """One site under test: its state, and drivers opened on it one after the other."""

    manifest: Manifest
    isolation: Isolation
    """The isolation that the cases ask for."""
    events_kept: int
    """How many events the site was told to keep, at most 100, so that cursors can expire."""

    snapshots: bool
    """Whether its volumes can have snapshots."""

    gangs: bool
    """Whether the tasks of a workload can reach each other."""

    async def open(self) -> Workloads:
        """A driver on the site's state: at first, and again after ``kill``."""

    async def kill(self) -> None:
        """End the driver (and its agent, if it has one) without a good-bye.

        What runs goes on running; the state stays.
        """

    async def neighbour(self) -> Workloads:
        """A driver of another site that shares the host, cluster or account with this one."""

    def render(self, script: Script) -> tuple[tuple[str, ...], dict[str, str]]:
        """Command and variables that make a workload do the script."""


class Base:
    """Fixture and words for the cases; a case never waits by the clock alone."""

    @pytest.fixture
    async def site(self, rig: Rig) -> Workloads:
        return await rig.open()


def workload(rig: Rig, script: Script, **changes: Any) -> Workload:
    """A small workload with a new id that does ``script``, or another ``command``."""
    command, env = rig.render(script)
    if "command" in changes:
        env = {}
    env = {**env, **changes.pop("env", {})}
    size = {"millicores": 300, "memory": 64 * MIB}
    names = ("millicores", "memory", "gpus", "gpu_model", "pids")
    size |= {name: changes.pop(name) for name in names if name in changes}
    fields: dict[str, Any] = {
        "id": f"w-{uuid.uuid4().hex[:12]}",
        "tenant": "acme",
        "command": command,
        "env": env,
        "isolation": rig.isolation,
        "resources": Resources(**size),
    }
    return Workload(**(fields | changes))


async def find(site: Workloads, id: str) -> WorkloadStatus | None:
    _, all_of_them = await site.list()
    return next((found for found in all_of_them if found.id == id), None)


async def until(
    site: Workloads, id: str, wanted: Callable[[WorkloadStatus], bool]
) -> WorkloadStatus:
    """List, then watch, until the workload is as wanted."""
    async with asyncio.timeout(PATIENCE):
        while True:
            cursor, all_of_them = await site.list()
            found = next((found for found in all_of_them if found.id == id), None)
            assert found is not None, f"{id} is not at the site"
            if wanted(found):
                return found
            try:
                async for event in site.watch(cursor):
                    if event.id == id and event.status is not None and wanted(event.status):
                        return event.status
            except CursorExpired:
                continue


async def ended(site: Workloads, id: str) -> WorkloadStatus:
    return await until(site, id, lambda status: status.ended)


async def running(site: Workloads, id: str) -> WorkloadStatus:
    return await until(site, id, lambda status: status.running)


async def run(site: Workloads, work: Workload) -> WorkloadStatus:
    """Apply it under fence 1 and wait for its end."""
    await site.apply(work, 1)
    return await ended(site, work.id)


async def chunks(
    site: Workloads, id: str, rank: int = 0, offset: int = 0, follow: bool = False
) -> list[LogChunk]:
    async with asyncio.timeout(PATIENCE):
        return [chunk async for chunk in site.logs(id, rank, offset, follow)]


async def log(site: Workloads, id: str, rank: int = 0, stream: str = "") -> str:
    """The whole log, or one stream of it."""
    found = await chunks(site, id, rank)
    return b"".join(c.data for c in found if stream in ("", c.stream)).decode()


async def printed(site: Workloads, id: str, text: str, rank: int = 0) -> None:
    """Wait until the task has printed ``text``."""
    seen = b""
    async with asyncio.timeout(PATIENCE):
        async for chunk in site.logs(id, rank, 0, True):
            seen += chunk.data
            if text.encode() in seen:
                return
    raise AssertionError(f"the log of {id} ended without {text!r}: {seen!r}")


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 65536):
        yield content[start : start + 65536]


async def upload(site: Workloads, content: bytes) -> str:
    await site.upload(digest(content), _pieces(content))
    return digest(content)


async def upload_as(site: Workloads, claimed: str, content: bytes) -> None:
    """Upload under a digest that need not be the content's."""
    await site.upload(claimed, _pieces(content))


async def put(site: Workloads, path: str, content: bytes, mode: int = 0o644) -> File:
    return File(path=path, digest=await upload(site, content), size=len(content), mode=mode)


async def download(site: Workloads, id: str, path: str, rank: int = 0) -> bytes:
    return b"".join([piece async for piece in site.download(id, rank, path)])


def plain(refusal: Refused) -> None:
    """A refusal has a CamelCase reason for programs and words for a person."""
    assert refusal.reason.isalnum(), refusal.reason
    assert refusal.reason[0].isupper(), refusal.reason
    assert len(refusal.message.split()) >= 3, refusal.message


async def lacks(rig: Rig, verb: str, attempt: Callable[[], Any]) -> bool:
    """Whether the driver declares that it can't do ``verb``; if so, check that it says so."""
    if verb not in rig.manifest.lacks:
        return False
    with pytest.raises(Refused) as refused:
        await attempt()
    assert refused.value.reason == "Unsupported"
    assert refused.value.message == rig.manifest.lacks[verb]
    return True
