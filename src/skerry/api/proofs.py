"""The published log over HTTP: checkpoint, key and tiles for anyone, events for who may see them.

Tiles and checkpoints hold only hashes and salted leaves, so they need no token: a witness or an
auditor fetches them as plain files (C2SP tlog-tiles).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from skerry.api import history, requests, watch
from skerry.api.edge import Edge, attachment
from skerry.identity.authorize import Principal, authorize, can
from skerry.identity.roles import Target
from skerry.kernel.errors import InvalidRequest, NotFound, Source
from skerry.kernel.paths import Path
from skerry.kernel.rows import Resource
from skerry.proof import witness
from skerry.proof.log import Log
from skerry.proof.note import verifier_key
from skerry.proof.package import Package, Period
from skerry.proof.receipts import Evidence
from skerry.proof.tiles import parse_path
from skerry.proof.witness import Witness
from skerry.series.views import moment
from skerry.sites.outputs import OUTPUT

NDJSON = "application/x-ndjson"
MOST_CHECKPOINT = 1 << 16
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


async def checkpoint(edge: Edge, request: Request) -> Response:
    """The newest signed tree head (C2SP tlog-checkpoint)."""
    published = await edge.services[Log].witnessed()
    if published is None:
        raise NotFound("nothing has been logged yet", hint="Ask again in a few seconds.")
    return PlainTextResponse(published.note)


async def key(edge: Edge, request: Request) -> Response:
    """The operator's public key, as a C2SP verifier key. Compare it with one got otherwise."""
    return PlainTextResponse(edge.services[Log].signer.vkey + "\n")


async def witness_key(edge: Edge, request: Request) -> Response:
    """The key that this cloud cosigns with, of a type of its own (C2SP tlog-cosignature)."""
    return PlainTextResponse(verifier_key(edge.services[Witness].signer.cosigner) + "\n")


async def add_checkpoint(edge: Edge, request: Request) -> Response:
    """Cosign the checkpoint of a log that the operator named (C2SP tlog-witness). Who may is shown
    by the checkpoint's signature alone."""
    body = await requests.body(request, MOST_CHECKPOINT)
    try:
        line = await witness.add(
            edge.db, edge.services[Witness].signer, await witness.logs(edge.db), body
        )
    except witness.Refusal as refused:
        return Response(str(refused), refused.status, media_type=refused.media)
    return PlainTextResponse(line)


async def tile(edge: Edge, request: Request) -> Response:
    """One tile. Full tiles never change."""
    path = "tile/" + request.path_params["path"]
    if parse_path(path) is None:
        raise NotFound(f"{path[:100]!r} is not a tile's path")
    file = edge.services[Log].tiles.directory / path
    try:
        content = await asyncio.to_thread(file.read_bytes)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"{path} is not published") from None
    headers = {} if ".p/" in path else _FOR_EVER
    return Response(content, headers=headers, media_type="application/octet-stream")


async def events(edge: Edge, request: Request) -> Response:
    """What happens in a tenant, as it happens (``watch=true``), or what has happened, newest first:
    everything that the caller may read."""
    tenant = request.path_params["tenant"]
    await _watcher(edge, request, tenant)
    kinds = frozenset(filter(None, request.query_params.get("kinds", "").split(",")))

    async def still() -> watch.Visible:
        return await _visible(edge, request, tenant)

    if not requests.flag(request, "watch"):
        return await history.page(edge, request, tenant, kinds, await still())
    return await watch.tenant(edge, request, tenant, kinds, still)


async def event(edge: Edge, request: Request) -> Response:
    """One of them, with what its leaf hashes."""
    tenant = request.path_params["tenant"]
    visible = await _visible(edge, request, tenant)
    return await history.one(edge, tenant, request.path_params["position"], visible)


async def _visible(edge: Edge, request: Request, tenant: str) -> watch.Visible:
    """Which resources' changes the caller may see."""
    who, registry = await _watcher(edge, request, tenant), edge.resources.registry

    def visible(resource: Resource) -> bool:
        kind, path = registry[resource.kind], edge.resources.path(resource)
        return can(who, "get", edge.about(kind, path, resource.region))

    return visible


async def _watcher(edge: Edge, request: Request, tenant: str) -> Principal:
    who = await edge.principal(request)
    authorize(who, "get", Target(provider="skerry.proof/v1", tenant=tenant, resource="events"))
    return who


async def package(edge: Edge, request: Request) -> Response:
    """All that happened in a tenant in a period, to be checked offline (``proof.package``)."""
    tenant = request.path_params["tenant"]
    who = await edge.principal(request)
    authorize(who, "get", Target(provider="skerry.proof/v1", tenant=tenant, resource="audit"))
    registry = edge.resources.registry
    async with edge.db.reading() as tx:
        await edge.resources.get(tx, edge.resources.ref(registry["tenant"], Path(name=tenant)))
        now = await tx.now()
    period = Period(tenant, _when(request, "from", now), _when(request, "to", now))
    if not period.begin < period.end:
        raise InvalidRequest("the period ends before it begins", sources=[Source(parameter="from")])

    def vouches(kind: str, verb: str) -> Evidence:
        found = registry.by_noun.get(kind)
        by_host = kind == OUTPUT or (found is not None and found.meters and verb == "status")
        return "attested-host" if by_host else "declared"

    lines = Package(edge.db, edge.services[Log], period, vouches).lines()
    # What can be refused is refused before the answer begins.
    first = await anext(lines)
    name = f"audit-{tenant}-{period.begin:%Y%m%d}-{period.end:%Y%m%d}.jsonl"
    headers = {"content-disposition": attachment(name), "x-content-type-options": "nosniff"}
    return StreamingResponse(_after(first, lines), media_type=NDJSON, headers=headers)


async def _after(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with aclosing(rest) as lines:
        yield first
        async for line in lines:
            yield line


def _when(request: Request, name: str, now: datetime) -> datetime:
    """A time or a date, which is its first instant in UTC. Raises ``InvalidRequest``."""
    text = request.query_params.get(name, "")
    if not text:
        return now if name == "to" else datetime(1970, 1, 1, tzinfo=UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return moment(text, now, name)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
