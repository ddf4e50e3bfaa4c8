"""One kind of object, listed once and then watched: an informer.

The list comes in pages; bookmarks move the place to go on from, so that a watch that ends by
itself goes on without a list. When the API server has forgotten that place (410: its history was
compacted, or it was away for long) everything is listed again, and what is no longer there is told
as deleted. While the server is away it is asked again and again, with growing pauses.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import structlog

from skerry.sites.contract import SiteUnreachable
from skerry.sites.kubernetes.client import ApiError, Kube
from skerry.sites.kubernetes.seen import Change, Listed

_log = structlog.get_logger("kubernetes")
PAGE = 500
SHORTEST, LONGEST = 0.2, 30.0
"""Seconds between two attempts to reach the API server."""
_listed = msgspec.json.Decoder(Listed)
_change = msgspec.json.Decoder(Change)


class Sink(Protocol):
    """Who is told."""

    def begin(self) -> None:
        """A list of everything follows."""

    def put(self, raw: msgspec.Raw) -> str:
        """This is so now; the answer is its resource version."""

    def end(self) -> None:
        """The list was whole: forget what was not in it."""

    def drop(self, raw: msgspec.Raw) -> str:
        """This is gone."""


class Expired(Exception):
    """The place to go on from is no longer known (410)."""


class Informer:
    def __init__(self, kube: Kube, path: str, selector: str, sink: Sink) -> None:
        self._kube, self._path, self._sink = kube, path, sink
        self._query: dict[str, Any] = {"labelSelector": selector} if selector else {}
        self._version = ""
        self.synced = asyncio.Event()
        """Set once everything was listed."""
        self.fault: Exception | None = None
        """Why it is not up to date; None: it is."""
        self.relists = 0
        self._stood = False
        self.on_change: Callable[[], None] = lambda: None

    async def run(self) -> None:
        pause = SHORTEST
        while True:
            self._stood = False
            try:
                if not self._version:
                    await self._list()
                    self._good()
                await self._watch()
            except Expired:
                _log.info("watch too old: listing anew", path=self._path)
                self._version = ""
            except (SiteUnreachable, ApiError, msgspec.DecodeError) as error:
                if self._stood:  # it was cut: that alone says nothing of the cluster
                    pause = SHORTEST
                else:
                    self.fault = error
                    self.on_change()
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST)
            else:
                pause = SHORTEST

    def _good(self) -> None:
        self.fault = None
        self.synced.set()
        self.on_change()

    async def _list(self) -> None:
        self._sink.begin()
        self.relists += 1
        query = {**self._query, "limit": PAGE}
        while True:
            try:
                page = _listed.decode(await self._kube.get(self._path, **query))
            except ApiError as error:
                if error.status == 410 and "continue" in query:
                    raise Expired from None
                raise
            for raw in page.items:
                self._sink.put(raw)
            if not page.metadata.continue_:
                break
            query["continue"] = page.metadata.continue_
        self._sink.end()
        self._version = page.metadata.resource_version

    async def _watch(self) -> None:
        query = {
            **self._query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": 240,
        }
        try:
            async with self._kube.stream(self._path, query) as lines:
                self._stood = True
                self._good()
                async for line in lines:
                    self._heard(_change.decode(line))
        except ApiError as error:
            if error.status == 410:
                raise Expired from None
            raise

    def _heard(self, change: Change) -> None:
        if change.type == "ERROR":
            said = msgspec.json.decode(change.object)
            if said.get("code") == 410:
                raise Expired
            raise SiteUnreachable(f"the watch ended: {said.get('message')}")
        if change.type == "BOOKMARK":
            self._version = msgspec.json.decode(change.object)["metadata"]["resourceVersion"]
        elif change.type == "DELETED":
            self._version = self._sink.drop(change.object)
        else:
            self._version = self._sink.put(change.object)
