"""How routes are reached from outside: what the gateways of this cloud were told at their start.

It stands in the database, so that a URL can be told by any process. When it changes, all routes
are told their new URLs.
"""

import uuid

import msgspec

from skerry.gateway import hosts
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.store import Database, Tx
from skerry.store.queries import load

_sql = load("skerry.gateway")
_PORTS = {"http": 80, "https": 443}


class Face(msgspec.Struct, frozen=True, kw_only=True):
    scheme: str
    base: str
    """Automatic names are below this."""
    port: int
    reserved: tuple[str, ...] = ()
    """Names that are the API's or the console's."""
    tcp_first: int = 0
    tcp_last: int = -1

    def url(self, host: str) -> str:
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


async def current(tx: Tx) -> Face | None:
    """None: no gateway has ever started. It does not change before this transaction ends."""
    row = await tx.fetchrow(_sql.face)
    return None if row is None else Face(**{**dict(row), "reserved": tuple(row["reserved"])})


async def show(db: Database, resources: Resources, face: Face) -> None:
    """Let this be the face, and tell it to the routes that there are."""
    async with db.transaction() as tx:
        await tx.execute(_sql.lock_face)
        if await current(tx) == face:
            return
        await tx.execute(
            _sql.set_face, face.scheme, face.base, face.port, list(face.reserved),
            face.tcp_first, face.tcp_last,
        )  # fmt: skip
    last = uuid.UUID(int=0)
    while rows := await db.fetch(_sql.routes_after, last):
        last = rows[-1]["uid"]
        for row in rows:
            async with db.transaction() as tx:
                route = await resources.by_uid(tx, row["uid"], lock=True)
                if route.deleted_at is None:
                    await resources.set_status(tx, route.uid, status=await named(tx, route))


async def named(tx: Tx, route: Resource) -> dict[str, object]:
    """Claim a route's names or its port; what its status says of them. Raises ``Problem``."""
    face = await current(tx)
    if route.spec.get("protocol") == "tcp":
        port = await hosts.port(tx, route, face.tcp_first, face.tcp_last) if face else 0
        url = f"tcp://{face.base}:{port}" if face and port else None
        return {"tcpPort": port or None, "url": url, "hosts": None}
    names = await hosts.claim(tx, route, face.base if face else "", face.reserved if face else ())
    return {"hosts": names, "url": face.url(names[0]) if face and names else None}
