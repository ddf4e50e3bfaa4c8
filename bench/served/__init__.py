"""Two servers for the same requests: Skerry's edge, and what a bare handler of the same would be.

Both are told a database and write the port they listen on to stdout. Both run in uvicorn with the
product's settings and remember a token's proof for a second. No workers, settlers or agents run
beside them; for watches, the sequencer and the feed do (``following``).

The bare one does what any correct handler has to: the same statements, in a transaction where they
write, the token's proof and its roles, the answer's JSON. It has no registry, no schema beyond one
struct, no problems, no request ids, no log, no history of states.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from skerry.api.protocol import web_config
from skerry.kernel.feed import Feed
from skerry.kernel.sequencer import Sequencer
from skerry.store import Database

BASE = "/providers/skerry.run/v1/tenants/bench/workspaces/bench/jobs"
REF = BASE.removeprefix("/providers/")
POOL = 12
TRUSTED_SECONDS = 1.0

Make = Callable[[Database, Feed], Coroutine[Any, Any, Any]]


async def serve(make: Make, url: str, following: bool) -> None:
    """Serve until killed."""
    db = await Database.open(url, size=POOL)
    feed = Feed(db)
    app = await make(db, feed)
    sock = socket.create_server(("127.0.0.1", 0))
    config = web_config(app, "127.0.0.1", 0)
    web = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        if following:
            group.create_task(Sequencer(db).run())
            group.create_task(feed.run())
        print(sock.getsockname()[1], flush=True)
        await web.serve([sock])


def main(which: str, url: str, place: str) -> None:
    """``place`` is a directory for what it writes."""
    if which == "bare":
        from served.bare import make
    else:
        from served.ours import make
    made = serve(lambda db, feed: make(db, feed, Path(place)), url, which == "following")
    uvloop.run(made)
