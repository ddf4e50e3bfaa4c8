"""The edge itself: what every request goes through, and what each method does.

Who is it, what is it about, may they: in that order, before anything is read or written. Handlers
write intent and answer; the work is the flows'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from skerry.api import documents, requests, watch
from skerry.api.problems import MethodNotAllowed, UpgradeRequired
from skerry.api.routes import Routes, Target
from skerry.identity.authenticate import Authenticator
from skerry.identity.authorize import Principal, authorize, authorize_list, can, target_of
from skerry.identity.looking import Looks
from skerry.identity.oidc import Issuers
from skerry.identity.roles import Target as About
from skerry.kernel.errors import InvalidRequest, NotFound, Unauthenticated
from skerry.kernel.feed import Feed
from skerry.kernel.flows import Services
from skerry.kernel.kinds import Kind, Op
from skerry.kernel.paths import Path, can_exist, parent_ref
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.kernel.views import Asked, Stream
from skerry.store import Database, Tx

JSON = "application/json"
_READ = ("GET", "HEAD")
_OPS: Mapping[str, Op] = {"GET": "get", "HEAD": "get", "PUT": "put", "DELETE": "delete"}
"""What a method does to an item."""


class DryRun(Exception):
    """Unwinds the transaction of a PUT that was only to be tried."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer


