"""The same requests by hand: Starlette, msgspec, asyncpg and the kernel's own statements."""

import hashlib
import os
import time
import uuid
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from served import BASE, POOL, REF, TRUSTED_SECONDS
from skerry.kernel.changes import CHANNEL
from skerry.kernel.feed import Feed
from skerry.store import Database
from skerry.store.queries import load

IDENTITY = load("skerry.identity")
RESOURCES = load("skerry.kernel", "resources.sql")
QUOTAS = load("skerry.kernel", "quotas.sql")
MOST = 10_000
TENANT = "skerry.identity/v1/tenants/bench"
WORKSPACE = "seca.workspace/v1/tenants/bench/workspaces/bench"


class Spec(msgspec.Struct, forbid_unknown_fields=True):
    command: list[str]
    millicores: Annotated[int, msgspec.Meta(gt=0)] = 1000
    memory: int = 1 << 30


class Body(msgspec.Struct):
    spec: Spec
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


def document(row: dict[str, Any], verb: str) -> bytes:
    """What a client reads: the same fields as Skerry's."""
    return msgspec.json.encode(
        {
            "labels": row["labels"],
            "annotations": row["annotations"],
            "extensions": row["extensions"],
            "metadata": {
                "name": row["name"],
                "provider": "skerry.run/v1",
                "resource": f"jobs/{row['name']}",
                "verb": verb,
                "apiVersion": "v1",
                "kind": "job",
                "ref": row["ref"],
                "tenant": row["tenant"],
                "workspace": row["workspace"],
                "region": row["region"],
                "createdAt": row["created_at"],
                "lastModifiedAt": row["modified_at"],
                "resourceVersion": row["version"],
            },
            "spec": row["spec"],
            "status": {"state": row["state"], "conditions": row["conditions"], **row["status"]},
        }
    )


def answered(text: bytes, status: int = 200) -> Response:
    return Response(text, status, media_type="application/json")


