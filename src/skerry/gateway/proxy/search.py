"""Where one request goes: through the gate, to a backend of its route, or to another one.

A route without backends is waited for; a backend that can't be reached is left alone for a moment,
and the next one is asked. What takes time is done in one task at a time, and ends with the request.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from skerry.gateway.proxy.client import Client
from skerry.gateway.proxy.errors import new_id
from skerry.gateway.proxy.head import Request
from skerry.gateway.proxy.upstream import Upstream
from skerry.gateway.seams import Answer
from skerry.gateway.table import Backend, Route
from skerry.sites.contract import Refused, SiteUnreachable

if TYPE_CHECKING:
    from skerry.gateway.proxy.proxy import Proxy

FOREVER = float("inf")


class Search:
    """The part of an exchange before there is a backend. What it comes to is the exchange's."""

    __slots__ = (
        "_backend", "_client", "_complete", "_over", "_proxy", "_replay", "_route", "_started",
        "_task", "_tried", "_upstream", "deadline", "request",
    )  # fmt: skip

    def __init__(self, proxy: "Proxy", client: Client, request: Request, *, replay: bool) -> None:
        self.request = request
        self.deadline = FOREVER
        """When ``late`` is to be called."""
        self._proxy = proxy
        self._client = client
        self._replay = replay
        """It may be sent to another backend though this one has seen of it."""
        self._complete = request.length == 0 and not request.upgrade
        """The client has said all it has to say."""
        self._route: Route | None = None
        self._backend: Backend | None = None
        self._upstream: Upstream | None = None
        self._task: asyncio.Task[None] | None = None
        self._tried: list[Backend] = []
        self._started = False
        """The route counts it."""
        self._over = False

    # What becomes of it

    def refuse(self, status: int, detail: str) -> None:
        """End it with an error of our own."""
        raise NotImplementedError

    def _own(self, given: Answer) -> None:
        """End it with an answer of the gate's."""
        raise NotImplementedError

    def _send(self, upstream: Upstream) -> None:
        """There is a backend."""
        raise NotImplementedError

    def _fail(self) -> None:
        """Something that nobody foresaw happened to it."""
        raise NotImplementedError

    # How it gets there

    def start(self) -> None:
        """Look up where it goes, and send it there."""
        request, proxy = self.request, self._proxy
        if not request.id:
            request.id = new_id()
        route = proxy.table.find(request.host)
        if route is None:
            self.refuse(404, "Nothing is served under this name.")
            return
        self._route = route
        limits = route.limits
        if request.length > limits.body:
            self.refuse(413, f"The request's body may have at most {limits.body} bytes.")
            return
        if not proxy.admit(route):
            self.refuse(503, "Too many requests at a time.")
            return
        self._started = True
        verdict = proxy.gate.check(route, request)
        if verdict is None:
            self._seek()
        elif isinstance(verdict, Answer):
            self._own(verdict)
        else:
            self._later(self._checked, verdict)

    async def _checked(self, verdict: Awaitable[Answer | None]) -> None:
        found = await verdict
        if found is None:
            self._seek()
        else:
            self._own(found)

    def _seek(self) -> None:
        """Choose a backend of the route as it is now."""
        assert self._route is not None
        route = self._proxy.table.get(self._route.uid)
        if route is None:
            self.refuse(404, "What was served under this name is gone.")
            return
        self._route = route
        if not route.backends:
            self._later(self._wait, route)
            return
        proxy = self._proxy
        now = proxy.time()
        backend = proxy.pool.choose(route.backends, self._tried, now)
        self._backend = backend
        proxy.pool.enter(backend)
        upstream = None
        if not self._tried:
            upstream = proxy.pool.take(backend, now, once=not self._replay)
        if upstream is not None:
            self._send(upstream)
        else:
            self._later(self._reach, backend)

    async def _wait(self, route: Route) -> None:
        found = await self._proxy.gate.wait(route, self._shown())
        if isinstance(found, Answer):
            self._own(found)
        elif found.backends:
            self._seek()
        else:
            self.refuse(503, "Nothing answers under this name at the moment.")

    def _shown(self) -> Request | None:
        """What the gate may see of it."""
        return self.request

    async def _reach(self, backend: Backend) -> None:
        try:
            upstream = await self._proxy.reach(backend)
        except (OSError, Refused, SiteUnreachable):
            self._proxy.pool.shun(backend, self._proxy.time())
            self._elsewhere()
        else:
            self._send(upstream)

    def _elsewhere(self) -> None:
        """The backend was not reached, or left us before it answered."""
        self._let_go()
        if len(self._tried) >= self._proxy.settings.tries:
            self.refuse(502, "What is served under this name does not answer.")
        else:
            self._seek()

    def _let_go(self) -> None:
        """Have no backend any more, and remember which it was."""
        if self._backend is not None:
            self._tried.append(self._backend)
            self._proxy.pool.leave(self._backend)
            self._backend = None
        if self._upstream is not None:
            self._upstream.close()
            self._upstream = None

    def _later(self, work: Callable[[Any], Awaitable[None]], about: object) -> None:
        if self._task is None and not self._complete:
            self._client.hold()
        self.deadline = FOREVER
        self._task = self._proxy.spawn(self._guarded(work, about))

    async def _guarded(self, work: Callable[[Any], Awaitable[None]], about: object) -> None:
        """Run one piece of work that takes time. What nobody foresaw is this request's end only."""
        mine = asyncio.current_task()
        try:
            await work(about)
        except Exception:
            self._proxy.log.exception("a request failed", id=self.request.id)
            if not self._over:
                self._fail()
        if self._task is mine:
            self._task = None
            if not self._over and not self._complete:
                self._client.release()
