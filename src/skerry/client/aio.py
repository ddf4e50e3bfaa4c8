"""The asynchronous client: the blocking one with awaits."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

from skerry.client import jobs, operations, streams, upload
from skerry.client.asynchronous import Asynchronous
from skerry.client.binding import Binding, envelope
from skerry.client.operations import Target, Until, decoded
from skerry.client.resource import Event, LogChunk, Resource
from skerry.client.steps import Op, Policy, Request, Response, send

T = TypeVar("T")


class AsyncClient(Binding):
    """A cloud, asked with awaits. Cancelling a call abandons its request.

    Settings come from the arguments, else from ``SKERRY_URL``, ``SKERRY_TOKEN``,
    ``SKERRY_TENANT`` and ``SKERRY_WORKSPACE``, else from the context. Idempotent calls are tried
    again with growing pauses on 429, 5xx and lost connections. Errors are subclasses of
    ``skerry.SkerryError``.

        async with skerry.AsyncClient() as cloud:
            job = await cloud.run(["python3", "-c", "print(6*7)"], cpus=1)
            async for chunk in cloud.kind("job").logs(job.name):
                print(chunk.data)
    """

    @cached_property
    def _transport(self) -> Asynchronous:
        return Asynchronous(self.wire)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. The client can't be used afterwards."""
        if "_transport" in self.__dict__:
            await self._transport.close()

    async def take(self, op: Op[T]) -> T:
        """The result of an operation."""
        return await self._transport.run(op)

    def each(self, op: Op[Any]) -> AsyncIterator[Any]:
        """What an operation emits."""
        return self._transport.items(op)

    def kind(
        self, noun: str, *, tenant: str = "", workspace: str = "", **parents: str
    ) -> "AsyncKindClient":
        """Calls on one kind: ``cloud.kind("subnet", network="net1").get("sub1")``."""
        return AsyncKindClient(self, self.target(noun, tenant, workspace, parents))

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """Any call of the API. Raises the problem that the cloud answers."""
        safe = method in ("GET", "HEAD")
        request = Request(method, path, params or {}, headers or {}, body, repeatable=safe)
        return await self.take(send(request, self.policy))

    async def get(self, path: str, **params: str) -> Any:
        """The JSON of a GET."""
        return decoded(await self.request("GET", path, params=params))

    async def whoami(self) -> dict[str, Any]:
        """Who the token is."""
        return dict(await self.get("/providers/skerry.identity/v1/whoami"))

    async def login(self, tenant: str, user: str, password: str) -> dict[str, Any]:
        """Trade a password for a token: ``{token, expiresAt}``. The client itself keeps its own."""
        return await self.take(operations.login(tenant, user, password, self.policy))

    async def sign_in(self, **given: str) -> dict[str, Any]:
        """Trade what proves who one is for a token: ``{token, tenant, subject, expiresAt}``."""
        return await self.take(operations.told("sessions", given, self.policy))

    async def begin_second_factor(self, tenant: str, user: str, password: str) -> dict[str, Any]:
        """What an authenticator takes: ``{uri, secret, svg, text}``; the next sign-in with a code
        confirms it."""
        asked = {"tenant": tenant, "user": user, "password": password}
        return await self.take(operations.told("second-factors", asked, self.policy))

    async def drop_second_factor(self, tenant: str, user: str, password: str, code: str) -> None:
        """Go on with the password alone."""
        asked = {"tenant": tenant, "user": user, "password": password, "code": code}
        await self.take(operations.told("second-factors", asked, self.policy, "DELETE"))

    async def exchange(self, tenant: str, account: str, token: str) -> dict[str, Any]:
        """Trade another issuer's token for a service account's: ``{access_token, expires_in}``."""
        return await self.take(operations.exchange(tenant, account, token, self.policy))

    async def join(self, code: str, password: str) -> dict[str, Any]:
        """Follow a link that works once with a new password: ``{tenant, user}``."""
        asked = {"code": code, "password": password}
        return await self.take(operations.told("joins", asked, self.policy))

    def events(
        self, *, start: int | None = None, kinds: Sequence[str] = ()
    ) -> AsyncIterator[Event]:
        """Every change in the tenant after position ``start``, or from now on, for ever."""
        path = f"/providers/skerry.proof/v1/tenants/{quote(self.settings.tenant)}/events"
        params = {"kinds": ",".join(kinds)} if kinds else {}
        return self.each(streams.watch(path, start, params))

    async def upload_dir(
        self, path: str | Path, told: Callable[[upload.Sent], object] | None = None
    ) -> list[Mapping[str, Any]]:
        """Bring a folder, less what its .gitignore files name; the result is a job's ``inputs``."""
        scope = self.target("job", "", "", {}).scope
        return await self.take(upload.upload(Path(path), scope, self.policy, told))

    async def run(
        self,
        command: Sequence[str],
        *,
        name: str = "",
        folder: str | Path | None = None,
        labels: Mapping[str, str] | None = None,
        wait: bool = True,
        timeout: float | None = None,
        **options: Any,
    ) -> Resource:
        """Run a command as a job and return the job, ended unless ``wait`` is false.

        ``options`` are those of ``skerry.client.jobs.job_spec``: cpus, memory, gpus, count, env,
        artifacts, retries, time_limit, isolation, network, site, region.
        """
        target = self.target("job", "", "", {})
        name = name or jobs.fresh_name()
        spec = jobs.job_spec(command, **options)
        where = Path(folder) if folder is not None else None
        job = await self.take(jobs.start(target, name, spec, folder=where, labels=labels))
        if not wait:
            return job
        return await self.kind("job").wait(name, until="ended", timeout=timeout) or job


