"""From a token to a principal: what is honoured, and how soon that ends."""

import asyncio
from datetime import timedelta

import pytest

from skerry.identity import authenticate
from skerry.identity.authorize import authorize, can, target_of
from skerry.identity.roles import Target
from skerry.identity.tokens import mint
from skerry.kernel.errors import NotFound, Unauthenticated, ValidationError
from skerry.kernel.paths import Path

from .conftest import THING, Cloud

IMAGE = Target("seca.storage/v1", "acme", "blue", "here", "images/i")


def assignment(*roles: str, subs: tuple[str, ...] = ("ann",), **scope: list[str]):
    return {"roles": list(roles), "subs": list(subs), "scopes": [scope]}


async def test_a_token_tells_who_bears_it(acme: Cloud):
    principal = await acme.who(await acme.token("ann.laptop", subject="ann"))
    assert (principal.tenant, principal.subject) == ("acme", "users/ann")
    assert principal.display_name == "ann"
    assert not principal.is_operator


async def test_a_service_account_bears_its_own(acme: Cloud):
    await acme.put("service-account", "ci", tenant="acme")
    principal = await acme.who(await acme.token("ci", subject="service-accounts/ci"))
    assert principal.subject == "service-accounts/ci"


async def test_the_operator_may_do_everything_everywhere(acme: Cloud):
    operator = await acme.who(acme.root)
    assert operator.is_operator
    for target in (IMAGE, target_of(THING, Path("zeta", "w", name="t"))):
        authorize(operator, "delete", target)


@pytest.mark.parametrize("secret", ["", "Bearer x", "skerry_user_short", "skerry_user_" + "a" * 49])
async def test_what_is_no_token(cloud: Cloud, secret):
    with pytest.raises(Unauthenticated, match="not a token of Skerry"):
        await cloud.who(secret)


async def test_an_unknown_token(cloud: Cloud):
    with pytest.raises(Unauthenticated, match="not known here"):
        await cloud.who(mint("user"))


async def test_an_expired_token(acme: Cloud):
    secret = await acme.token("ann.brief", subject="ann", ttlSeconds=60)
    authenticator = acme.authenticator(max_age=3600)
    await authenticator.authenticate(secret)
    await acme.db.shift_clock(timedelta(seconds=61))
    with pytest.raises(Unauthenticated, match=r"expired at \d{4}-"):
        await acme.who(secret)


async def test_a_proof_is_not_trusted_beyond_the_tokens_end(acme: Cloud, monkeypatch):
    secret = await acme.token("ann.brief", subject="ann", ttlSeconds=60)
    authenticator = acme.authenticator(max_age=3600)
    await authenticator.authenticate(secret)
    await acme.db.shift_clock(timedelta(seconds=61))
    later = authenticate.time.monotonic() + 61
    monkeypatch.setattr(authenticate.time, "monotonic", lambda: later)
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(secret)


@pytest.mark.parametrize("max_age", [0, 3600])
@pytest.mark.parametrize("end", ["token", "user", "disabled", "suspended"])
async def test_what_ends_a_token_ends_it_at_once(acme: Cloud, max_age, end):
    """In the process that does it, however long proofs are trusted."""
    secret = await acme.token("ann.laptop", subject="ann")
    authenticator = acme.authenticator(max_age)
    await authenticator.authenticate(secret)
    match end:
        case "token":
            await acme.delete("token", "ann.laptop", "acme")
        case "user":
            await acme.delete("user", "ann", "acme")
        case "disabled":
            await acme.put("user", "ann", {"disabled": True}, tenant="acme")
        case "suspended":
            await acme.put("tenant", "acme", {"suspended": True})
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(secret)


@pytest.mark.parametrize("end", ["user", "disabled", "suspended"])
async def test_what_ends_a_user_ends_sessions_opened_elsewhere(acme: Cloud, end):
    """Those of the gateway's sign-in, which know no token."""
    authenticator = acme.authenticator(0)
    ann = await acme.find("user", "ann", "acme")
    assert (await authenticator.standing(ann.uid, [])).subject == "users/ann"
    match end:
        case "user":
            await acme.delete("user", "ann", "acme")
        case "disabled":
            await acme.put("user", "ann", {"disabled": True}, tenant="acme")
        case "suspended":
            await acme.put("tenant", "acme", {"suspended": True})
    with pytest.raises(Unauthenticated, match="shut out, or gone"):
        await authenticator.standing(ann.uid, [])


