"""One's own sessions: seen with where they came from, ended from elsewhere. And tickets."""

import asyncio
from datetime import timedelta

import pytest

from skerry.identity import passwords, tickets
from skerry.identity.authenticate import Authenticator
from skerry.identity.sessions import opened
from skerry.kernel.errors import Conflict, Unauthenticated
from tests.api.conftest import Site

IDENTITY = "/providers/skerry.identity/v1"
TENANT = f"{IDENTITY}/tenants/acme"


async def enters(site: Site, name: str, address: str) -> str:
    await site.call("PUT", f"{TENANT}/users/{name}", {"spec": {}})
    uid = await site.db.fetchval(
        "select uid from resource where kind = 'user' and name = $1 and tenant = 'acme'", name
    )
    async with site.db.transaction() as tx:
        session = await opened(
            tx, tenant="acme", uid=uid, name=name, address=address, by="password"
        )
    return session.secret


async def test_one_sees_and_ends_ones_own(site: Site) -> None:
    here, there = await enters(site, "ann", "10.0.0.1"), await enters(site, "ann", "10.9.9.9")
    other = await enters(site, "bob", "10.0.0.7")
    made = await site.call("PUT", f"{TENANT}/tokens/ann.ci", {"spec": {}}, token=here)
    assert made.status_code == 201, made.text
    found = (await site.call("GET", f"{IDENTITY}/sessions", token=here)).json()["items"]
    seen = [(one["token"], one["by"], one["address"], one["current"]) for one in found]
    assert seen == [
        ("ann.ci", "", "", False),
        (None, "password", "10.9.9.9", False),
        (None, "password", "10.0.0.1", True),
    ]
    assert "skerry_" not in str(found)
    _, away, mine = (one["id"] for one in found)
    whose = (await site.call("GET", f"{IDENTITY}/sessions", token=other)).json()["items"]
    named = found[0]["id"]
    for id, token in ((away, other), (named, here), ("x", here), (whose[0]["id"], here)):
        answer = await site.call("DELETE", f"{IDENTITY}/sessions/{id}", token=token)
        assert answer.status_code == 404
    assert (await site.call("GET", f"{IDENTITY}/whoami", token=there)).status_code == 200
    for id in (away, mine):
        answer = await site.call("DELETE", f"{IDENTITY}/sessions/{id}", token=here)
        assert answer.status_code == 202
    for token in (here, there):
        assert (await site.call("GET", f"{IDENTITY}/whoami", token=token)).status_code == 401


async def test_a_ticket_counts_once_for_one_path_and_for_a_while(site: Site) -> None:
    token = await enters(site, "ann", "")
    who = await Authenticator(site.db).authenticate(token)
    ticket, _ = await tickets.issue(site.db, who, "/a")
    redeemed = await asyncio.gather(
        *(tickets.redeem(site.db, ticket, "/a") for _ in range(5)), return_exceptions=True
    )
    assert [one for one in redeemed if one == who.token_id] == [who.token_id]
    ticket, _ = await tickets.issue(site.db, who, "/a")
    for path in ("/b", "/a"):
        with pytest.raises(Unauthenticated):
            await tickets.redeem(site.db, ticket, path)
    ticket, _ = await tickets.issue(site.db, who, "/a")
    await site.db.execute("update clock set shift = shift + $1", timedelta(seconds=31))
    for wrong in (ticket, "", "x", token):
        with pytest.raises(Unauthenticated):
            await tickets.redeem(site.db, wrong, "/a")


async def test_who_came_by_a_ticket_is_out_when_its_token_is(site: Site) -> None:
    token = await enters(site, "ann", "")
    authenticator = Authenticator(site.db)
    who = await authenticator.authenticate(token)
    ticket, _ = await tickets.issue(site.db, who, "/a")
    assert who.token_id is not None
    assert await authenticator.holder(who.token_id) == who
    await passwords.logout(site.db, token)
    with pytest.raises(Unauthenticated):
        await authenticator.holder(who.token_id)
    with pytest.raises(Unauthenticated):
        await tickets.redeem(site.db, ticket, "/a")
    standing = type(who)(who.tenant, who.subject)
    with pytest.raises(Conflict):
        await tickets.issue(site.db, standing, "/a")


async def test_a_ticket_leads_to_channels_only(site: Site) -> None:
    for path in ("", "/healthz", "/providers/t.goods/v1/tenants/acme/workspaces/prod/shelves/s"):
        answer = await site.call("POST", f"{IDENTITY}/tickets", {"path": path})
        assert answer.status_code == 404
    assert (await site.call("POST", f"{IDENTITY}/tickets", {})).status_code == 422
