"""What can be read of one that runs beside its document: its log, its files, what it uses."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from skerry.kernel.errors import InvalidRequest, NotFound, Source, Unavailable
from skerry.kernel.history import stamp
from skerry.kernel.views import Answer, Asked, Stream
from skerry.products.run.pods.specs import AT_REST
from skerry.products.run.specs import ENDED
from skerry.sites import seen
from skerry.sites.contract import LogChunk, Refused, SiteUnreachable, UnknownWorkload, Workloads
from skerry.sites.hub import Hub
from skerry.store.queries import load

_sql = load("skerry.products.run")
_LOOK = 0.3
_BEAT = 15.0
_OVER = {*ENDED, *AT_REST}
"""Phases in which nothing more is written."""


async def logs(asked: Asked) -> Answer:
    """Lines of NDJSON, each a piece of one copy's output, in the order it was written."""
    rank = _rank(asked, asked.query.get("rank", "0"))
    offset, follow = asked.integer("offset", 0), asked.flag("follow")
    if not follow and await _work(asked) is None:
        return Stream("application/x-ndjson", _nothing())
    return Stream("application/x-ndjson", _lines(asked, rank, offset, follow))


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


async def _lines(asked: Asked, rank: int, offset: int, follow: bool) -> AsyncIterator[bytes]:
    """The log of the newest run, from the offset on if that belongs to it, else from its beginning.
    A blank line in silence tells that the connection lives."""
    run = asked.query.get("run", "")
    work = await _work(asked)
    waited = time.monotonic()
    while work is None or work.status is None:
        if not follow or await _ended(asked):
            return
        if time.monotonic() - waited > _BEAT:
            waited = time.monotonic()
            yield b"\n"
        await asyncio.sleep(_LOOK)
        work = await _work(asked)
    try:
        driver = asked.services[Hub].driver(work.at)
        begin = offset if run in ("", work.id) else 0
        async for chunk in driver.logs(work.id, rank, begin, follow):
            yield _line(chunk, work.id)
    except UnknownWorkload:
        return
    except SiteUnreachable as away:
        # The stream is under way: its reader resumes by offset once the site is back.
        yield msgspec.json.encode({"error": str(away)}) + b"\n"


def _line(chunk: LogChunk, run: str) -> bytes:
    line = {
        "rank": chunk.rank,
        "run": run,
        "offset": chunk.offset,
        "stream": chunk.stream,
        "at": stamp(chunk.at),
        "data": base64.b64encode(chunk.data).decode(),
    }
    return msgspec.json.encode(line) + b"\n"


def _rank(asked: Asked, text: str) -> int:
    count = _copies(asked)
    if not text.isdecimal() or int(text) >= count:
        raise InvalidRequest(
            f"there is no copy {text[:20]!r}",
            hint=f"Copies are numbered from 0 to {count - 1}.",
            sources=[Source(parameter="rank")],
        )
    return int(text)


def _copies(asked: Asked) -> int:
    return int(asked.resource.spec.get("count", 1))


async def _work(asked: Asked) -> seen.Seen | None:
    """Its newest run, or that of what it owns."""
    async with asked.db.transaction() as tx:
        works = await seen.below(tx, asked.resource.uid, asked.query.get("replica", ""))
    return works[-1] if works else None


async def _ended(asked: Asked) -> bool:
    replica = asked.query.get("replica", "")
    phase = await asked.db.fetchval(_sql.phase, asked.resource.uid, replica)
    return phase is None or phase in _OVER


async def _at_site(asked: Asked) -> tuple[Workloads, str]:
    work = await _work(asked)
    if work is None or work.status is None:
        raise NotFound(f"{asked.resource.kind} {asked.resource.name!r} has not started yet")
    try:
        return asked.services[Hub].driver(work.at), work.id
    except SiteUnreachable as away:
        raise Unavailable(str(away), hint="Its files are kept there; try again later.") from None


async def files(asked: Asked) -> Answer:
    """The list of artifacts of all copies, or one file: ``files/RANK/PATH``."""
    driver, id = await _at_site(asked)
    if asked.rest:
        number, _, path = asked.rest.partition("/")
        return await _file(asked, driver, id, _rank(asked, number), path)
    items = []
    try:
        for rank in range(_copies(asked)):
            items += [_info(rank, info) for info in await driver.files(id, rank)]
    except SiteUnreachable as away:
        raise Unavailable(str(away)) from None
    except Refused as refused:
        raise NotFound(refused.message) from None
    return {"items": items}


def _info(rank: int, info: Any) -> Mapping[str, Any]:
    return {
        "rank": rank,
        "path": info.path,
        "size": info.size,
        "mode": info.mode,
        "modifiedAt": stamp(info.modified_at),
        "digest": info.digest,
    }


async def _file(asked: Asked, driver: Workloads, id: str, rank: int, path: str) -> Answer:
    try:
        known = {info.path for info in await driver.files(id, rank)}
        if path not in known:
            raise NotFound(
                f"copy {rank} has no artifact {path[:200]!r}",
                hint="GET …/files lists them; artifacts are named when the job is made.",
            )
        name = path.rsplit("/", 1)[-1]
        return Stream("application/octet-stream", driver.download(id, rank, path), name)
    except SiteUnreachable as away:
        raise Unavailable(str(away)) from None
    except Refused as refused:
        raise NotFound(refused.message) from None


async def stats(asked: Asked) -> Answer:
    """What each copy uses now and used so far."""
    driver, id = await _at_site(asked)
    try:
        return {"items": [msgspec.to_builtins(s) for s in await driver.stats(id)]}
    except SiteUnreachable as away:
        raise Unavailable(str(away)) from None
    except Refused as refused:
        raise NotFound(refused.message) from None