class AsyncKindClient:
    """Calls on the resources of one kind, in one scope."""

    def __init__(self, client: AsyncClient, target: Target) -> None:
        self.client = client
        self.target = target

    async def put(
        self,
        name: str,
        spec: Mapping[str, Any] | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        extensions: Mapping[str, str] | None = None,
        region: str = "",
        if_version: int | None = None,
        dry_run: bool = False,
        if_changed: bool = False,
    ) -> Resource:
        """Create it, or replace it whole. ``if_version``: only if it is at this version;
        ``if_changed``: leave it at its version if all of it, sealed fields too, is so already."""
        body = envelope(spec, labels, annotations, extensions, region)
        op = operations.put(
            self.target,
            name,
            body,
            if_version=if_version,
            dry_run=dry_run,
            if_changed=if_changed,
        )
        return await self.client.take(op)

    async def get(self, name: str) -> Resource:
        return await self.client.take(operations.get(self.target, name))

    def list(
        self,
        labels: str = "",
        *,
        limit: int | None = None,
        deleted: bool = False,
        search: str = "",
        state: str = "",
        phase: str = "",
        sort: str = "",
    ) -> AsyncIterator[Resource]:
        """Each of them, page by page. ``labels`` is a selector, such as ``tier=web,env!=test``;
        ``search`` a part of a name or label; ``state`` and ``phase`` are one or, with commas,
        several; ``sort`` is name, created, modified or state, with ``-`` the other way."""
        chosen = {"labels": labels, "search": search, "state": state, "phase": phase, "sort": sort}
        return self.client.each(operations.list_(self.target, chosen, limit, deleted))

    async def delete(self, name: str, *, if_version: int | None = None) -> None:
        """Ask for removal; ``wait(name, until="deleted")`` for its end."""
        await self.client.take(operations.delete(self.target, name, if_version))

    async def act(
        self,
        name: str,
        action: str,
        body: Mapping[str, Any] | None = None,
        *,
        if_version: int | None = None,
    ) -> dict[str, Any]:
        return await self.client.take(operations.act(self.target, name, action, body, if_version))

    async def wait(
        self,
        name: str,
        until: Until = "settled",
        *,
        timeout: float | None = None,
        seen: Callable[[Resource], object] | None = None,
    ) -> Resource | None:
        """Wait until it is ``settled``, ``ended``, ``deleted`` (None), ``active``,
        ``phase=running``, or what a function says. Raises ``WaitTimeout`` after ``timeout`` s."""
        return await self.client.take(operations.wait(self.target, name, until, timeout, seen))

    def watch(self, *, start: int | None = None) -> AsyncIterator[Event]:
        """Each change of the collection after position ``start``, or from now on, for ever."""
        return self.client.each(streams.watch(self.target.collection, start, {}))

    def logs(
        self,
        name: str,
        *,
        rank: int = 0,
        offset: int = 0,
        follow: bool = False,
        run: str = "",
    ) -> AsyncIterator[LogChunk]:
        """What a job's task wrote in its newest run; ``follow`` until that ends. ``offset`` skips
        what was read before, if that was of the same ``run`` (as a chunk names it) or none is
        named."""
        path = f"{self.target.item(name)}/logs"
        policy = streams.PATIENCE if self.client.policy.retries else Policy(retries=0)
        return self.client.each(streams.log(path, rank, offset, follow, policy, run))

    async def view(self, name: str, view: str, **query: str) -> Any:
        """The JSON of a sub-resource: ``cost``, ``decision``, ``receipt``, ``files``."""
        return decoded(await self.client.take(operations.view(self.target, name, view, query)))

    async def download(
        self, name: str, view: str, sink: Callable[[bytes], object], **query: str
    ) -> None:
        """Bytes of a sub-resource, piece by piece: ``files/0/out/result.txt``, ``page``."""
        path = "/".join(quote(part) for part in view.split("/"))
        await self.client.take(operations.view(self.target, name, path, query, sink))