async def test_another_process_asks_again_when_a_proof_is_too_old(acme: Cloud, monkeypatch):
    secret = await acme.token("ann.laptop", subject="ann")
    elsewhere = acme.authenticator(max_age=1)
    await elsewhere.authenticate(secret)
    await acme.db.execute("delete from token where resource_uid is not null")
    await elsewhere.authenticate(secret)
    later = authenticate.time.monotonic() + 1
    monkeypatch.setattr(authenticate.time, "monotonic", lambda: later)
    with pytest.raises(Unauthenticated):
        await elsewhere.authenticate(secret)


async def test_roles_and_assignments_count_from_their_commit_to_their_end(acme: Cloud):
    secret = await acme.token("ann.laptop", subject="ann")
    authenticator = acme.authenticator(max_age=3600)

    async def may(verb: str) -> bool:
        return can(await authenticator.authenticate(secret), verb, IMAGE)

    assert not await may("get")
    await acme.put("role-assignment", "a", assignment("painter"), tenant="acme")
    assert not await may("get"), "the role is not there yet"
    permission = {"provider": "seca.storage/v1", "resources": ["images/*"], "verb": ["GET"]}
    await acme.put("role", "painter", {"permissions": [permission]}, tenant="acme")
    assert await may("get")
    assert not await may("put")
    permission["verb"] = ["PUT"]
    await acme.put("role", "painter", {"permissions": [permission]}, tenant="acme")
    assert (await may("get"), await may("put")) == (False, True)
    await acme.delete("role", "painter", "acme")
    assert not await may("put")
    await acme.put("role-assignment", "a", assignment("seca.workspace-admin"), tenant="acme")
    assert await may("put")
    await acme.delete("role-assignment", "a", "acme")
    assert not await may("put")


async def test_a_role_taken_away_by_bare_sql_is_gone_as_well(acme: Cloud):
    """The epoch is raised by the database, not by the code that happens to write."""
    await acme.put("role-assignment", "a", assignment("seca.admin"), tenant="acme")
    secret = await acme.token("ann.laptop", subject="ann")
    authenticator = acme.authenticator()
    assert can(await authenticator.authenticate(secret), "get", IMAGE)
    await acme.db.execute("delete from resource where kind = 'role-assignment' and name = 'a'")
    assert not can(await authenticator.authenticate(secret), "get", IMAGE)


@pytest.mark.parametrize("sub", ["ann", "users/ann", "ANN@example.com", "*"])
async def test_what_an_assignment_may_call_a_user(acme: Cloud, sub):
    await acme.put("role-assignment", "a", assignment("seca.admin", subs=(sub,)), tenant="acme")
    assert can(await acme.who(await acme.token("t", subject="ann")), "get", IMAGE)


@pytest.mark.parametrize("sub", ["bob", "service-accounts/ann", "ann@example.org", "an", "ann*"])
async def test_what_is_somebody_else(acme: Cloud, sub):
    await acme.put("role-assignment", "a", assignment("seca.admin", subs=(sub,)), tenant="acme")
    assert not can(await acme.who(await acme.token("t", subject="ann")), "get", IMAGE)


async def test_a_user_and_a_service_account_of_one_name_are_two(acme: Cloud):
    await acme.put("service-account", "ann", tenant="acme")
    await acme.put("role-assignment", "a", assignment("seca.admin"), tenant="acme")
    service = await acme.who(await acme.token("t", subject="service-accounts/ann"))
    assert not can(service, "get", IMAGE)


async def test_a_new_address_counts_at_once(acme: Cloud):
    await acme.put(
        "role-assignment", "a", assignment("seca.admin", subs=("new@example.com",)), tenant="acme"
    )
    secret = await acme.token("t", subject="ann")
    authenticator = acme.authenticator(max_age=3600)
    assert not can(await authenticator.authenticate(secret), "get", IMAGE)
    await acme.put("user", "ann", {"email": "new@example.com"}, tenant="acme")
    assert can(await authenticator.authenticate(secret), "get", IMAGE)


async def test_another_tenants_assignments_reach_nobody_here(acme: Cloud):
    await acme.put("tenant", "zeta")
    await acme.put(
        "role-assignment", "a", assignment("seca.admin", subs=("*",), tenants=["acme"]),
        tenant="zeta",
    )  # fmt: skip
    await acme.put("user", "eve", tenant="zeta")
    with pytest.raises(NotFound):
        authorize(await acme.who(await acme.token("t", "zeta", subject="eve")), "get", IMAGE)
    assert not can(await acme.who(await acme.token("t", subject="ann")), "get", IMAGE)


async def test_a_tokens_scopes_narrow_it(acme: Cloud):
    await acme.put("role-assignment", "a", assignment("seca.admin"), tenant="acme")
    secret = await acme.token("t", subject="ann", scopes=[{"workspaces": ["blue"]}])
    principal = await acme.who(secret)
    assert can(principal, "put", IMAGE)
    with pytest.raises(NotFound):
        authorize(principal, "put", target_of(THING, Path("acme", "red", name="t"), "here"))


