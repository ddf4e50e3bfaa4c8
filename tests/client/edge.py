"""The real API over the house's kinds and those for tests, on a port, in a thread of its own."""

import asyncio
import logging
import threading
from pathlib import Path

import structlog

from skerry import up
from skerry.kernel.kinds import Registry
from skerry.server import Server
from skerry.settings import Settings
from skerry.store import Database
from tests.client.kinds import KEY, NETWORK, SKU, SUBNET

TEST_KINDS = (KEY, NETWORK, SKU, SUBNET)


def registry() -> Registry:
    return Registry((*Registry.discover().kinds, *TEST_KINDS))


class Edge:
    """A server without a site: everything but running workloads."""

    def __init__(self, database_url: str, data: Path) -> None:
        self._settings = Settings(data=data, listen="127.0.0.1:0", agent=False)
        self._database_url = database_url
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._failed: BaseException | None = None
        self.url = self.token = ""

    def __enter__(self) -> "Edge":
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        self._thread.start()
        self._up.wait()
        if self._failed is not None:
            raise self._failed
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        structlog.reset_defaults()

    async def _serve(self) -> None:
        self._loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._task = task
        try:
            db = await Database.open(self._database_url, size=8)
            try:
                await self._run(Server(self._settings, db, registry()))
            finally:
                await db.close()
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self._failed = error
            raise
        finally:
            self._up.set()

    async def _run(self, server: Server) -> None:
        up.equip(server)
        made = await up.bootstrap(server)
        assert made.token is not None
        async with asyncio.TaskGroup() as group:
            group.create_task(server.run())
            await server.listening.wait()
            await up.place(server)
            self.url, self.token = server.url, made.token
            self._up.set()