class Handlers:
    def __init__(self, pool: asyncpg.Pool, db: Database) -> None:
        self.pool = pool
        self.db = db
        self.proofs: dict[bytes, tuple[str, bool, float]] = {}
        self.roles: dict[str, tuple[int, bool]] = {}

    async def who(self, request: Request) -> str:
        """Whose token it is. Raises unless they may do everything."""
        key = hashlib.sha256(request.headers["authorization"].split()[1].encode()).digest()
        known = self.proofs.get(key)
        if known is None or known[2] < time.monotonic():
            row = await self.pool.fetchrow(IDENTITY.token_by_digest, key)
            if row is None or row["suspended"]:
                raise PermissionError
            name, tenant = row["name"], row["tenant"]
            role = self.roles.get(name)
            if role is None or role[0] != row["epoch"]:
                names = ["*", name, f"users/{name}"]
                found = await self.pool.fetch(IDENTITY.assignments_naming, tenant, names)
                all = any("skerry.operator" in one["spec"]["roles"] for one in found)
                role = self.roles[name] = (row["epoch"], all)
            known = (f"{name}@{tenant}", role[1], time.monotonic() + TRUSTED_SECONDS)
            self.proofs[key] = known
        if not known[1]:
            raise PermissionError
        return known[0]

    async def get(self, request: Request) -> Response:
        await self.who(request)
        row = await self.pool.fetchrow(RESOURCES.find, f"{REF}/{request.path_params['name']}")
        if row is None:
            return Response(status_code=404)
        return answered(document(row, "GET"))

    async def put(self, request: Request) -> Response:
        actor = await self.who(request)
        sent = await request.body()
        body = msgspec.json.decode(sent, type=Body)
        spec = msgspec.json.decode(sent)["spec"]
        ref = f"{REF}/{request.path_params['name']}"
        async with self.pool.acquire() as connection, connection.transaction():
            found = await connection.fetchrow(RESOURCES.before_put, ref, TENANT, WORKSPACE)
            if found["uid"] is None:
                if found["tenant_"] != "active" or found["workspace_"] != "active":
                    raise LookupError
                taken = await connection.fetchrow(QUOTAS.take, "bench", "job", MOST)
                if taken["used"] > taken["most"]:
                    raise OverflowError
                row = self.added(request.path_params["name"], ref, body, spec, actor, found)
                row["status"] = {"phase": "queued"}
                await connection.execute(RESOURCES.insert, *row.values(), *event(row, actor), "a")
            else:
                row = self.changed(found, body, spec)
                await connection.execute(
                    RESOURCES.update, row["uid"], row["labels"], row["annotations"],
                    row["extensions"], row["spec"], row["spec_version"], row["status"],
                    row["state"], row["conditions"], row["version"], row["generation"],
                    row["modified_at"], None, *event(row, actor), 1,
                )  # fmt: skip
        self.db.notify(CHANNEL)
        return answered(document(row, "PUT"), 201 if found["uid"] is None else 200)

    def changed(self, found: Any, body: Body, spec: Any) -> dict[str, Any]:
        row = dict(found)
        now = row.pop("now_")
        del row["tenant_"], row["workspace_"]
        states = [{"state": s, "lastTransitionAt": now.isoformat()} for s in ("updating",)]
        return row | {
            "labels": body.labels, "annotations": body.annotations, "spec": spec,
            "state": "updating", "version": row["version"] + 1,
            "generation": row["generation"] + 1, "modified_at": now,
            "conditions": (states + row["conditions"])[:32],
        }  # fmt: skip

    def added(
        self, name: str, ref: str, body: Body, spec: Any, actor: str, found: Any
    ) -> dict[str, Any]:
        uid, now = uuid.uuid4(), found["now_"]
        return {
            "uid": uid, "kind": "job", "ref": ref, "name": name, "tenant": "bench",
            "workspace": "bench", "region": "home", "parent_ref": REF.removesuffix("/jobs"),
            "owner_uid": None, "root_uid": uid, "created_by": actor, "labels": body.labels,
            "annotations": body.annotations, "extensions": {}, "spec": spec, "spec_version": "v1",
            "status": {}, "state": "pending",
            "conditions": [{"state": "pending", "lastTransitionAt": now.isoformat()}],
            "version": 1, "generation": 1, "created_at": now, "modified_at": now,
        }  # fmt: skip


def event(row: dict[str, Any], actor: str) -> tuple[Any, ...]:
    """The change of a row, for feed and log: its text, and its leaf of salted hashes."""
    body = msgspec.json.encode(row, order="sorted").decode()
    salt, id, at = os.urandom(16), uuid.uuid4(), row["modified_at"]
    texts = (row["ref"], "bench", "bench", actor, body)
    hashes = [hashlib.sha256(salt + text.encode()).hexdigest() for text in texts]
    leaf = msgspec.json.encode(
        {"v": 1, "id": id, "at": at, "kind": "job", "verb": "put", "version": row["version"],
         "subject": hashes[0], "tenant": hashes[1], "workspace": hashes[2], "actor": hashes[3],
         "body": hashes[4]},
        order="sorted",
    )  # fmt: skip
    return id, at, "put", actor, body, salt, leaf


async def make(db: Database, feed: Feed, place: Path) -> Any:
    async def prepare(connection: asyncpg.Connection) -> None:
        await connection.set_type_codec(
            "json", schema="pg_catalog", encoder=msgspec.json.encode,
            decoder=msgspec.json.decode, format="binary",
        )  # fmt: skip
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=lambda v: b"\x01" + msgspec.json.encode(v),
            decoder=lambda data: msgspec.json.decode(data[1:]), format="binary",
        )  # fmt: skip

    async def keep(connection: asyncpg.Connection) -> None:
        """As in Skerry: no round trip when a connection goes back."""

    pool = await asyncpg.create_pool(
        db.url, min_size=1, max_size=POOL, init=prepare, reset=keep, command_timeout=60
    )
    handlers = Handlers(pool, db)
    path = f"{BASE}/{{name}}"
    return Starlette(
        routes=[
            Route(path, handlers.get, methods=["GET"]),
            Route(path, handlers.put, methods=["PUT"]),
        ]
    )
