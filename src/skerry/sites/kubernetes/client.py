"""Calls to the API server, and what its answers mean.

lightkube knows kubeconfigs, certificates and tokens; the calls are our own, because what a site
keeps of ten thousand pods must stay small: each answer is decoded into the few fields that are
wanted (``seen``), never into whole objects.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2 as httpx
import msgspec
from lightkube.config.client_adapter import AsyncClient, ConnectionParams, user_auth, verify_cluster
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import User

from skerry.sites.contract import SiteUnreachable

MANAGER = "skerry"
"""The one field manager of all that we apply."""
TRIES = 6
"""Of a call that the API server asked to make later."""
LONGEST = 10.0
"""Seconds that it may ask us to wait for."""


class Said(msgspec.Struct, rename="camel"):
    """A ``Status`` of the API server."""

    code: int = 0
    reason: str = ""
    message: str = ""


class ApiError(Exception):
    """The API server said no."""

    def __init__(self, status: int, said: Said) -> None:
        super().__init__(said.message or f"status {status}")
        self.status = status
        self.reason = said.reason
        self.message = said.message or f"the API server answered with status {status}"


class Kube:
    """One cluster, as one user."""

    def __init__(self, config: SingleConfig) -> None:
        self._config = config
        self.server = config.cluster.server.rstrip("/")
        self._tls = verify_cluster(
            config.cluster, config.user or User(), config.abs_file, trust_env=False
        )
        params = ConnectionParams(timeout=httpx.Timeout(30, connect=10, pool=60), trust_env=False)
        self._http = AsyncClient(config, params)
        self.throttled = 0

    @property
    def tls(self) -> ssl.SSLContext:
        return self._tls

    def headers(self) -> dict[str, str]:
        """Who we are, for a connection that is not HTTP's."""
        auth = user_auth(self._config.user)
        if auth is None:
            return {}
        request = httpx.Request("GET", self.server)
        next(auth.sync_auth_flow(request))
        return {"Authorization": request.headers["Authorization"]}

    async def close(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: Any) -> bytes:
        return await self.call("GET", path, query=query)

    async def post(self, path: str, body: Mapping[str, Any]) -> bytes:
        return await self.call("POST", path, body=body, query={"fieldManager": MANAGER})

    async def apply(self, path: str, body: Mapping[str, Any]) -> bytes:
        """Server-side apply; what another manager has set otherwise is a conflict (409)."""
        return await self.call(
            "PATCH",
            path,
            body=body,
            kind="application/apply-patch+yaml",
            query={"fieldManager": MANAGER},
        )

    async def merge(self, path: str, body: Mapping[str, Any]) -> bytes:
        return await self.call(
            "PATCH",
            path,
            body=body,
            kind="application/merge-patch+json",
            query={"fieldManager": MANAGER},
        )

    async def delete(self, path: str, uid: str = "", grace: int | None = None) -> None:
        """What is not there is no error, nor is another object of its name (``uid``)."""
        body: dict[str, Any] = {"propagationPolicy": "Background"}
        if uid:
            body["preconditions"] = {"uid": uid}
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        try:
            await self.call("DELETE", path, body=body)
        except ApiError as error:
            if error.status != 404 and not (error.status == 409 and uid):
                raise

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        kind: str = "application/json",
    ) -> bytes:
        """Raises ``ApiError``, and ``SiteUnreachable`` where nobody answers, or only to say that
        it is too busy."""
        content = msgspec.json.encode(body) if body is not None else None
        headers = {"Content-Type": kind} if content is not None else {}
        for attempt in range(TRIES):
            try:
                answer = await self._http.request(
                    method, path, content=content, headers=headers, params=query or None
                )
            except (httpx.HTTPError, OSError) as error:
                raise SiteUnreachable(_words(error)) from error
            if answer.status_code < 400:
                return answer.content
            if answer.status_code != 429 or attempt + 1 == TRIES:
                break
            self.throttled += 1
            await asyncio.sleep(_pause(answer.headers.get("Retry-After"), attempt))
        raise _refusal(answer.status_code, answer.content)

    @asynccontextmanager
    async def stream(
        self, path: str, query: Mapping[str, Any]
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Lines of an answer that goes on for minutes."""
        patient = httpx.Timeout(30, read=90)
        try:
            async with self._http.stream("GET", path, params=query, timeout=patient) as answer:
                if answer.status_code >= 400:
                    raise _refusal(answer.status_code, await answer.aread())
                yield _lines(answer.aiter_bytes())
        except (httpx.HTTPError, OSError) as error:
            raise SiteUnreachable(_words(error)) from error


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if line:
                yield line


def _pause(told: str | None, attempt: int) -> float:
    seconds = float(told) if told and told.isdigit() else 0.0
    return min(max(seconds, 0.2 * float(2**attempt)), LONGEST)


def _refusal(status: int, content: bytes) -> Exception:
    try:
        said = msgspec.json.decode(content, type=Said)
    except (msgspec.DecodeError, msgspec.ValidationError):
        said = Said(message=content.decode("utf-8", "replace")[:300].strip())
    if status in (429, 500, 502, 503, 504) and said.reason not in (
        "InternalError",
        "ServerTimeout",
    ):
        return SiteUnreachable(f"the API server can't answer now: {said.message or status}")
    if status == 401:
        return SiteUnreachable("the API server does not take our credentials")
    return ApiError(status, said)


def _words(error: Exception) -> str:
    return f"no contact with the API server: {type(error).__name__}: {error}"[:300]
