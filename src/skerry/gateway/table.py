"""The routes of a gateway, as requests look them up.

A ``Table`` is replaced in one assignment and never changed, so a request sees the routes as they
were at one moment, and looking one up takes no lock.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Backend:
    """A port of a task, as ``sites.dial`` is asked for it."""

    at: str
    workload: str
    rank: int
    port: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What one route may take."""

    body: int = 1024 * MIB
    """The most bytes of one request's body; larger ones get 413."""
    concurrent: int = 1000
    """The most requests at a time, waiting ones included; more get 503."""
    timeout: float = 300.0
    """Seconds from the request's end to the first byte of the answer; longer gets 504."""


@dataclass(frozen=True, slots=True)
class Route:
    """What the gateway knows of a route."""

    uid: uuid.UUID
    ref: str
    tenant: str
    version: int
    """The resource's version: grows with every change."""
    backends: tuple[Backend, ...] = ()
    login: bool = False
    """Only people who may read what the route leads to get in."""
    limits: Limits = Limits()
    tcp_port: int = 0
    """The port for a route that is not HTTP, which has no hosts; else 0."""
    hosts: tuple[str, ...] = ()
    """Lower case, without a port."""
    workspace: str = ""
    owner: uuid.UUID | None = None
    """Who is told ``wake`` and ``idle``."""
    idle: int = 0
    """Seconds without a request after which the owner is told; 0: never."""
    wake_by_page: bool = False
    """Whether only a page that somebody opens wakes the owner."""
    key: bytes = field(default=b"", repr=False)
    """What backends are shown as ``X-Skerry-Key``; empty: nothing."""


def host_of(header: str) -> str:
    """The name in a Host header, in lower case, without port and final dot."""
    name = header.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0].rstrip(".")


class Table:
    """Finds routes. One writer, in the loop that reads."""

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._by_host: Mapping[str, Route] = {}
        self._by_port: Mapping[int, Route] = {}
        self._by_uid: Mapping[uuid.UUID, Route] = {}
        self._watchers: list[Callable[[], None]] = []
        self.replace(routes)

    def find(self, host: str) -> Route | None:
        """The route of a Host header."""
        found = self._by_host.get(host)
        return found if found is not None else self._by_host.get(host_of(host))

    def tcp(self) -> Mapping[int, Route]:
        """The routes that are not HTTP, by port: the ports to listen on."""
        return self._by_port

    def get(self, uid: uuid.UUID) -> Route | None:
        """The route as it is now; None when it is gone."""
        return self._by_uid.get(uid)

    def all(self) -> Iterable[Route]:
        return self._by_uid.values()

    def replace(self, routes: Iterable[Route]) -> None:
        """Let these be all routes, from the next look-up on. The older of two routes of one host
        keeps it; the kind lets none be made."""
        by_uid = {route.uid: route for route in routes}
        by_host: dict[str, Route] = {}
        by_port: dict[int, Route] = {}
        for route in by_uid.values():
            for host in route.hosts:
                by_host.setdefault(host, route)
            if route.tcp_port:
                by_port.setdefault(route.tcp_port, route)
        self._by_uid, self._by_host, self._by_port = by_uid, by_host, by_port
        for call in self._watchers:
            call()

    def put(self, route: Route) -> None:
        """Let one route be as it is here now."""
        self.replace([*(r for r in self._by_uid.values() if r.uid != route.uid), route])

    def drop(self, uid: uuid.UUID) -> None:
        """Let one route be gone."""
        if uid in self._by_uid:
            self.replace(r for r in self._by_uid.values() if r.uid != uid)

    def watch(self, call: Callable[[], None]) -> None:
        """Call after every change, in the loop that changes it; must be cheap and never raise."""
        self._watchers.append(call)
