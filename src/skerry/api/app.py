"""The ASGI application: the edge's routes, and what wraps every response.

Each response carries a request id, errors become problem documents in one place, and one log line
tells what was asked (never the token, never a body).
"""

import time
import uuid
from collections.abc import Awaitable, Callable

import msgspec
import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from skerry.api import catalogue, channels, entering, openapi, problems, rooms
from skerry.api.blobs import blob
from skerry.api.edge import Edge
from skerry.api.exposition import Own
from skerry.api.problems import MethodNotAllowed
from skerry.api.prometheus import exporter
from skerry.api.proofs import checkpoint, events, key, tile
from skerry.api.sessions import close_session, open_session, whoami
from skerry.kernel.errors import NotFound

METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]
_log = structlog.get_logger("api")

Handler = Callable[[Edge, Request], Awaitable[Response]]


class Settled:
    """Wraps the application: request id, problems, security headers, the access log."""

    def __init__(self, app: ASGIApp, profile: str, own: Own) -> None:
        self._app = app
        self._profile = profile
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        began = time.perf_counter()
        started = 0

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = message["status"]
                self._own.answered(scope["method"], started, began)
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers["x-content-type-options"] = "nosniff"
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            problem = problems.from_exception(error, request_id)
            if started:
                # The response is under way: cutting it is the only honest end.
                raise
            response = problems.to_response(
                problem, profile=self._profile, path=scope["path"], request_id=request_id
            )
            await response(scope, receive, sending)
        finally:
            _log.info(
                "request",
                id=request_id,
                method=scope["method"],
                path=scope["path"],
                status=started,
                ms=round((time.perf_counter() - began) * 1000, 1),
            )

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Until it is accepted, a websocket is a request that is refused as any other."""
        accepted = False

        async def sending(message: Message) -> None:
            nonlocal accepted
            accepted = accepted or message["type"] == "websocket.accept"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if accepted:
                raise
            request_id = uuid.uuid4().hex
            problem = problems.from_exception(error, request_id)
            response = problems.to_response(
                problem, profile=self._profile, path=scope["path"], request_id=request_id
            )
            await WebSocket(scope, receive, send).send_denial_response(response)


def build(edge: Edge, *, profile: str = "spec", ready: Callable[[], Awaitable[None]]) -> ASGIApp:
    """The application. ``profile`` is a key of ``problems.PROFILES``."""

    def fixed(path: str, **handlers: Handler) -> Route:
        """A route that no kind declares, by method; what reads also answers HEAD."""
        if "GET" in handlers:
            handlers.setdefault("HEAD", handlers["GET"])

        async def call(request: Request) -> Response:
            handler = handlers.get(request.method)
            if handler is None:
                raise MethodNotAllowed(request.method, tuple(handlers))
            return await handler(edge, request)

        return Route(path, call, methods=METHODS)

    own = Own()
    document = msgspec.json.encode(openapi.document(edge.resources.registry))
    kinds = catalogue.render(edge.resources.registry)

    async def served_openapi(edge: Edge, request: Request) -> Response:
        return Response(document, media_type="application/json")

    async def served_catalogue(edge: Edge, request: Request) -> Response:
        return Response(kinds, media_type="application/json")

    async def healthz(edge: Edge, request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(edge: Edge, request: Request) -> Response:
        await ready()
        return PlainTextResponse("ready\n")

    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        raise NotFound(
            f"there is nothing at {scope['path'][:200]}",
            hint="GET /openapi.json describes every path.",
        )

    open_ones = channels.Channels()

    async def channel(socket: WebSocket) -> None:
        await channels.serve(edge, open_ones, socket)

    async def root(edge: Edge, request: Request) -> Response:
        return RedirectResponse("/openapi.json", 307)

    proof = "/providers/skerry.proof/v1"
    identity = "/providers/skerry.identity/v1"
    blobs = "/providers/skerry.run/v1/tenants/{tenant}/workspaces/{workspace}/blobs/{digest}"
    app = Router(
        redirect_slashes=False,
        routes=[
            fixed("/", GET=root),
            fixed("/healthz", GET=healthz),
            fixed("/readyz", GET=readyz),
            fixed("/openapi.json", GET=served_openapi),
            fixed("/catalogue.json", GET=served_catalogue),
            fixed("/.wellknown/secapi", GET=wellknown),
            fixed("/enter", GET=entering.form, POST=entering.enter),
            fixed("/gateway/ca.pem", GET=entering.authority_certificate),
            fixed(f"{proof}/checkpoint", GET=checkpoint),
            fixed(f"{proof}/key", GET=key),
            fixed(f"{proof}/tile/{{path:path}}", GET=tile),
            fixed(f"{proof}/tenants/{{tenant}}/events", GET=events),
            fixed(f"{identity}/sessions", POST=open_session, DELETE=close_session),
            fixed(f"{identity}/whoami", GET=whoami),
            fixed("/metrics", GET=exporter(own)),
            *(fixed(path, GET=handler) for path, handler in rooms.PATHS.items()),
            fixed(blobs, GET=blob, PUT=blob),
            Route("/providers/{path:path}", edge.provider, methods=METHODS),
            WebSocketRoute("/providers/{path:path}", channel),
        ],
        default=nothing,
    )
    return Settled(app, profile, own)


async def wellknown(edge: Edge, request: Request) -> Response:
    """SECA's well-known document: where the global providers are."""
    base = str(request.base_url).rstrip("/")
    names = {k.provider: k.version for k in edge.resources.registry.kinds if not k.regional}
    endpoints = [
        {"provider": f"{provider}/{version}", "url": f"{base}/providers/{provider}"}
        for provider, version in sorted(names.items())
        if provider in ("seca.region", "seca.authorization")
    ]
    return Response(
        msgspec.json.encode({"version": "v1", "endpoints": endpoints}),
        media_type="application/json",
    )
