"""How long the proxy waits, and how much it holds. Times in seconds, sizes in bytes."""

from dataclasses import dataclass

KIB = 1 << 10


@dataclass(frozen=True, slots=True)
class Settings:
    """The same for all routes; what differs by route is in ``table.Limits``."""

    head: float = 10.0
    """A request's head, from its first byte or the connection's start, to its last."""
    keep_alive: float = 75.0
    """A client's connection without a request."""
    upload: float = 30.0
    """Between two pieces of a request's body that we are ready to take."""
    stalled: float = 120.0
    """A client that takes nothing of an answer that is ready."""
    quiet: float = 3600.0
    """An answer under way, or an upgraded connection, on which nothing moves either way."""
    linger: float = 2.0
    """What is still read and thrown away of a request answered early, so that the client sees the
    answer and not a reset."""
    connect: float = 5.0
    """One attempt to reach a backend."""
    idle: float = 4.0
    """A backend's connection without a request. Common servers close theirs after 5 s; whoever
    closes first wins the race between that and our next request."""
    fresh: float = 1.0
    """The same for a request that must not be sent twice."""
    shunned: float = 1.0
    """A backend that could not be reached is asked last for so long."""
    again: float = 5.0
    """Between two attempts at a TCP port that could not be listened on."""
    tick: float = 0.5
    """How often deadlines are looked at: each is late by so much at most."""
    head_size: int = 32 * KIB
    fields: int = 100
    target_size: int = 8 * KIB
    pipelined: int = 64 * KIB
    """Read ahead of the request that is being answered."""
    replayed: int = 64 * KIB
    """Kept of a request, to send it to another backend."""
    idle_connections: int = 64
    """Kept per backend."""
    tries: int = 3
    """Backends that one request is offered to."""
    connections: int = 20_000
    """Of clients, at a time; beyond them a new one is closed at once."""
    streams: int = 100
    """Requests at a time on one HTTP/2 connection."""
    resets: int = 200
    """Requests that one HTTP/2 connection may take back within ``reset_window``."""
    reset_window: float = 30.0
