"""Streams: the watch of a collection and the log of a job, whole across lost connections."""

import json
from collections.abc import Mapping
from typing import Any

from skerry.client.errors import ServerError, TooManyRequests, Unreachable, problem
from skerry.client.resource import chunk_of, event_of
from skerry.client.steps import Close, Emit, Line, Op, Open, Policy, Request, Response, Sleep

PATIENCE = Policy(retries=30)
"""A stream outlives a restart of the cloud: about four minutes of silence end it."""


class EventReader:
    """Server-sent events from lines (WHATWG HTML, "Server-sent events"), without ``retry``."""

    def __init__(self) -> None:
        self.last_id = ""
        self._event = ""
        self._data: list[str] = []

    @property
    def position(self) -> int | None:
        """The last id as a position."""
        return int(self.last_id) if self.last_id.removeprefix("-").isdecimal() else None

    def feed(self, line: str) -> tuple[str, str] | None:
        """Take a line; the (event, data) that it completes, if it does."""
        if not line:
            event, data = self._event, "\n".join(self._data)
            self._event, self._data = "", []
            return (event or "message", data) if data else None
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self.last_id = value
        return None


class Attempts:
    """Counts the tries since the stream last gave something."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.tried = 0

    def failed(self, fault: Unreachable) -> Op[None]:
        """Pause before the next try, or give up."""
        if self.policy.gives_up(fault, self.tried):
            raise fault
        yield Sleep(self.policy.pause(self.tried))
        self.tried += 1

    def opened(self, answer: Any) -> Op[bool]:
        """Whether an ``Open`` gave a stream. False: try again, the pause is over."""
        if not isinstance(answer, Response):
            return True
        request_id = answer.headers.get("x-request-id", "")
        fault = problem(answer.status, answer.body, request_id)
        temporary = isinstance(fault, (ServerError, TooManyRequests))
        if not temporary or self.tried >= self.policy.retries:
            raise fault
        yield Sleep(self.policy.pause(self.tried, answer.headers.get("retry-after", "")))
        self.tried += 1
        return False


def watch(
    path: str, start: int | None, params: Mapping[str, str], policy: Policy = PATIENCE
) -> Op[None]:
    """Emit each event after position ``start`` (None: from now on), for ever.

    Goes on after the last event seen when the connection is lost. Events come once and in order
    even where the cloud repeats some. Raises ``Gone`` when the position is no longer kept.
    """
    last, attempts = start, Attempts(policy)
    while True:
        asked = {"watch": "true", **params}
        if last is not None:
            asked["from"] = str(last)
        reader = EventReader()
        try:
            stream = yield Open(
                Request("GET", path, params=asked, headers={"accept": "text/event-stream"})
            )
            if not (yield from attempts.opened(stream)):
                continue
            while (line := (yield Line(stream))) is not None:
                found = reader.feed(line)
                if found is None:
                    # The first id comes without an event: it says where the watch began.
                    last = reader.position if last is None else last
                    continue
                event = event_of(json.loads(found[1]), reader.position)
                attempts.tried = 0
                if last is None or event.position > last:
                    last = event.position
                    yield Emit(event)
            yield Close(stream)
        except Unreachable as fault:
            yield from attempts.failed(fault)
        else:
            yield Sleep(policy.first)


def log(
    path: str, rank: int, offset: int, follow: bool, policy: Policy = PATIENCE, run: str = ""
) -> Op[None]:
    """Emit the chunks of one rank's newest log to its end, from byte ``offset`` on if it is that of
    ``run`` (empty: whichever is the newest).

    ``follow`` waits for more while the task runs. Goes on at the byte where it was cut.
    """
    attempts = Attempts(policy)
    while True:
        params = {"rank": str(rank), "offset": str(offset)}
        if follow:
            params["follow"] = "true"
        if run:
            params["run"] = run
        try:
            stream = yield Open(
                Request("GET", path, params=params, headers={"accept": "application/x-ndjson"})
            )
            if not (yield from attempts.opened(stream)):
                continue
            while (line := (yield Line(stream))) is not None:
                if not line.strip():
                    continue
                chunk = chunk_of(json.loads(line))
                attempts.tried = 0
                if chunk.run and chunk.run != run:
                    offset = 0 if run else offset
                    run = chunk.run
                if chunk.end > offset:
                    if chunk.offset < offset:
                        chunk = chunk._replace(
                            offset=offset, data=chunk.data[offset - chunk.offset :]
                        )
                    offset = chunk.end
                    yield Emit(chunk)
            yield Close(stream)
            return
        except Unreachable as fault:
            yield from attempts.failed(fault)