@dataclass(frozen=True)
class Edge:
    """What handlers need; one per process."""

    db: Database
    resources: Resources
    services: Services
    feed: Feed
    authenticator: Authenticator
    routes: Routes
    told: watch.Told = field(default_factory=watch.Told)
    looks: Looks = field(init=False)
    issuers: Issuers = field(default_factory=Issuers)
    public_url: str = ""
    """Where clients reach the API, where that is not the address they ask."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "looks", Looks(self.db, self.resources))

    async def principal(self, request: Request) -> Principal:
        """Who asks. Raises ``Unauthenticated``."""
        return await self.bearer(requests.header(request, b"authorization") or "")

    async def bearer(self, authorization: str) -> Principal:
        """Whose token it is. Raises ``Unauthenticated``."""
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise Unauthenticated(
                "this needs a token", hint="Send it as 'Authorization: Bearer <token>'."
            )
        return await self.authenticator.authenticate(secret.strip())

    async def answer(self, request: Request, target: Target) -> Response:
        """Everything that a kind declares."""
        who = await self.principal(request)
        # A name to be put is refused in words later; any other that is none names nothing.
        asked = target.path.named("") if request.method == "PUT" else target.path
        if not can_exist(target.kind, asked):
            raise NotFound("there can be nothing of that name", hint="Check the names in the path.")
        if target.action or target.view or target.channel:
            return await self._behind(request, target, who)
        if not target.path.name:
            if request.method not in ("GET", "HEAD"):
                raise MethodNotAllowed(request.method, _READ if "list" in target.kind.ops else ())
            return await self._list(request, target, who)
        op = _OPS.get(request.method)
        if op is None or op not in target.kind.ops:
            allowed = tuple(m for m, op in _OPS.items() if op in target.kind.ops)
            raise MethodNotAllowed(request.method, allowed)
        authorize(who, op, self.about(target.kind, target.path))
        if op == "get":
            return await self._get(target, who)
        if op == "put":
            return await self._put(request, target, who)
        return await self._delete(request, target, who)

    def about(self, kind: Kind, path: Path, region: str = "") -> About:
        """What ``authorize`` is asked. Without a region it is the home region, where most things
        are; what turns out to be in another is asked for again once it is read."""
        return target_of(kind, path, (region or self.resources.region) if kind.regional else "")

    def _again(self, who: Principal, verb: str, target: Target, resource: Resource) -> None:
        if resource.region not in ("", self.resources.region):
            authorize(who, verb, self.about(target.kind, target.path, resource.region))

    async def resource(self, tx: Tx, target: Target, who: Principal, verb: str) -> Resource:
        found = await self.resources.get(tx, self.resources.ref(target.kind, target.path))
        self._again(who, verb, target, found)
        return found

    async def _shown(self, tx: Tx, kind: Kind, resource: Resource, verb: str) -> dict[str, Any]:
        computed = await kind.hooks.shown(tx, self.resources, resource) if kind.hooks else {}
        return documents.document(kind, resource, verb, computed)

    async def _get(self, target: Target, who: Principal) -> Response:
        async with self.db.reading() as tx:
            resource = await self.resource(tx, target, who, "get")
            return _json(await self._shown(tx, target.kind, resource, "GET"))

    async def _list(self, request: Request, target: Target, who: Principal) -> Response:
        kind, path = target.kind, target.path
        if "list" not in kind.ops:
            raise MethodNotAllowed(request.method, ())
        visible = self._visible(who, kind, path)
        if requests.flag(request, "watch"):
            last = (who, visible)

            async def still() -> watch.Visible:
                nonlocal last
                now = await self.principal(request)
                if now is not last[0]:
                    last = (now, self._visible(now, kind, path))
                return last[1]

            return await watch.collection(self, request, kind, path, still)
        watch.position(request)
        asked = requests.page(request)
        if asked.count and not authorize_list(who, self.about(kind, path)):
            asked = replace(asked, count=False)  # a number would tell of what they may not see
        async with self.db.transaction(readonly=True) as tx:
            await self._check_scope(tx, target)
            page = await self.resources.list(tx, kind, path, asked)
            seen = [resource for resource in page.items if visible(resource)]
            computed = await kind.hooks.shown_of(tx, self.resources, seen) if kind.hooks else {}
        items = [documents.document(kind, one, "GET", computed.get(one.uid)) for one in seen]
        return _json(documents.collection(kind, path, items, page.skip_token, page.total))

    def _visible(self, who: Principal, kind: Kind, path: Path) -> watch.Visible:
        """Which items of a collection they may see. Raises if they may not list it at all."""
        everything = authorize_list(who, self.about(kind, path))
        home = ("", self.resources.region)

        def visible(resource: Resource) -> bool:
            where = self.resources.path(resource)
            return (everything and resource.region in home) or can(
                who, "get", self.about(kind, where, resource.region)
            )

        return visible

    async def _check_scope(self, tx: Tx, target: Target) -> None:
        """A list in a workspace, tenant or resource that does not exist is 404, not empty."""
        registry = self.resources.registry
        kind, path = target.kind, target.path
        if kind.parents:
            await self.resources.get(tx, parent_ref(kind, path, registry))
            return
        for noun, name in (("workspace", path.workspace), ("tenant", path.tenant)):
            if name and noun in registry.by_noun:
                scope = registry[noun]
                where = path.named(name)
                if await self.resources.find(tx, self.resources.ref(scope, where)) is None:
                    raise NotFound(f"{noun} {name[:128]!r} does not exist")
                return

    async def _put(self, request: Request, target: Target, who: Principal) -> Response:
        body = await requests.json_object(request)
        version = requests.if_version(request)
        try:
            async with self.db.transaction() as tx:
                put = await self.resources.put(
                    tx,
                    target.kind,
                    target.path,
                    body,
                    who.caller,
                    if_version=version,
                    if_changed=requests.flag(request, "ifChanged"),
                )
                self._again(who, "put", target, put.resource)
                shown = await self._shown(tx, target.kind, put.resource, "PUT")
                shown.setdefault("status", {}).update(put.once)
                if not target.kind.history and not put.once:
                    del shown["status"]
                answer = _json(shown, 201 if put.created else 200)
                if requests.flag(request, "dryRun"):
                    raise DryRun(answer)
        except DryRun as tried:
            return tried.answer
        return answer

    async def _delete(self, request: Request, target: Target, who: Principal) -> Response:
        version = requests.if_version(request)
        async with self.db.transaction() as tx:
            resource = await self.resource(tx, target, who, "delete")
            await self.resources.delete(tx, resource, who.caller, if_version=version)
        return Response(status_code=202)

    async def _behind(self, request: Request, target: Target, who: Principal) -> Response:
        """An action (POST), a view (GET) or a channel (GET, to be upgraded) of an item."""
        if request.method == "POST" and target.action is not None:
            verb = f"post.{target.action.name}"
            authorize(who, verb, self.about(target.kind, target.path))
            return await self._act(request, target, who)
        if request.method in ("GET", "HEAD") and target.channel is not None:
            verb = f"post.{target.channel.name}"
            authorize(who, verb, self.about(target.kind, target.path))
            raise UpgradeRequired(
                f"{target.channel.name} is a websocket", hint="See skerry ssh --help."
            )
        if request.method in ("GET", "HEAD") and target.view is not None:
            authorize(who, "get", self.about(target.kind, target.path))
            return await self._view(request, target, who)
        reads = target.view or target.channel
        allowed = (*(("POST",) if target.action else ()), *(_READ if reads else ()))
        raise MethodNotAllowed(request.method, allowed)

    async def _act(self, request: Request, target: Target, who: Principal) -> Response:
        assert target.action is not None
        sent = await requests.json_object(request)
        body: Any = None
        if target.action.spec is not None:
            body = requests.convert(sent, target.action.spec)
        elif sent:
            raise InvalidRequest(f"{target.action.name} takes no body")
        version = requests.if_version(request)
        async with self.db.transaction() as tx:
            verb = f"post.{target.action.name}"
            resource = await self.resource(tx, target, who, verb)
            requests.check(resource, version)
            said = await self.resources.act(tx, resource, target.action.name, body, who.caller)
        return _json(said, 202) if said else Response(status_code=202)

    async def _view(self, request: Request, target: Target, who: Principal) -> Response:
        assert target.view is not None
        async with self.db.reading() as tx:
            resource = await self.resource(tx, target, who, "get")
        if target.view.inside:
            await self.looks.tell(
                who, target.view.name, tenant=resource.tenant, workspace=resource.workspace,
                subject=resource.ref, path=target.rest,
            )  # fmt: skip
        asked = Asked(
            db=self.db,
            resources=self.resources,
            services=self.services,
            resource=resource,
            by=who.caller,
            rest=target.rest,
            query=dict(request.query_params),
        )
        answer = await target.view.answer(asked)
        if isinstance(answer, Stream):
            headers = {"x-content-type-options": "nosniff"}
            if answer.filename:
                headers["content-disposition"] = attachment(answer.filename)
            return StreamingResponse(answer.chunks, media_type=answer.media, headers=headers)
        if isinstance(answer, Mapping):
            return _json(answer)
        return Response(answer, media_type=target.view.media)


def attachment(filename: str) -> str:
    """A Content-Disposition whose name can't break out of its quotes (RFC 6266)."""
    plain = "".join(
        c if c.isascii() and c.isprintable() and c not in '"\\/' else "_" for c in filename
    )
    return f'attachment; filename="{plain[-120:]}"'


_encode = msgspec.json.Encoder().encode
_JSON_HEADER = (b"content-type", JSON.encode())


def _json(value: Mapping[str, Any], status: int = 200) -> Response:
    return Said(_encode(value), status)


class Said(Response):
    """JSON that is encoded already."""

    media_type = JSON

    def __init__(self, text: bytes, status: int = 200) -> None:
        self.status_code = status
        self.background = None
        self.body = text
        self.raw_headers = [(b"content-length", b"%d" % len(text)), _JSON_HEADER]
