"""The watch feed over HTTP: server-sent events, resumable by position.

``GET {collection}?watch=true[&from=P]`` streams what happens in that collection after position P;
``Last-Event-ID``, which browsers send by themselves, does the same. Without either, it starts now.
Each event's id is its position. A comment is sent in silence so that dead connections are noticed.

Who watches is asked anew before each event: a token or a role that is taken away ends the stream,
and the request that comes next is told why.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from skerry.api import documents
from skerry.kernel.errors import InvalidRequest, Problem, Source
from skerry.kernel.feed import Happening
from skerry.kernel.kinds import Kind, Registry
from skerry.kernel.paths import Path, collection_ref
from skerry.kernel.rows import Resource

if TYPE_CHECKING:
    from skerry.api.edge import Edge

Visible = Callable[[Resource], bool]
Still = Callable[[], Awaitable[Visible]]
"""What the watcher may see by now. Raises a ``Problem`` if that is nothing any more."""
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


async def collection(
    edge: "Edge", request: Request, kind: Kind, path: Path, still: Still
) -> Response:
    """Watch one collection."""
    prefix = collection_ref(kind, path) + "/"

    def wanted(event: Happening) -> bool:
        return event.kind == kind.noun and event.subject.startswith(prefix)

    return await _stream(edge, request, wanted, still)


async def tenant(
    edge: "Edge", request: Request, tenant: str, kinds: frozenset[str], still: Still
) -> Response:
    """Watch everything of a tenant; ``kinds`` empty means all."""

    def wanted(event: Happening) -> bool:
        return event.tenant == tenant and (not kinds or event.kind in kinds)

    return await _stream(edge, request, wanted, still)


async def alerts(edge: "Edge", request: Request, tenant: str, still: Still) -> Response:
    """Watch alerts being raised and cleared, of a tenant or ("") of everybody."""

    def wanted(event: Happening) -> bool:
        return event.kind == "alert" and tenant in ("", event.tenant)

    return await _stream(edge, request, wanted, still)


async def _stream(
    edge: "Edge",
    request: Request,
    wanted: Callable[[Happening], bool],
    still: Still,
) -> Response:
    after = position(request)
    # Checked before the stream begins: an expired cursor is a 410, not a broken stream.
    cursor = await edge.feed.cursor(after)
    events = edge.feed.watch(wanted, cursor)

    async def lines() -> AsyncIterator[bytes]:
        # An id without data: a client that is cut off before the first event knows where to go on.
        yield b": watching\nid: %d\n\n" % cursor
        async for event in events:
            try:
                visible = await still()
            except Problem:
                return
            if event is None:
                yield b": still here\n\n"
            elif (text := edge.told.line(edge.resources.registry, event, visible)) is not None:
                yield text

    return StreamingResponse(lines(), media_type="text/event-stream", headers=_HEADERS)


def position(request: Request) -> int | None:
    """Where to watch from: -1 is the very beginning, None is now."""
    text = request.query_params.get("from", request.headers.get("last-event-id"))
    if text is None:
        return None
    if text != "-1" and (not text.isdecimal() or len(text) > 18):
        raise InvalidRequest(
            f"from={text[:40]!r} is not a position",
            hint="Use the id of the last event you saw.",
            sources=[Source(parameter="from")],
        )
    return int(text)


class Told:
    """The newest events as they are sent: made once, however many watch."""

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._kept: OrderedDict[int, tuple[Resource | None, bytes]] = OrderedDict()

    def line(self, registry: Registry, event: Happening, visible: Visible) -> bytes | None:
        """What one who sees so much is told of an event; None: nothing."""
        kept = self._kept.get(event.position)
        if kept is None:
            kept = self._kept[event.position] = _written(registry, event)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        resource, text = kept
        return text if resource is None or visible(resource) else None


def _written(registry: Registry, event: Happening) -> tuple[Resource | None, bytes]:
    """An event as server-sent event, and the resource that it tells of."""
    data: dict[str, Any] = {
        "position": event.position,
        "kind": event.kind,
        "ref": event.subject,
        "verb": event.verb,
        "version": event.version,
    }
    resource = None
    kind = registry.by_noun.get(event.kind)
    if kind is not None:
        resource = resource_in(msgspec.json.decode(event.body))
        data["resource"] = documents.document(kind, resource, "GET")
    else:
        data["body"] = msgspec.Raw(event.body.encode())
    text = msgspec.json.encode(data)
    return resource, b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.position,
        event.verb.encode(),
        text,
    )


def resource_in(body: dict[str, Any]) -> Resource:
    """The resource that a change's body tells of."""
    return msgspec.convert({**body, "created_by": "", "root_uid": body["uid"]}, Resource)
