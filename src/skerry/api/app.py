"""The ASGI application: the edge's routes, and what wraps every response.

Each response carries a request id, errors become problem documents in one place, and one log line
tells what was asked (never the token, never a body).
"""

import time
from collections.abc import Awaitable, Callable
from os import urandom
from pathlib import Path

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from skerry.api import (
    catalogue,
    channels,
    console,
    entering,
    offering,
    openapi,
    problems,
    requests,
    rooms,
    sending,
    signing_in,
)
from skerry.api.blobs import blob
from skerry.api.edge import Edge
from skerry.api.exposition import Own
from skerry.api.problems import MethodNotAllowed
from skerry.api.prometheus import exporter
from skerry.api.proofs import (
    add_checkpoint,
    checkpoint,
    event,
    events,
    key,
    package,
    tile,
    witness_key,
)
from skerry.api.sessions import (
    begin_factor,
    close_other,
    close_session,
    drop_factor,
    list_sessions,
    open_session,
    ticket,
    whoami,
)
from skerry.kernel import changes
from skerry.kernel.errors import NotFound

METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]
ROUTE = "skerry.route"
"""Where a request's scope keeps its path's template, for the access log."""
_PROVIDERS = "/providers/"
_NOT_STORED = (b"cache-control", b"no-store")
_NOT_GUESSED = (b"x-content-type-options", b"nosniff")
_log = structlog.get_logger("api")

Handler = Callable[[Edge, Request], Awaitable[Response]]


class Settled:
    """Wraps the application: request id, problems, security headers, the access log."""

    def __init__(self, app: ASGIApp, profile: str, own: Own) -> None:
        self._app = app
        self._profile = profile
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = urandom(16).hex()
        began = time.perf_counter()
        bound = requests.CURRENT.set(request_id)
        coming = changes.FROM.set(scope["client"][0] if scope.get("client") else "")
        started = 0

        async def sending(message: Message) -> None:
            nonlocal started
            kind = message["type"]
            if kind == "http.response.start":
                started = message["status"]
                self._own.answered(scope["method"], started, began)
                headers = list(message["headers"])
                message["headers"] = headers
                for name, _ in headers:
                    if name == b"cache-control":
                        break
                else:
                    headers.append(_NOT_STORED)
                headers += ((b"x-request-id", request_id.encode()), _NOT_GUESSED)
            elif kind == "websocket.accept":
                started = 101
            elif kind == "websocket.http.response.start":
                started = message["status"]
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
            if scope["type"] == "websocket":
                # Until it is accepted, a websocket is a request that is refused as any other.
                await WebSocket(scope, receive, sending).send_denial_response(response)
            else:
                await response(scope, receive, sending)
        finally:
            _log.info(
                "request",
                method=scope.get("method", "GET"),
                route=scope.get(ROUTE, ""),
                path=scope["path"][:500],
                status=started,
                ms=round((time.perf_counter() - began) * 1000, 1),
            )
            requests.CURRENT.reset(bound)
            changes.FROM.reset(coming)


def build(
    edge: Edge,
    *,
    profile: str = "spec",
    ready: Callable[[], Awaitable[None]],
    static: Path = console.STATIC,
) -> ASGIApp:
    """The application. ``profile`` is a key of ``problems.PROFILES``, ``static`` has a console."""
    own = Own()
    routes = _routes(edge, own, ready, console.Console(static))
    router = Router(redirect_slashes=False, routes=routes, default=_nothing)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # What kinds declare is found by two look-ups, before any fixed path is compared.
        path = scope["path"]
        if scope["type"] == "http" and path.startswith(_PROVIDERS):
            target = edge.routes.known(path.removeprefix(_PROVIDERS))
            if target is not None:
                scope[ROUTE] = target.route
                response = await edge.answer(Request(scope, receive, send), target)
                await response(scope, receive, send)
                return
        await router(scope, receive, send)

    return Settled(app, profile, own)