async def test_when_a_token_was_last_used(acme: Cloud):
    secret = await acme.token("t", subject="ann")
    assert await acme.shown("token", "t", "acme") == {}
    authenticator = acme.authenticator()
    await authenticator.flush()
    await authenticator.authenticate(secret)
    assert await acme.shown("token", "t", "acme") == {}, "not written in the request's path"
    await authenticator.flush()
    assert (await acme.shown("token", "t", "acme"))["lastUsedAt"].endswith("Z")


async def test_use_is_not_forgotten_while_the_database_is_away(acme: Cloud):
    secret = await acme.token("t", subject="ann")
    authenticator = acme.authenticator()
    await authenticator.authenticate(secret)
    await acme.db.execute("alter table token rename to away")
    with pytest.raises(Exception, match="does not exist"):
        await authenticator.flush()
    await acme.db.execute("alter table away rename to token")
    await authenticator.flush()
    assert "lastUsedAt" in await acme.shown("token", "t", "acme")


async def test_use_is_written_down_as_time_goes_by(acme: Cloud, monkeypatch):
    """Also when the database failed once in between."""
    naps = 0

    async def nap(seconds: float) -> None:
        nonlocal naps
        naps += 1
        if naps == 1:
            await acme.db.execute("alter table token rename to away")
        elif naps == 2:
            await acme.db.execute("alter table away rename to token")
        else:
            raise InterruptedError

    secret = await acme.token("t", subject="ann")
    authenticator = acme.authenticator()
    await authenticator.authenticate(secret)
    monkeypatch.setattr(authenticate.asyncio, "sleep", nap)
    with pytest.raises(InterruptedError):
        await authenticator.run()
    assert "lastUsedAt" in await acme.shown("token", "t", "acme")


async def test_memory_is_bounded(acme: Cloud):
    authenticator = authenticate.Authenticator(acme.db, max_age=3600, most=2)
    secrets = [await acme.token(f"t{n}", subject="ann") for n in range(4)]
    for secret in secrets:
        await authenticator.authenticate(secret)
    await authenticator.authenticate(secrets[0])
    assert len(authenticator._proofs._kept) == 2


async def test_whoever_gets_a_name_again_gets_nothing_of_the_one_before(acme: Cloud):
    secret = await acme.token("ann.laptop", subject="ann")
    await acme.delete("user", "ann", "acme")
    await acme.put("user", "ann", tenant="acme")
    with pytest.raises(Unauthenticated):
        await acme.who(secret)
    assert await acme.find("token", "ann.laptop", "acme") is None


async def test_an_auditors_visit_begins_and_ends_by_the_databases_clock(acme: Cloud):
    now = await acme.db.fetchval("select skerry_now()")
    visit = assignment("skerry.auditor") | {
        "notBefore": (now + timedelta(hours=1)).isoformat(),
        "notAfter": (now + timedelta(hours=2)).isoformat(),
    }
    await acme.put("role-assignment", "visit", visit, tenant="acme")
    secret = await acme.token("ann.visit", subject="ann")
    authenticator = acme.authenticator(max_age=3600)
    for hours, may in ((0, False), (1.5, True), (1, False)):
        await acme.db.shift_clock(timedelta(hours=hours))
        authenticator = authenticator if not hours else acme.authenticator(max_age=3600)
        assert can(await authenticator.authenticate(secret), "get", IMAGE) is may


async def test_what_is_remembered_ends_with_the_visit(acme: Cloud):
    now = await acme.db.fetchval("select skerry_now()")
    visit = assignment("skerry.auditor") | {"notAfter": (now + timedelta(seconds=0.2)).isoformat()}
    await acme.put("role-assignment", "visit", visit, tenant="acme")
    secret, authenticator = await acme.token("ann.visit", subject="ann"), acme.authenticator(3600)
    await authenticator.authenticate(secret)
    async with asyncio.timeout(30):
        while can(await authenticator.authenticate(secret), "get", IMAGE):
            await asyncio.sleep(0.05)


async def test_a_visit_that_ends_before_it_begins_is_refused(acme: Cloud):
    spec = assignment("skerry.auditor") | {
        "notBefore": "2026-12-02T00:00:00Z", "notAfter": "2026-12-01T00:00:00Z",
    }  # fmt: skip
    with pytest.raises(ValidationError, match="ends after it begins"):
        await acme.put("role-assignment", "visit", spec, tenant="acme")
