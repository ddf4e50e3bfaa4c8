"""Hear from live shims: that a record has changed, and that a shim is gone."""

import asyncio
import contextlib
import os
from collections.abc import Callable

from skerry.sites.local.shim.plan import BELL
from skerry.sites.local.state import TaskDirectory


class Follower:
    """Listens to one task's bell. Its shim holds the other end for as long as it lives."""

    def __init__(
        self, directory: TaskDirectory, changed: Callable[[], None], gone: Callable[[], None]
    ) -> None:
        self._directory, self._changed, self._gone = directory, changed, gone
        self._bell = -1

    def start(self) -> None:
        """Listen from now on; the shim need not be there yet."""
        self._bell = os.open(
            self._directory.path / BELL, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        )
        asyncio.get_running_loop().add_reader(self._bell, self._heard)

    def stop(self) -> None:
        if self._bell >= 0:
            asyncio.get_running_loop().remove_reader(self._bell)
            os.close(self._bell)
            self._bell = -1

    def _heard(self) -> None:
        heard = b""
        with contextlib.suppress(BlockingIOError):
            heard = os.read(self._bell, 4096)
            if not heard:
                self._end()
        if heard:
            self._changed()

    def _end(self) -> None:
        self.stop()
        self._changed()
        self._gone()