def _routes(
    edge: Edge, own: Own, ready: Callable[[], Awaitable[None]], pages: console.Console
) -> list[BaseRoute]:
    """What no kind declares."""
    registry = edge.resources.registry
    open_ones = channels.Channels()

    async def readyz(edge: Edge, request: Request) -> Response:
        await ready()
        return PlainTextResponse("ready\n")

    async def channel(socket: WebSocket) -> None:
        await channels.serve(edge, open_ones, socket)

    proof = "/providers/skerry.proof/v1"
    identity = "/providers/skerry.identity/v1"
    blobs = "/providers/skerry.run/v1/tenants/{tenant}/workspaces/{workspace}/blobs/{digest}"
    handlers: dict[str, dict[str, Handler]] = {
        "/": {"GET": _root},
        **console.routes(pages),
        "/healthz": {"GET": _healthz},
        "/readyz": {"GET": readyz},
        "/openapi.json": {"GET": _said(msgspec.json.encode(openapi.document(registry)))},
        "/catalogue.json": {"GET": _said(catalogue.render(registry))},
        "/.wellknown/secapi": {"GET": wellknown},
        "/enter": {"GET": entering.form, "POST": entering.enter},
        offering.BEGIN: {"GET": signing_in.begin},
        signing_in.DONE: {"GET": signing_in.done},
        signing_in.JOIN: {"GET": signing_in.join_form, "POST": signing_in.join},
        "/gateway/ca.pem": {"GET": entering.authority_certificate},
        f"{proof}/checkpoint": {"GET": checkpoint},
        f"{proof}/key": {"GET": key},
        f"{proof}/witness-key": {"GET": witness_key},
        f"{proof}/add-checkpoint": {"POST": add_checkpoint},
        f"{proof}/tile/{{path:path}}": {"GET": tile},
        f"{proof}/tenants/{{tenant}}/events": {"GET": events},
        f"{proof}/tenants/{{tenant}}/events/{{position}}": {"GET": event},
        f"{proof}/tenants/{{tenant}}/audit": {"GET": package},
        f"{identity}/sessions": {
            "GET": list_sessions,
            "POST": open_session,
            "DELETE": close_session,
        },
        f"{identity}/sessions/{{session}}": {"DELETE": close_other},
        f"{identity}/tickets": {"POST": ticket},
        f"{identity}/whoami": {"GET": whoami},
        f"{identity}/sign-in": {"GET": signing_in.ways},
        f"{identity}/second-factors": {"POST": begin_factor, "DELETE": drop_factor},
        f"{identity}/token": {"POST": signing_in.exchange},
        f"{identity}/joins": {"POST": signing_in.follow},
        f"{identity}/resets": {"POST": signing_in.forgot},
        "/metrics": {"GET": exporter(own)},
        **{path: {"GET": handler} for path, handler in rooms.PATHS.items()},
        blobs: {"GET": blob, "PUT": blob},
    }
    return [
        *(_fixed(edge, path, by_method) for path, by_method in handlers.items()),
        WebSocketRoute("/providers/{path:path}", channel),
    ]


def _fixed(edge: Edge, path: str, by_method: dict[str, Handler]) -> Route:
    """A route that no kind declares; what reads also answers HEAD."""
    handlers = dict(by_method)
    if "GET" in handlers:
        handlers.setdefault("HEAD", handlers["GET"])

    async def call(request: Request) -> Response:
        handler = handlers.get(request.method)
        request.scope[ROUTE] = path
        if handler is None:
            raise MethodNotAllowed(request.method, tuple(handlers))
        return await handler(edge, request)

    return Route(path, call, methods=METHODS)


def _said(document: bytes) -> Handler:
    kept = sending.as_sent("said.json", document, {})

    async def answer(edge: Edge, request: Request) -> Response:
        return sending.answer(kept, request)

    return answer


async def _root(edge: Edge, request: Request) -> Response:
    """People go to the console, programs to the description."""
    there = console.HOME if console.wanted(request) else "/openapi.json"
    return RedirectResponse(there, 307, headers={"vary": "accept"})


async def _healthz(edge: Edge, request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    raise NotFound(
        f"there is nothing at {scope['path'][:200]}",
        hint="GET /openapi.json describes every path.",
    )


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
