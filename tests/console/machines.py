"""Machines that joined the cloud that is looked at: real membership over real mutual TLS, each with
a simulated machine behind it, in a thread of its own."""

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import Any

from skerry import __version__
from skerry.sites.agent import Far, _keep_connected
from skerry.sites.greeting import Hello
from skerry.sites.joining import join
from skerry.sites.remote import handlers, known
from skerry.sites.simulated.driver import Simulated

RACKS: dict[str, dict[str, Any]] = {
    "rack-1": {
        "millicores": 32_000, "memory": 128 << 30,
        "gpus": [{"model": "NVIDIA L4", "count": 2, "memory": 24 << 30}],
    },
    "rack-2": {"millicores": 32_000, "memory": 128 << 30},
}  # fmt: skip


class Machine:
    """One of them; it connects again by itself when the server was away."""

    def __init__(self, name: str, told: dict[str, Any], data: Path) -> None:
        self._name, self._told, self._data = name, told, data
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._task = self._loop.create_task(self._serve())
            self._loop.run_until_complete(self._task)
        self._loop.close()

    async def _serve(self) -> None:
        self._data.mkdir(parents=True)
        server = Far(await join(self._told["address"], self._told["token"], self._name, self._data))
        driver = Simulated.open({"name": self._name, "runSeconds": 86400, **RACKS[self._name]})
        hello = Hello(
            site=server.at, token="", version=__version__, boot_id=self._name,
            verbs=tuple(handlers(driver)), knows=known(),
        )  # fmt: skip
        try:
            await _keep_connected(server, hello, driver)
        finally:
            await driver.close()

    def end(self) -> None:
        if self._task is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(30)
