"""Signing in and out with a password, and asking who one is."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from skerry.api import channels, requests
from skerry.api.edge import Edge
from skerry.identity import passwords, second_factor, sessions, signing_in, tickets
from skerry.kernel.errors import NotFound
from skerry.kernel.history import stamp
from skerry.kernel.paths import can_exist
from skerry.store.queries import load

_sql = load("skerry.api")


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    tenant: str
    user: str
    password: str
    code: str = ""


class Collect(msgspec.Struct, forbid_unknown_fields=True):
    """What a program has once its user signed in at an issuer."""

    code: str
    verifier: str


async def open_session(edge: Edge, request: Request) -> Response:
    """POST tenant, user and password, or code and verifier; the answer is a token for a while."""
    given = await requests.json_object(request)
    address = requests.address(request)
    if "code" in given and "tenant" not in given:
        coming: Collect = requests.convert(given, Collect)
        session = await signing_in.collect(
            edge.db, code=coming.code, verifier=coming.verifier, address=address
        )
    else:
        sent: SignIn = requests.convert(given, SignIn)
        session = await passwords.login(
            edge.db,
            tenant=sent.tenant,
            name=sent.user,
            password=sent.password,
            address=address,
            code=sent.code,
            sealer=edge.resources.sealer,
        )
    body = {
        "token": session.secret,
        "tenant": session.tenant,
        "subject": session.subject,
        "expiresAt": stamp(session.expires_at),
        **({"recoveryCodes": session.recovery} if session.recovery else {}),
    }
    return Response(msgspec.json.encode(body), 201, media_type="application/json")


async def begin_factor(edge: Edge, request: Request) -> Response:
    """POST tenant, user and password: the seed of a second factor, to be confirmed by signing in
    with its first code."""
    sent: SignIn = requests.convert(await requests.json_object(request), SignIn)
    address = requests.address(request)
    user = await passwords.proved(
        edge.db, tenant=sent.tenant, name=sent.user, password=sent.password, address=address
    )
    async with edge.db.transaction() as tx:
        begun = await second_factor.begin(
            tx, edge.resources.sealer, tenant=sent.tenant, uid=user["uid"], name=user["name"]
        )
    return Response(msgspec.json.encode(begun), 201, media_type="application/json")


async def drop_factor(edge: Edge, request: Request) -> Response:
    """DELETE with tenant, user, password and a code: their own second factor is dropped."""
    sent: SignIn = requests.convert(await requests.json_object(request), SignIn)
    address = requests.address(request)
    user = await passwords.proved(
        edge.db, tenant=sent.tenant, name=sent.user, password=sent.password, address=address
    )
    whose = {"tenant": sent.tenant, "uid": user["uid"]}
    await second_factor.proved(edge.db, edge.resources.sealer, code=sent.code, **whose)
    async with edge.db.transaction() as tx:
        await second_factor.drop(tx, name=user["name"], **whose)
    return Response(status_code=202)


async def close_session(edge: Edge, request: Request) -> Response:
    """DELETE with the session's token: it is worth nothing from now on."""
    await edge.principal(request)
    secret = request.headers["authorization"].partition(" ")[2].strip()
    await passwords.logout(edge.db, secret)
    return Response(status_code=202)


async def whoami(edge: Edge, request: Request) -> Response:
    """Who the token's bearer is."""
    who = await edge.principal(request)
    body: dict[str, object] = {
        "tenant": who.tenant,
        "subject": who.subject,
        "displayName": who.display_name,
        "operator": who.is_operator,
    }
    expires_at = await edge.db.fetchval(_sql.token_ends, who.token_id)
    if expires_at is not None:
        body["expiresAt"] = stamp(expires_at)
    return Response(msgspec.json.encode(body), media_type="application/json")


async def list_sessions(edge: Edge, request: Request) -> Response:
    """GET: the caller's own sessions and tokens, newest first."""
    who = await edge.principal(request)
    found = await sessions.listed(edge.db, who)
    return Response(msgspec.json.encode({"items": found}), media_type="application/json")


async def close_other(edge: Edge, request: Request) -> Response:
    """DELETE of one of the caller's own sessions."""
    who = await edge.principal(request)
    await sessions.close(edge.db, who, request.path_params["session"])
    return Response(status_code=202)


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """Where a ticket is to lead."""

    path: str


async def ticket(edge: Edge, request: Request) -> Response:
    """POST the path of a channel: a ticket that opens it once. Whoever may not is told so here,
    because a browser hears nothing of why a websocket was refused."""
    who = await edge.principal(request)
    wanted: Wanted = requests.convert(await requests.json_object(request), Wanted)
    found = edge.routes.known(wanted.path.removeprefix("/providers/"))
    if found is None or found.channel is None or not can_exist(found.kind, found.path):
        raise NotFound("there is no channel there", hint="Such as /providers/…/jobs/NAME/exec.")
    await channels.allowed(edge, found, who)
    secret, expires_at = await tickets.issue(edge.db, who, wanted.path)
    body = {"ticket": secret, "expiresAt": stamp(expires_at)}
    return Response(msgspec.json.encode(body), 201, media_type="application/json")
