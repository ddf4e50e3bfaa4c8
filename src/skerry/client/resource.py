"""What the API answers, as light Python values.

A ``Resource`` is the API's own document, a dict with the field names of the API; the properties
only save brackets. It can be printed as JSON, changed and put back.
"""

import base64
from typing import Any, NamedTuple


class Resource(dict[str, Any]):
    """One resource's document: metadata, labels, annotations, extensions, spec, status."""

    created = False
    """Whether the PUT that gave this document made the resource (201) or replaced it (200)."""

    @property
    def metadata(self) -> dict[str, Any]:
        return dict(self.get("metadata") or {})

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    @property
    def ref(self) -> str:
        """The URN, such as ``skerry.run/v1/tenants/t/workspaces/w/jobs/j``."""
        return str(self.metadata.get("ref", ""))

    @property
    def version(self) -> int:
        """The resource version, to be given as ``if_version``."""
        return int(self.metadata.get("resourceVersion", 0))

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.get("labels") or {})

    @property
    def spec(self) -> dict[str, Any]:
        """What is wanted. A copy: change it and put it back."""
        return dict(self.get("spec") or {})

    @property
    def status(self) -> dict[str, Any]:
        """What is observed."""
        return dict(self.get("status") or {})

    @property
    def state(self) -> str:
        """SECA's state: pending, creating, active, updating, deleting, error."""
        return str(self.status.get("state", ""))

    @property
    def phase(self) -> str:
        """The kind's own life, such as queued or running; empty for kinds without one."""
        return str(self.status.get("phase", ""))


class Event(NamedTuple):
    """One change, as a watch tells it."""

    position: int
    """Its place in the feed; give it as ``start`` to go on after it."""
    kind: str
    """The noun."""
    ref: str
    verb: str
    """``put``, ``status``, ``delete`` (asked), ``deleted`` (gone), or an action's name."""
    resource: Resource
    """The whole document after the change."""


class LogChunk(NamedTuple):
    """A piece of a task's output, exactly as written."""

    rank: int
    offset: int
    """Of its first byte in the rank's log of that run."""
    stream: str
    """``stdout`` or ``stderr``."""
    at: str
    """When it was read, RFC 3339."""
    data: bytes
    run: str = ""
    """Which run wrote it: each has a log of its own, which begins at 0."""

    @property
    def end(self) -> int:
        """The offset that follows it."""
        return self.offset + len(self.data)


def event_of(document: dict[str, Any], position: int | None) -> Event:
    """Read an event's data; ``position`` is the event's id, if it has one."""
    return Event(
        position=int(document["position"] if position is None else position),
        kind=str(document.get("kind", "")),
        ref=str(document.get("ref", "")),
        verb=str(document.get("verb", "")),
        resource=Resource(document.get("resource") or {}),
    )


def chunk_of(document: dict[str, Any]) -> LogChunk:
    """Read one line of a log."""
    return LogChunk(
        rank=int(document.get("rank", 0)),
        offset=int(document.get("offset", 0)),
        stream=str(document.get("stream", "stdout")),
        at=str(document.get("at", "")),
        data=base64.b64decode(document.get("data", "")),
        run=str(document.get("run", "")),
    )
