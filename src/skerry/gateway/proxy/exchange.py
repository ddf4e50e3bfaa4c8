"""One request and its answer: from a head that was understood to the last byte, either way.

    client ──body()──▶ exchange ──write()──▶ upstream
    client ◀──data()── exchange ◀─answer_data()─ upstream

Which backend it is, ``search`` finds. Nothing is buffered but what is on its way: when one side
does not keep up, the other is held.

**Twice or not at all.** A request is offered to another backend only when no byte of an answer has
come back and either none of it was sent or its method is idempotent (RFC 9110 §9.2.2) and it is
still held whole. Backends close connections that wait, and may do so as a request is on its way;
so a request that must not be sent twice takes only a connection that was used a moment ago and has
not been closed by what the kernel knows, else a new one.
"""

import asyncio
from typing import TYPE_CHECKING

from skerry.gateway.proxy.body import chunk, last_chunk
from skerry.gateway.proxy.client import Client
from skerry.gateway.proxy.errors import answer
from skerry.gateway.proxy.forward import complete, has_body, request_head
from skerry.gateway.proxy.head import CHUNKED, Field, Request, Response, trailers_of
from skerry.gateway.proxy.search import FOREVER, Search
from skerry.gateway.proxy.upstream import Upstream
from skerry.gateway.seams import Answer, Entry

if TYPE_CHECKING:
    from skerry.gateway.proxy.proxy import Proxy

_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))


