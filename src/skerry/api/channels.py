"""Channels on the wire: a websocket into what runs.

Who may, is settled before the upgrade: whoever may not is answered by HTTP, as everywhere. Then
comes the client's first message, a text, JSON of the channel's ``spec``; the answer is
``{"opened": true}``, or ``{"problem": …}`` and the end. From there on binary messages are the
stream: to the workload with a first byte of 0, from it with 1, or with 2 for what a command without
a terminal writes to standard error. Texts are asides: from the client
``{"resize": {"columns", "rows"}}`` and ``{"end": true}`` (no more input), from the server at last
``{"exit": <code>}``. A browser, which can't send an Authorization header, asks for a ticket (POST
``…/tickets``, which also tells in words what it may not) and gives it as the subprotocol
``skerry.ticket.<ticket>`` beside ``skerry.channel.v1``. One that shows a page of another origin is
turned away.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from skerry.api.problems import from_exception, problem_body
from skerry.api.routes import Target
from skerry.identity import tickets
from skerry.identity.authorize import Principal, authorize
from skerry.kernel import changes
from skerry.kernel.channels import Channel, Duplex
from skerry.kernel.errors import Forbidden, InvalidRequest, NotFound, Problem, TooManyRequests
from skerry.kernel.kinds import Spec
from skerry.kernel.paths import can_exist
from skerry.kernel.rows import Resource
from skerry.kernel.views import Asked
from skerry.sites.contract import SiteUnreachable

if TYPE_CHECKING:
    from skerry.api.edge import Edge

PROTOCOL = "skerry.channel.v1"
_TICKET = "skerry.ticket."
MOST = 1000
MOST_OF_ONE = 100
"""Open at a time: in this process, and of one caller."""
PATIENCE = 30.0
"""Seconds for the first message."""
AGAIN = 30.0
"""Seconds between two looks whether the caller still may."""
_OUTPUTS = {"stdout": b"\x01", "stderr": b"\x02"}
_POLICY, _ERROR = 1008, 1011
T = TypeVar("T")
_log = structlog.get_logger("api")


class Size(Spec):
    columns: int
    rows: int


class Aside(Spec):
    """A text message after the first."""

    resize: Size | None = None
    end: bool = False


class Channels:
    """Those that are open in this process."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}

    @contextlib.contextmanager
    def place(self, subject: str) -> Iterator[None]:
        """Raises ``TooManyRequests`` if there is none left."""
        mine = self._open.get(subject, 0)
        if mine >= MOST_OF_ONE or sum(self._open.values()) >= MOST:
            raise TooManyRequests(
                "too many shells and ports are open", hint="Close some, or try again later."
            )
        self._open[subject] = mine + 1
        try:
            yield
        finally:
            self._open[subject] -= 1
            if not self._open[subject]:
                del self._open[subject]


async def serve(edge: "Edge", channels: Channels, socket: WebSocket) -> None:
    """One websocket. Problems before its upgrade are raised."""
    target = edge.routes.find(socket.path_params["path"])
    if target.channel is None or not can_exist(target.kind, target.path):
        raise NotFound("there is no channel here", hint="GET /openapi.json describes every path.")
    _check_origin(edge, socket)
    again = await _caller(edge, socket)
    who = await again()
    resource = await allowed(edge, target, who)
    with channels.place(who.caller.subject):
        offered = socket.scope.get("subprotocols", [])
        await socket.accept(PROTOCOL if PROTOCOL in offered else None)
        began = time.monotonic()
        why = "left"
        try:
            why = await _talk(edge, target, who, resource, socket, again)
        except (WebSocketDisconnect, SiteUnreachable) as error:
            why = type(error).__name__
        finally:
            _log.info(
                "channel", id=uuid.uuid4().hex, path=socket.url.path, why=why,
                s=round(time.monotonic() - began, 1),
            )  # fmt: skip


def _check_origin(edge: "Edge", socket: WebSocket) -> None:
    """A page of somebody else's has no business here, whatever it knows."""
    origin = socket.headers.get("origin")
    ours = {socket.headers.get("host", ""), urlsplit(edge.public_url).netloc} - {""}
    if origin is not None and urlsplit(origin).netloc not in ours:
        raise Forbidden(
            "this was asked for by a page of another origin",
            hint="Open it from this cloud's own console, or with `skerry ssh`.",
        )


async def _caller(edge: "Edge", socket: WebSocket) -> Callable[[], Awaitable[Principal]]:
    """Tells who comes in, as they are whenever it is asked. Raises ``Unauthenticated``."""
    for offered in socket.scope.get("subprotocols", []):
        if offered.startswith(_TICKET):
            ticket = offered.removeprefix(_TICKET)
            token = await tickets.redeem(edge.db, ticket, socket.scope["path"])
            return lambda: edge.authenticator.holder(token)
    authorization = socket.headers.get("authorization", "")
    return lambda: edge.bearer(authorization)


