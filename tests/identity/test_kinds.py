"""Tenants, users, tokens, roles and workspaces as they are put and deleted."""

import pytest

from skerry.identity.authorize import authorize, can, target_of
from skerry.identity.kinds import KINDS
from skerry.kernel import changes
from skerry.kernel.errors import Conflict, Forbidden, ValidationError
from skerry.kernel.paths import Path

from .conftest import THING, Cloud

PERMISSION = {"provider": "seca.storage/v1", "resources": ["images/*"], "verb": ["GET"]}
ASSIGNMENT = {"roles": ["r"], "subs": ["ann"], "scopes": [{}]}


async def test_a_tenant_starts_with_somebody_who_manages_it(cloud: Cloud):
    await cloud.put("tenant", "acme")
    admin = await cloud.who(await cloud.token("t", subject="admin"))
    for kind in KINDS:
        if kind.scope == "tenant" and not kind.operator_only:
            authorize(admin, "put", target_of(kind, Path("acme", name="x"), "here"))
    assert not admin.is_operator
    await cloud.put("tenant", "acme", {"displayName": "Acme again"})
    assert await cloud.find("user", "admin", "acme") is not None


async def test_an_empty_tenant_can_go(acme: Cloud):
    await acme.token("t", subject="ann")
    await acme.put("role", "r", {"permissions": [PERMISSION]}, tenant="acme")
    await acme.put("service-account", "ci", tenant="acme")
    await acme.delete("tenant", "acme")
    left = await acme.db.fetch(
        "select ref from resource where tenant = 'acme' and deleted_at is null"
    )
    assert left == []


async def test_a_tenant_in_use_can_not(acme: Cloud):
    await acme.put("workspace", "blue", tenant="acme")
    with pytest.raises(Conflict, match="workspace blue"):
        await acme.delete("tenant", "acme")
    assert await acme.find("user", "ann", "acme") is not None, "nothing half-done"


async def test_the_operator_can_not_be_shut_out(cloud: Cloud):
    for noun, name, tenant in (
        ("tenant", "operator", ""),
        ("user", "operator", "operator"),
        ("role-assignment", "skerry.operator", "operator"),
    ):
        with pytest.raises(Conflict):
            await cloud.delete(noun, name, tenant)
    with pytest.raises(Conflict):
        await cloud.put("tenant", "operator", {"suspended": True})
    with pytest.raises(Conflict):
        await cloud.put("user", "operator", {"disabled": True}, tenant="operator")
    with pytest.raises(ValidationError):
        await cloud.put("role-assignment", "skerry.operator", ASSIGNMENT, tenant="operator",
                        by=await cloud.who(cloud.root))  # fmt: skip


@pytest.mark.parametrize("noun", ["user", "service-account"])
@pytest.mark.parametrize("name", ["has.dot", "a" * 65, "Upper", ""])
async def test_names_of_subjects(acme: Cloud, noun, name):
    """A dot in a token's name ends its owner's name."""
    with pytest.raises(ValidationError):
        await acme.put(noun, name, tenant="acme")


@pytest.mark.parametrize("noun", ["tenant", "workspace"])
async def test_names_that_no_scope_could_hold(acme: Cloud, noun):
    with pytest.raises(ValidationError, match="not a valid name"):
        await acme.put(noun, "a" * 65, tenant="" if noun == "tenant" else "acme")


async def test_an_address_stands_for_one_user(acme: Cloud):
    with pytest.raises(Conflict, match="user 'ann'"):
        await acme.put("user", "bob", {"email": "ANN@EXAMPLE.COM"}, tenant="acme")
    await acme.put("user", "ann", {"email": "ann@example.com"}, tenant="acme")
    await acme.put("user", "bob", {"email": ""}, tenant="acme")
    await acme.put("user", "cat", {"email": ""}, tenant="acme")
    await acme.put("tenant", "zeta")
    await acme.put("user", "ann", {"email": "ann@example.com"}, tenant="zeta")
    with pytest.raises(ValidationError, match="email"):
        await acme.put("user", "dan", {"email": "not an address"}, tenant="acme")


async def test_a_tokens_secret_is_shown_once_and_kept_nowhere(acme: Cloud):
    first = await acme.put("token", "t", {"subject": "ann"}, tenant="acme")
    secret = first.once["secret"]
    assert secret.startswith("skerry_user_")
    again = await acme.put(
        "token", "t", {"subject": "ann", "description": "the same"}, tenant="acme"
    )
    assert again.once == {}
    await acme.who(secret)
    for table in ("resource", "change", "token"):
        rows = await acme.db.fetch(f"select * from {table}")
        assert secret not in str([tuple(row) for row in rows])


