"""A stand-in for the cloud, in memory: the HTTP contract, and faults on demand.

It keeps documents by path, runs jobs as processes and can be told to answer the next requests
wrongly. What it says is what the real edge says; tests of the real one are beside its code.
"""

import asyncio
import base64
import json
import subprocess
import threading
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

TYPES = {
    400: "invalid-request", 401: "unauthorized", 404: "resource-not-found",
    409: "resource-conflict", 412: "precondition-failed", 422: "validation-error",
}  # fmt: skip
TOKEN = "sk_test_0123456789"
NOW = "2026-11-21T08:00:00Z"


class Cloud:
    """The state, and the ASGI application over it."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.blobs: dict[str, bytes] = {}
        self.logs: dict[str, list[dict[str, Any]]] = {}
        self.events: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.faults: list[Callable[[Request], Response | None]] = []
        self.cut_after: int | None = None
        """Cut each stream after so many lines, once."""
        self.changed = asyncio.Event()
        self.oldest = 0
        self.views: dict[str, Any] = {}
        self.quoted: dict[str, Any] = {
            "phase": "offered", "currency": "EUR",
            "pricePerHourNano": 42_000_000, "mostNano": 63_000_000,
            "place": {"site": "attic", "region": "home", "jurisdiction": "DE"},
            "policy": "only in the EU", "validUntil": "2026-11-21T08:15:00Z",
            "refused": {"jurisdiction": 2, "gpus": 5},
        }  # fmt: skip
        self.hold = False
        """Jobs stay queued."""
        self.page = 1000
        methods = ["GET", "PUT", "POST", "DELETE", "HEAD"]
        self.app = Starlette(routes=[Route("/{path:path}", self.serve, methods=methods)])

    async def serve(self, request: Request) -> Response:
        path = request.url.path
        self.requests.append((request.method, path, dict(request.query_params)))
        if self.faults and (fault := self.faults.pop(0)(request)) is not None:
            return fault
        response = await self._answer(request, path)
        response.headers["x-request-id"] = "req-1"
        return response

    async def _answer(self, request: Request, path: str) -> Response:
        if path.endswith("/sessions") and request.method == "POST":
            given = await request.json()
            if given["password"] != "correct horse":
                return problem(401, "wrong user or password")
            who = {"tenant": given["tenant"], "subject": f"users/{given['user']}"}
            return JSONResponse({"token": TOKEN, "expiresAt": NOW, **who})
        if path in ("/healthz", "/readyz"):
            return JSONResponse({"ok": True})
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return problem(401, "no valid token", "Log in again.")
        parts = path.strip("/").split("/")
        if path in self.views:
            found = self.views[path]
            return Response(found) if isinstance(found, bytes) else JSONResponse(found)
        if parts[-2] == "blobs":
            return await self._blob(request, parts[-1])
        if parts[-1] == "whoami":
            return JSONResponse({"subject": "ann@acme", "tenant": "acme"})
        if parts[-1] == "logs":
            return self._log(request, "/".join(parts[:-1]))
        if request.query_params.get("watch") == "true":
            return self._watch(request, "/".join(parts))
        depth = len(parts) - 3 - (2 if "tenants" in parts else 0)
        depth -= 2 if "workspaces" in parts[:-2] else 0
        key = "/".join(parts)
        if request.method == "POST":
            return self._act("/".join(parts[:-1]), parts[-1])
        if depth % 2:
            return self._list(request, key)
        return await self._item(request, key, parts)

    async def _blob(self, request: Request, digest: str) -> Response:
        if request.method == "PUT":
            body = await request.body()
            assert f"sha256:{sha256(body).hexdigest()}" == digest
            self.blobs[digest] = body
            return Response(status_code=201)
        return Response(self.blobs.get(digest), status_code=200 if digest in self.blobs else 404)

    async def _item(self, request: Request, key: str, parts: list[str]) -> Response:
        found = self.documents.get(key)
        if request.method == "GET":
            return JSONResponse(found) if found else problem(404, f"{key} does not exist")
        wanted = request.headers.get("if-unmodified-since")
        if wanted is not None and (found is None or version(found) != int(wanted)):
            return problem(412, f"it is at another version than {wanted}", "Read it again.")
        if request.method == "DELETE":
            if found is None:
                return problem(404, f"{key} does not exist")
            del self.documents[key]
            self._tell("delete", found)
            return Response(status_code=202)
        body = await request.json()
        if "bad" in (body.get("spec") or {}):
            return problem(
                422, "spec: unknown field `bad`", "See skerry explain.",
                [{"pointer": "/spec/bad"}, {"pointer": "/spec/command"}],
            )  # fmt: skip
        made = self._made(key, parts, body, found)
        same = found and all(made[p] == found[p] for p in ("labels", "annotations", "spec"))
        if found and same and request.query_params.get("ifChanged") == "true":
            return JSONResponse(found)
        if request.query_params.get("dryRun") != "true":
            self.documents[key] = made
            self._tell("put", made)
            if parts[-2] == "jobs" and not self.hold:
                threading.Thread(target=self._run, args=(key, made)).start()
        return JSONResponse(made, status_code=200 if found else 201)

    def _made(
        self, key: str, parts: list[str], body: dict[str, Any], old: dict[str, Any] | None
    ) -> dict[str, Any]:
        metadata = {
            "name": parts[-1], "provider": f"{parts[1]}/{parts[2]}", "kind": parts[-2][:-1],
            "ref": key.removeprefix("providers/"), "createdAt": NOW, "lastModifiedAt": NOW,
            "resourceVersion": version(old) + 1 if old else 1, "verb": "PUT",
        }  # fmt: skip
        for word in ("tenants", "workspaces", "networks"):
            if word in parts[:-2]:
                metadata[word[:-1]] = parts[parts.index(word) + 1]
        spec = {k: v for k, v in (body.get("spec") or {}).items() if k not in SEALED}
        status = {"state": "active", "conditions": []}
        if parts[-2] == "jobs":
            status["phase"] = "queued"
            if self.hold:
                status |= {"reason": "NoOffer", "message": WHY}
        if parts[-2] == "quotes":
            status |= self.quoted
        return {
            "labels": body.get("labels") or {}, "annotations": body.get("annotations") or {},
            "extensions": {}, "metadata": metadata, "spec": spec, "status": status,
        }  # fmt: skip

    def _run(self, key: str, job: dict[str, Any]) -> None:
        done = subprocess.run(job["spec"]["command"], capture_output=True, check=False)
        chunks, offset = [], 0
        for stream, data in (("stdout", done.stdout), ("stderr", done.stderr)):
            for rank in range(job["spec"].get("count", 1)) if data else ():
                text = base64.b64encode(data).decode()
                chunks.append(
                    {"rank": rank, "offset": offset, "stream": stream, "at": NOW, "data": text}
                )
            offset += len(data)
        self.logs[key] = chunks
        code = done.returncode if done.returncode >= 0 else 128 - done.returncode
        job["status"] |= {
            "phase": "failed" if code else "succeeded", "exitCode": code, "startedAt": NOW,
            "endedAt": "2026-11-21T08:00:02Z", "engine": "bubblewrap",
            "cost": {"currency": "EUR", "amountNano": 1_234_000},
            "place": {"site": "attic", "region": "home", "jurisdiction": "DE", "operator": "ann"},
        }  # fmt: skip
        self._tell("status", job)

    def finish(self, key: str, phase: str = "cancelled", code: int | None = None) -> None:
        """End a held job."""
        self.documents[key]["status"] |= {
            "phase": phase,
            "exitCode": code,
            "message": "",
            "reason": "",
        }
        self.logs.setdefault(key, [])

    def _act(self, key: str, action: str) -> Response:
        if key not in self.documents:
            return problem(404, f"{key} does not exist")
        self._tell(action, self.documents[key])
        if action == "cancel":
            self.finish(key)
        return Response(status_code=202)

    def _list(self, request: Request, key: str) -> Response:
        names = sorted(
            k for k in self.documents if k.startswith(key + "/") and "/" not in k[len(key) + 1 :]
        )
        skip = int(request.query_params.get("skipToken", 0))
        size = min(int(request.query_params.get("limit", 1000)), self.page)
        items = [self.documents[k] for k in names[skip : skip + size]]
        metadata = {"provider": "p", "resource": "r", "verb": "GET"}
        if skip + size < len(names):
            metadata["skipToken"] = str(skip + size)
        return JSONResponse({"items": items, "metadata": metadata})

    def _log(self, request: Request, key: str) -> Response:
        rank, offset = int(request.query_params["rank"]), int(request.query_params["offset"])

        async def lines() -> AsyncIterator[str]:
            while key not in self.logs:
                await asyncio.sleep(0.01)
            chunks = [c for c in self.logs[key] if c["rank"] == rank and c["offset"] >= offset]
            for sent, chunk in enumerate(chunks):
                if self.cut_after is not None and sent >= self.cut_after:
                    self.cut_after = None
                    raise ConnectionResetError("cut by the test")
                yield json.dumps(chunk) + "\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    def _watch(self, request: Request, key: str) -> Response:
        start = int(request.query_params.get("from", len(self.events) - 1))
        if start < self.oldest - 1:
            return problem(410, "that position is no longer kept", "List again.")

        async def lines() -> AsyncIterator[str]:
            position, sent = start + 1, 0
            yield f"id: {start}\n\n"
            while True:
                while position < len(self.events):
                    if self.cut_after is not None and sent >= self.cut_after:
                        self.cut_after = None
                        raise ConnectionResetError("cut by the test")
                    event = self.events[position]
                    if f"providers/{event['ref']}".startswith(key):
                        text = json.dumps(event, ensure_ascii=False)
                        yield f"id: {position}\nevent: {event['verb']}\ndata: {text}\n\n"
                        sent += 1
                    position += 1
                yield ": still here\n\n"
                await asyncio.sleep(0.02)

        return StreamingResponse(lines(), media_type="text/event-stream")

    def _tell(self, verb: str, document: dict[str, Any]) -> None:
        metadata = document["metadata"]
        self.events.append(
            {
                "position": len(self.events),
                "kind": metadata["kind"],
                "ref": metadata["ref"],
                "verb": verb,
                "resource": json.loads(json.dumps(document)),
            }
        )


WHY = "none of 3 offers serves it: 3 have too few GPUs"
SEALED = ("password", "secretEnv")


def version(document: dict[str, Any]) -> int:
    return int(document["metadata"]["resourceVersion"])


def problem(
    status: int, detail: str, hint: str = "", sources: list[dict[str, str]] | None = None
) -> Response:
    """A problem document."""
    body = {
        "type": f"http://secapi.cloud/errors/{TYPES.get(status, 'x')}",
        "title": TYPES.get(status, f"status {status}").replace("-", " ").capitalize(),
        "status": status, "detail": detail, "hint": hint, "sources": sources or [],
        "requestId": "req-1",
    }  # fmt: skip
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


class Served:
    """The stand-in on a port or a Unix socket, in a thread."""

    def __init__(self, cloud: Cloud, socket: str | None = None) -> None:
        where: dict[str, Any] = {"uds": socket} if socket else {"host": "127.0.0.1", "port": 0}
        config = uvicorn.Config(cloud.app, log_level="critical", lifespan="off", **where)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.url = f"unix:{socket}" if socket else ""

    def __enter__(self) -> "Served":
        self._thread.start()
        while not self._server.started:
            threading.Event().wait(0.005)
        if not self.url:
            port = self._server.servers[0].sockets[0].getsockname()[1]
            self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()
