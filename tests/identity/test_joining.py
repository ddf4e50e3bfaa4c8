"""Invitations and lost passwords: links that work once, and what they can't be made to give."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from skerry import notices
from skerry.identity import joining, passwords
from skerry.identity.specs import SetPassword
from skerry.kernel.errors import (
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    ValidationError,
)

from .conftest import Cloud

RIGHT = "correct horse battery"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(1, 64, 1))


async def invite(cloud: Cloud, name: str = "bob", by: Any = None, **more: Any) -> str:
    spec = {"email": f"{name}@example.com", **more}
    put = await cloud.put("invitation", name, spec, tenant="acme", by=by)
    return str(put.once["link"]).partition("code=")[2]


async def follow(cloud: Cloud, code: str, password: str = RIGHT) -> dict[str, str]:
    found = await joining.follow(
        cloud.db, cloud.resources, code=code, password=password, address="192.0.2.1"
    )
    return dict(found)


async def login(cloud: Cloud, name: str, password: str = RIGHT):
    return await passwords.login(
        cloud.db, tenant="acme", name=name, password=password, address="192.0.2.1"
    )


async def test_who_accepts_is_a_user_with_what_was_given(acme: Cloud):
    await acme.put("workspace", "blue", tenant="acme")
    code = await invite(acme, roles=["seca.workspace-viewer"], workspaces=["blue"])
    assert await follow(acme, code) == {"tenant": "acme", "user": "bob"}
    assert (await login(acme, "bob@example.com")).subject == "users/bob"
    given = await acme.find("role-assignment", "joined.bob", "acme")
    assert given is not None
    assert given.spec["scopes"] == [{"workspaces": ["blue"]}]
    invitation = await acme.find("invitation", "bob", "acme")
    assert invitation is not None
    assert (invitation.status["phase"], invitation.status["user"]) == ("accepted", "bob")
    with pytest.raises(Conflict, match="accepted already"):
        await invite(acme)
    await acme.delete("user", "bob", "acme")
    assert await acme.find("role-assignment", "joined.bob", "acme") is None, "it goes with the user"


async def test_a_link_works_once_even_for_two_at_once(acme: Cloud):
    code = await invite(acme)
    done = await asyncio.gather(*(follow(acme, code) for _ in range(3)), return_exceptions=True)
    assert [one for one in done if isinstance(one, dict)] == [{"tenant": "acme", "user": "bob"}]
    assert [type(one) for one in done if not isinstance(one, dict)] == [Gone, Gone]
    with pytest.raises(Gone, match="used already"):
        await follow(acme, code)


async def test_a_link_ends(acme: Cloud):
    code = await invite(acme, ttlSeconds=300)
    newer = await invite(acme, ttlSeconds=300)
    with pytest.raises(NotFound):  # the newer one counts
        await follow(acme, code)
    await acme.db.shift_clock(timedelta(seconds=301))
    with pytest.raises(Gone, match="too old"):
        await follow(acme, newer)
    assert (await acme.shown("invitation", "bob", "acme")) == {"phase": "expired"}
    code = await invite(acme)
    await acme.delete("invitation", "bob", "acme")
    for wrong in (code, "", "skerry_link_made-up", code[:-1] + "x"):
        with pytest.raises(NotFound):
            await follow(acme, wrong)
    await acme.db.shift_clock(timedelta(days=31))
    await acme.authenticator().flush()
    assert await acme.db.fetchval("select count(*) from one_time_link") == 0


@pytest.mark.parametrize("password", ["short", "x" * 257])
async def test_a_password_that_is_none_uses_nothing_up(acme: Cloud, password):
    code = await invite(acme)
    with pytest.raises(ValidationError):
        await follow(acme, code, password)
    assert (await follow(acme, code))["user"] == "bob"


async def test_nor_does_the_name_for_a_password(acme: Cloud):
    code = await invite(acme, userName="bob-the-builder")
    with pytest.raises(ValidationError, match="is your name"):
        await follow(acme, code, "bob-the-builder")
    assert (await follow(acme, code))["user"] == "bob-the-builder"


async def test_the_names_of_those_before_are_nobodys(acme: Cloud):
    left = {"roles": ["seca.admin"], "subs": ["users/bob", "Bob-2"], "scopes": [{}]}
    await acme.put("role-assignment", "left", left, tenant="acme")
    assert (await follow(acme, await invite(acme)))["user"] == "bob-3"


@pytest.mark.parametrize(
    ("roles", "may", "wanted"),
    [
        (["skerry.auditor"], [], Forbidden),
        (["seca.workspace-admin"], [], Forbidden),
        (["makes-users"], [], None),
        (["makes-users"], ["seca.admin"], Forbidden),
        (["seca.admin"], ["seca.admin"], None),
    ],
)
async def test_nobody_gives_more_than_they_could(acme: Cloud, roles, may, wanted):
    permission = {
        "provider": "skerry.identity", "resources": ["users/*", "invitations/*"], "verb": ["put"],
    }  # fmt: skip
    await acme.put("role", "makes-users", {"permissions": [permission]}, tenant="acme")
    given = {"roles": roles, "subs": ["ann"], "scopes": [{}]}
    await acme.put("role-assignment", "hers", given, tenant="acme")
    ann = await acme.who(await acme.token("ann.laptop", subject="ann"))
    if wanted is None:
        await invite(acme, by=ann, roles=may)
    else:
        with pytest.raises(wanted, match="may not invite"):
            await invite(acme, by=ann, roles=may)


async def test_nobody_is_invited_who_is_there(acme: Cloud):
    with pytest.raises(ValidationError, match="address of user 'ann'"):
        await acme.put("invitation", "ann", {"email": "ANN@example.com"}, tenant="acme")


async def test_a_tenant_goes_with_its_invitations(acme: Cloud):
    code = await invite(acme)
    await acme.delete("tenant", "acme")
    with pytest.raises(NotFound):
        await follow(acme, code)


async def reset(cloud: Cloud) -> str:
    found = await cloud.find("user", "ann", "acme")
    assert found is not None
    async with cloud.db.transaction() as tx:
        said = await cloud.resources.act(tx, found, "reset-password", None, by=_operator())
    return str(said["link"]).partition("code=")[2]


def _operator():
    from skerry.kernel.hooks import SYSTEM

    return SYSTEM


async def test_a_lost_password_is_set_anew(acme: Cloud):
    await acme.act("user", "ann", "acme", "set-password", SetPassword(password=RIGHT))
    session = await login(acme, "ann")
    code = await reset(acme)
    assert await follow(acme, code, "another horse battery") == {"tenant": "acme", "user": "ann"}
    with pytest.raises(Unauthenticated):
        await acme.who(session.secret)
    with pytest.raises(Unauthenticated):
        await login(acme, "ann")
    await login(acme, "ann", "another horse battery")
    with pytest.raises(Gone):
        await follow(acme, code, RIGHT)
    later = await reset(acme)
    await acme.db.shift_clock(timedelta(hours=1, seconds=1))
    with pytest.raises(Gone):
        await follow(acme, later)
    unused = await reset(acme)
    await acme.delete("user", "ann", "acme")
    with pytest.raises(NotFound):
        await follow(acme, unused)


async def ask(cloud: Cloud, name: str, tenant: str = "acme") -> None:
    await joining.count_reset(cloud.db, tenant=tenant, name=name, address="192.0.2.1")
    await joining.send_reset(cloud.db, cloud.resources, tenant=tenant, name=name)


async def test_who_forgot_theirs_is_mailed_a_link_and_told_nothing(acme: Cloud, monkeypatch):
    async def mails(tx):
        return True

    await ask(acme, "ann")
    assert await acme.db.fetchval("select count(*) from one_time_link") == 0, "no mail is sent here"
    monkeypatch.setattr(notices, "mail_configured", mails)
    await acme.put("user", "bob", tenant="acme")
    await acme.put("user", "eve", {"email": "eve@example.com", "disabled": True}, tenant="acme")
    for name, tenant in (("nobody", "acme"), ("ann", "none"), ("bob", "acme"), ("eve", "acme")):
        await ask(acme, name, tenant)
    assert await acme.db.fetchval("select count(*) from one_time_link") == 0
    await ask(acme, "ANN@example.com")
    assert await acme.db.fetchval("select count(*) from one_time_link") == 1
    for _ in range(4):
        await ask(acme, "ann")
    with pytest.raises(TooManyRequests):
        await ask(acme, "ann")


async def test_where_mail_is_sent_nobody_is_shown_the_link(acme: Cloud, monkeypatch):
    async def mails(tx):
        return True

    monkeypatch.setattr(notices, "mail_configured", mails)
    put = await acme.put("invitation", "bob", {"email": "bob@example.com"}, tenant="acme")
    assert put.once == {}


async def test_tries_are_counted(acme: Cloud, monkeypatch):
    monkeypatch.setattr(joining, "MOST_TRIES", 2)
    for wanted in (NotFound, NotFound, TooManyRequests):
        with pytest.raises(wanted):
            await follow(acme, "skerry_link_x")