async def test_when_a_token_expires(acme: Cloud):
    put = await acme.put("token", "a", {"subject": "ann"}, tenant="acme")
    assert put.resource.status["subject"] == "users/ann"
    assert put.resource.status["expiresAt"] is not None, "in 90 days unless told otherwise"
    put = await acme.put("token", "b", {"subject": "ann", "ttlSeconds": 0}, tenant="acme")
    assert put.resource.status["expiresAt"] is None
    at = "2030-01-02T03:04:05+00:00"
    put = await acme.put("token", "c", {"subject": "ann", "expiresAt": at}, tenant="acme")
    assert put.resource.status["expiresAt"] == "2030-01-02T03:04:05.000000Z"
    past = "2020-01-02T03:04:05+00:00"
    await acme.put("token", "b", {"subject": "ann", "expiresAt": past}, tenant="acme")
    assert await acme.db.fetchval("select count(*) from token where expires_at < now()") == 1


TAMPERED = {
    "digest": "digest = decode(repeat('00', 32), 'hex')",
    "whose": "subject_uid = (select uid from resource where ref like '%/users/admin')",
    "longer": "expires_at = null",
    "wider": "scopes = '[]'",
}


@pytest.mark.parametrize("change", [None, *TAMPERED, "gone"])
async def test_a_token_altered_behind_our_back_is_found(acme: Cloud, change):
    """What lets people in is held against what the log says of it."""
    scopes = [{"workspaces": ["blue"]}]
    put = await acme.put("token", "t", {"subject": "ann", "scopes": scopes}, tenant="acme")
    ref = put.resource.ref
    if change == "gone":
        await acme.db.execute("delete from token where resource_uid is not null")
    elif change:
        uid = put.resource.uid
        await acme.db.execute(f"update token set {TAMPERED[change]} where resource_uid = $1", uid)
    async with acme.db.transaction(readonly=True) as tx:
        live = await changes.WITNESSES["token"](tx, ref)
        logged = await tx.fetchval(
            "select body from change where subject = $1 order by version desc limit 1", ref
        )
    assert (changes.canonical(live).decode() == logged) is (change is None)


async def test_the_log_of_a_deleted_token(acme: Cloud):
    await acme.token("t", subject="ann")
    found = await acme.find("token", "t", "acme")
    assert found is not None
    await acme.delete("token", "t", "acme")
    async with acme.db.transaction(readonly=True) as tx:
        live = await changes.WITNESSES["token"](tx, found.ref)
        assert await changes.WITNESSES["token"](tx, "no/such") is None
    assert live is not None
    assert live["deleted_at"] is not None


@pytest.mark.parametrize("subject", ["nobody", "service-accounts/ann", "users/", ""])
async def test_a_token_of_nobody(acme: Cloud, subject):
    with pytest.raises(ValidationError, match=r"there is no |whose"):
        await acme.put("token", "t", {"subject": subject}, tenant="acme")


async def test_ones_own_token(acme: Cloud):
    ann = await acme.who(await acme.token("t", subject="ann"))
    mine = await acme.put("token", "ann.second", tenant="acme", by=ann)
    assert (await acme.who(mine.once["secret"])).subject == "users/ann"
    with pytest.raises(Forbidden, match="users/admin"):
        await acme.put("token", "ann.third", {"subject": "admin"}, tenant="acme", by=ann)
    await acme.token("ann.trap", subject="admin")
    with pytest.raises(Forbidden):
        await acme.put("token", "ann.trap", {"subject": "admin"}, tenant="acme", by=ann)


async def test_an_administrator_makes_tokens_for_others(acme: Cloud):
    admin = await acme.who(await acme.token("t", subject="admin"))
    put = await acme.put("token", "ann.x", {"subject": "ann"}, tenant="acme", by=admin)
    assert (await acme.who(put.once["secret"])).subject == "users/ann"
    operator = await acme.who(acme.root)
    with pytest.raises(ValidationError, match="whose"):
        await acme.put("token", "y", tenant="acme", by=operator)


async def test_a_narrowed_token_makes_none(acme: Cloud):
    secret = await acme.token("t", subject="admin", scopes=[{"tenants": ["acme"]}])
    narrowed = await acme.who(secret)
    with pytest.raises(Forbidden, match="scopes"):
        await acme.put("token", "u", {"subject": "admin"}, tenant="acme", by=narrowed)


async def test_whose_a_token_is_does_not_change(acme: Cloud):
    await acme.token("t", subject="ann")
    for change in ({"subject": "admin"}, {"subject": "ann", "scopes": [{"regions": ["r"]}]}):
        with pytest.raises(ValidationError, match="can't be changed"):
            await acme.put("token", "t", change, tenant="acme")