async def allowed(edge: "Edge", target: Target, who: Principal) -> Resource:
    """The resource that a channel leads into. Raises what a request for it would meet."""
    assert target.channel is not None
    verb = f"post.{target.channel.name}"
    authorize(who, verb, edge.about(target.kind, target.path))
    async with edge.db.transaction() as tx:
        return await edge.resource(tx, target, who, verb)


async def _talk(
    edge: "Edge", target: Target, who: Principal, resource: Resource, socket: WebSocket,
    again: Callable[[], Awaitable[Principal]],
) -> str:  # fmt: skip
    """Open what is asked for and carry both ways; why it ended."""
    channel = target.channel
    assert channel is not None
    asked = Asked(edge.db, edge.resources, edge.services, resource, who.caller)
    try:
        wanted = await _first(socket, channel)
        await _record(edge, asked, channel, wanted)
        stream = await channel.open(asked, wanted)
    except (Problem, OSError) as error:
        problem = from_exception(error, uuid.uuid4().hex)
        await _say(socket, {"problem": problem_body(problem, socket.url.path)})
        await socket.close(_ERROR)
        return problem.slug
    try:
        await _say(socket, {"opened": True})
        return await _carry(socket, stream, _still(edge, target, again))
    finally:
        await stream.close()


async def _first(socket: WebSocket, channel: Channel) -> Any:
    try:
        async with asyncio.timeout(PATIENCE):
            return msgspec.json.decode(await socket.receive_text(), type=channel.spec)
    except TimeoutError:
        raise InvalidRequest("the first message did not come") from None
    except (msgspec.MsgspecError, KeyError) as error:
        raise InvalidRequest(f"the first message can't be read: {error}") from None


async def _record(edge: "Edge", asked: Asked, channel: Channel, wanted: Any) -> None:
    """Whoever goes in is written down before the door opens."""
    resource = asked.resource
    async with edge.db.transaction() as tx:
        told = {"action": channel.name, "ref": resource.ref, "body": dict(channel.told(wanted))}
        await changes.record(
            tx,
            kind="action",
            subject=resource.ref,
            verb=channel.name,
            tenant=resource.tenant,
            workspace=resource.workspace,
            actor=asked.by.subject,
            body=told,
        )
        tx.after_commit(edge.resources.changed)


async def _carry(socket: WebSocket, stream: Duplex, still: Coroutine[Any, Any, None]) -> str:
    """Both ways at once, until the workload's side ends, the client leaves, or may no longer."""
    async with (
        _running(_outward(socket, stream)) as out,
        _running(_inward(socket, stream)) as into,
        _running(still) as over,
    ):
        await asyncio.wait((out, into, over), return_when=asyncio.FIRST_COMPLETED)
        if over.done():
            await socket.close(_POLICY, "you may no longer")
            return "forbidden"
        if into.done() and not out.done():
            return "left"
        await _say(socket, {"exit": await out})
        await socket.close()
        return "ended"


@contextlib.asynccontextmanager
async def _running(work: Coroutine[Any, Any, T]) -> AsyncIterator["asyncio.Task[T]"]:
    """The work as a task that does not outlive the block."""
    task = asyncio.get_running_loop().create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _outward(socket: WebSocket, stream: Duplex) -> int:
    while (taken := await stream.take())[1]:
        await socket.send_bytes(_OUTPUTS[taken[0]] + taken[1])
    return await stream.wait()


async def _inward(socket: WebSocket, stream: Duplex) -> None:
    """Ends when the client is gone."""
    async for message in _messages(socket):
        try:
            if isinstance(message, bytes):
                await stream.write(message[1:])
            elif message.resize is not None:
                size = message.resize
                await stream.resize(min(size.columns, 1000), min(size.rows, 1000))
            elif message.end:
                await stream.close_write()
        except ConnectionError:
            continue  # it takes no more input; its output tells the rest


async def _messages(socket: WebSocket) -> AsyncIterator[bytes | Aside]:
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        if data := message.get("bytes"):
            yield data
        elif text := message.get("text"):
            try:
                yield msgspec.json.decode(text, type=Aside)
            except msgspec.MsgspecError:
                return


async def _still(edge: "Edge", target: Target, again: Callable[[], Awaitable[Principal]]) -> None:
    """Ends when the caller's right has."""
    while True:
        await asyncio.sleep(AGAIN)
        try:
            await allowed(edge, target, await again())
        except Problem:
            return


async def _say(socket: WebSocket, message: dict[str, Any]) -> None:
    await socket.send_text(msgspec.json.encode(message).decode())
