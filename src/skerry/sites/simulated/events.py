"""The events a site still keeps."""

from skerry.sites.contract import CursorExpired, Event, WorkloadStatus


class Events:
    """Numbered from 1 without gaps; the last ``keep`` can be asked for."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._events: list[Event] = []
        self.last = 0

    def add(self, id: str, status: WorkloadStatus | None) -> None:
        self.last += 1
        self._events.append(Event(cursor=self.last, id=id, status=status))
        if len(self._events) > 2 * self._keep:
            del self._events[: -self._keep]

    def after(self, cursor: int, limit: int = 1000) -> list[Event]:
        """The oldest ``limit`` events after ``cursor``; ``CursorExpired`` if one is not kept."""
        behind = self.last - cursor
        if behind < 0 or behind > min(self._keep, len(self._events)):
            raise CursorExpired(f"events after {cursor} are not kept")
        first = len(self._events) - behind
        return self._events[first : first + limit]