@pytest.mark.parametrize("provider", ["seca.storage", "seca.storage/v1", "test.things/v1beta1"])
async def test_roles_name_providers_that_are_known(acme: Cloud, provider):
    permission = PERMISSION | {"provider": provider, "verb": ["GET", "post.start"]}
    put = await acme.put("role", "r", {"permissions": [permission]}, tenant="acme")
    assert put.resource.spec == {"permissions": [permission]}, "echoed as it was sent"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"provider": "non-existent-provider"}, "/spec/permissions/0/provider"),
        ({"provider": "*"}, "/spec/permissions/0/provider"),
        ({"provider": "seca.storage/"}, "/spec/permissions/0/provider"),
        ({"provider": "seca.storage/latest"}, "/spec/permissions/0/provider"),
        ({"verb": ["GET", "CONNECT"]}, "/spec/permissions/0/verb/1"),
        ({"verb": ["a" * 8]}, "/spec/permissions/0/verb/0"),
    ],
)
async def test_roles_that_mean_nothing(acme: Cloud, change, pointer):
    with pytest.raises(ValidationError) as refusal:
        await acme.put("role", "r", {"permissions": [PERMISSION | change]}, tenant="acme")
    assert [source.pointer for source in refusal.value.sources] == [pointer]


async def test_a_role_too_large_to_decide_quickly(acme: Cloud):
    wide = PERMISSION | {"resources": [f"images/i{n}" for n in range(256)]}
    await acme.put("role", "r", {"permissions": [wide] * 4}, tenant="acme")
    with pytest.raises(ValidationError, match="at most 1024"):
        await acme.put("role", "r", {"permissions": [wide] * 5}, tenant="acme")


@pytest.mark.parametrize("noun", ["role", "role-assignment"])
@pytest.mark.parametrize("name", ["seca.admin", "skerry.owner.blue"])
async def test_names_that_only_skerry_gives(acme: Cloud, noun, name):
    spec = {"permissions": [PERMISSION]} if noun == "role" else ASSIGNMENT
    admin = await acme.who(await acme.token("t", subject="admin"))
    with pytest.raises(ValidationError, match="Skerry's own"):
        await acme.put(noun, name, spec, tenant="acme", by=admin)


async def test_a_workspace_is_its_creators(acme: Cloud):
    ann = await acme.who(await acme.token("t", subject="ann"))
    await acme.put("workspace", "blue", tenant="acme", by=ann)
    ann = await acme.who(await acme.token("u", subject="ann"))
    authorize(ann, "delete", target_of(THING, Path("acme", "blue", name="t"), "here"))
    for name, allowed in (("blue", True), ("red", False)):
        workspace = acme.resources.registry["workspace"]
        assert can(ann, "put", target_of(workspace, Path("acme", name=name), "here")) is allowed
    await acme.put("workspace", "blue", {"note": "again"}, tenant="acme", by=ann)


async def test_that_ends_with_the_workspace(acme: Cloud):
    """Whoever makes one of the same name later owes nothing to who had it before."""
    secret = await acme.token("t", subject="ann")
    await acme.put("workspace", "blue", tenant="acme", by=await acme.who(secret))
    await acme.delete("workspace", "blue", "acme")
    await acme.put("workspace", "blue", tenant="acme")
    target = target_of(THING, Path("acme", "blue", name="t"), "here")
    assert not can(await acme.who(secret), "get", target)


async def test_that_can_be_taken_away(acme: Cloud):
    secret = await acme.token("t", subject="ann")
    await acme.put("workspace", "blue", tenant="acme", by=await acme.who(secret))
    await acme.delete("role-assignment", "skerry.owner.blue", "acme")
    target = target_of(THING, Path("acme", "blue", name="t"), "here")
    assert not can(await acme.who(secret), "get", target)
    await acme.delete("workspace", "blue", "acme")


async def test_a_user_made_anew_owns_nothing(acme: Cloud):
    ann = await acme.who(await acme.token("t", subject="ann"))
    await acme.put("workspace", "blue", tenant="acme", by=ann)
    await acme.delete("user", "ann", "acme")
    await acme.put("user", "ann", tenant="acme")
    target = target_of(THING, Path("acme", "blue", name="t"), "here")
    assert not can(await acme.who(await acme.token("t", subject="ann")), "get", target)


async def test_an_operator_making_a_workspace_gives_nothing_away(acme: Cloud):
    await acme.put("workspace", "blue", tenant="acme", by=await acme.who(acme.root))
    assert await acme.find("role-assignment", "skerry.owner.blue", "acme") is None


async def test_how_full_a_workspace_is(acme: Cloud):
    await acme.put("workspace", "blue", tenant="acme")
    assert await acme.shown("workspace", "blue", "acme") == {"resourceCount": 0}
    await acme.put("thing", "one", tenant="acme", workspace="blue")
    assert await acme.shown("workspace", "blue", "acme") == {"resourceCount": 1}


async def test_service_accounts_show_nothing_more(acme: Cloud):
    await acme.put("service-account", "ci", tenant="acme")
    assert await acme.shown("service-account", "ci", "acme") == {}