class Exchange(Search):
    __slots__ = (
        "_began", "_origin", "_received", "_sent", "_sized", "_status", "_unsent", "answering",
    )  # fmt: skip

    def __init__(self, proxy: "Proxy", client: Client, request: Request, origin: bytes) -> None:
        super().__init__(proxy, client, request, replay=request.method in _IDEMPOTENT)
        self._origin = origin
        self._unsent: list[bytes] = []
        """What is to be sent when there is a backend, and again if it must be another one."""
        self._sized = 0
        self._began = proxy.time()
        self.answering = False
        """An answer has begun to go out."""
        self._status = self._received = self._sent = 0

    # From here to a backend

    def _fail(self) -> None:
        if self.answering:
            self._cut()
        else:
            self.refuse(500, "The gateway failed on this request.")

    def _send(self, upstream: Upstream) -> None:
        self._upstream = upstream
        head = self._opening()
        unsent = self._unsent
        upstream.begin(self, b"".join((head, *unsent)) if unsent else head)
        if not self._replay and unsent:
            self._unsent = []
        if self._complete or self.request.upgrade:
            self._await_answer()

    def _opening(self) -> bytes:
        request, route = self.request, self._route
        assert route is not None
        headers = request.headers
        if route.login:
            headers = self._proxy.gate.strip(route, headers)
        return request_head(request, headers, self._origin)

    def _await_answer(self) -> None:
        if not self.answering and self._route is not None:
            self.deadline = self._proxy.time() + self._route.limits.timeout

    # From the client

    def body(self, data: bytes) -> None:
        """A piece of the request's body; never empty."""
        self._received += len(data)
        if self._over:
            return
        if self.request.length == CHUNKED:
            if self._route is not None and self._received > self._route.limits.body:
                limit = self._route.limits.body
                self.refuse(413, f"The request's body may have at most {limit} bytes.")
                return
            data = chunk(data)
        self._onwards(data)

    def raw(self, data: bytes) -> None:
        """Bytes of another protocol than HTTP."""
        self._received += len(data)
        self._stir()
        self._onwards(data)

    def body_end(self, trailers: list[Field]) -> None:
        """The request is complete."""
        if self._over:
            return
        self._complete = True
        if self.request.length == CHUNKED:
            self._onwards(last_chunk(trailers_of(trailers)))
        if self._upstream is not None:
            self._await_answer()

    def raw_end(self) -> None:
        """The client says nothing more, but may still listen."""
        self._complete = True
        if self._upstream is not None:
            self._upstream.finish()

    def _onwards(self, data: bytes) -> None:
        if self._upstream is not None:
            self._upstream.write(data)
            if not self._replay or self.answering:
                return
        self._unsent.append(data)
        self._sized += len(data)
        if self._replay and self._sized > self._proxy.settings.replayed:
            self._replay = False
            if self._upstream is not None:
                self._unsent = []

    def client_full(self) -> None:
        if self._upstream is not None:
            self._upstream.hold()

    def client_drained(self) -> None:
        self._stir()
        if self._upstream is not None:
            self._upstream.release()

    def gone(self) -> None:
        """The client is not there any more."""
        if not self._over:
            self._finish(clean=False)

    # From the backend

    def upstream_full(self) -> None:
        if not self._over and not self._complete:
            self._client.hold()

    def upstream_drained(self) -> None:
        if not self._over and not self._complete and self._task is None:
            self._client.release()

    def interim(self, response: Response) -> None:
        if self.request.version != 10:
            self._client.interim(response)

    def answered(self, response: Response, first: bytes) -> None:
        """The answer's head has come, and perhaps the beginning of its body."""
        request = self.request
        self.answering = True
        self._unsent = []
        self._status = response.status
        self._sent = len(first)
        self.deadline = self._proxy.time() + self._proxy.settings.quiet
        complete(request, response)
        self._client.head(response, first, body=has_body(request, response))

    def changed(self, response: Response) -> None:
        """The backend speaks another protocol from now on."""
        self.answering = True
        self._status = response.status
        self._stir()
        complete(self.request, response)
        self._client.changed(response)

    def answer_data(self, data: bytes) -> None:
        self._sent += len(data)
        self._stir()
        self._client.data(data)

    def answer_end(self, trailers: list[Field]) -> None:
        client = self._client
        if self._finish(clean=self._complete):
            client.end(trailers_of(trailers) if trailers else trailers)

    def upstream_lost(self, upstream: Upstream) -> None:
        """The backend has closed the connection before its answer was whole."""
        if self.answering:
            self._cut()
        elif self._replay and not upstream.answered:
            if not upstream.reused:
                self._proxy.pool.shun(upstream.backend, self._proxy.time())
            self._elsewhere()
        else:
            self.refuse(502, "The backend closed the connection before it answered.")

    def upstream_broke(self, detail: str) -> None:
        """What the backend says is not HTTP."""
        if self.answering:
            self._cut()
        else:
            self._proxy.log.warning("a backend's answer is malformed", detail=detail)
            self.refuse(502, f"The backend's answer is malformed: {detail}")

    # Ends

    def late(self) -> None:
        """The deadline has passed."""
        if self.answering:
            self._cut()
        else:
            self.refuse(504, "The backend took too long to answer.")

    def refuse(self, status: int, detail: str) -> None:
        """End it with an error of our own; if an answer has begun, break that off."""
        if self._over:
            return
        if self.answering:
            self._cut()
            return
        request = self.request
        accept = request.get(b"accept")
        self._own(answer(status, detail, accept=accept, request_id=request.id))

    def _own(self, given: Answer) -> None:
        request = self.request
        response = Response(given.status, list(given.headers), len(given.body))
        body = has_body(request, response)
        complete(request, response)
        self._status = given.status
        self._sent = len(given.body) if body else 0
        self.answering = True
        client = self._client
        if self._finish(clean=False):
            client.head(response, given.body if body else b"", body=body)
            client.end([])

    def _cut(self) -> None:
        client = self._client
        if self._finish(clean=False):
            client.cut()

    def _finish(self, *, clean: bool) -> bool:
        """Be over: give back what is held and tell the gate. False if it was over before."""
        if self._over:
            return False
        self._over = True
        self.deadline = FOREVER
        proxy, route, backend = self._proxy, self._route, self._backend
        now = proxy.time()
        workload = ""
        if self._upstream is not None:
            self._upstream.part(clean=clean, now=now)
            self._upstream = None
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        if backend is not None:
            proxy.pool.leave(backend)
            workload = backend.workload
        if route is not None:
            if self._started:
                proxy.dismiss(route)
            request = self.request
            seconds = now - self._began
            method, path, client = request.method, request.target, request.client
            received, sent = self._received, self._sent
            proxy.gate.entry(
                Entry(route, client, method, path, self._status, received, sent, seconds, workload)
            )
        return True

    def _stir(self) -> None:
        self.deadline = self._proxy.time() + self._proxy.settings.quiet
