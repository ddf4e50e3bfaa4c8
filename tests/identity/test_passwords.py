"""Passwords: logging in, and being slowed down."""

import asyncio
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from skerry.identity import attempts, passwords
from skerry.identity.specs import SetPassword
from skerry.kernel.errors import (
    Forbidden,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    ValidationError,
)

from .conftest import Cloud

RIGHT = "correct horse battery"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    """The same algorithm with parameters that do not make the suite slow."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(1, 64, 1))


@pytest.fixture
async def ann(acme: Cloud) -> Cloud:
    await acme.act("user", "ann", "acme", "set-password", SetPassword(password=RIGHT))
    return acme


async def login(cloud: Cloud, name="ann", password=RIGHT, tenant="acme", address="192.0.2.1"):
    return await passwords.login(
        cloud.db, tenant=tenant, name=name, password=password, address=address
    )


@pytest.mark.parametrize("name", ["ann", "Ann", "ANN@example.com"])
async def test_a_password_gives_a_session(ann: Cloud, name):
    session = await login(ann, name)
    assert session.subject == "users/ann"
    principal = await ann.who(session.secret)
    assert (principal.tenant, principal.subject) == ("acme", "users/ann")
    assert (await ann.shown("user", "ann", "acme")) == {
        "hasPassword": True,
        "hasSecondFactor": False,
    }


async def test_a_login_is_on_record(ann: Cloud):
    await login(ann)
    row = await ann.db.fetchrow("select * from change where kind = 'login'")
    assert row is not None
    assert (row["tenant"], row["actor"]) == ("acme", "ann@acme")
    assert "192.0.2.1" in row["body"]


async def test_a_session_ends(ann: Cloud):
    session = await login(ann)
    await ann.db.shift_clock(passwords.SESSION + timedelta(seconds=1))
    with pytest.raises(Unauthenticated, match="expired"):
        await ann.who(session.secret)
    await ann.authenticator().flush()
    assert await ann.db.fetchval("select count(*) from token where resource_uid is null") == 0


async def test_logging_out(ann: Cloud):
    session = await login(ann)
    authenticator = ann.authenticator(max_age=3600)
    await authenticator.authenticate(session.secret)
    await passwords.logout(ann.db, session.secret)
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(session.secret)
    await passwords.logout(ann.db, session.secret)
    await passwords.logout(ann.db, ann.root)
    assert (await ann.who(ann.root)).is_operator, "only sessions are logged out"


@pytest.mark.parametrize(
    ("name", "tenant", "password"),
    [
        ("ann", "acme", "wrong"),
        ("ann", "acme", ""),
        ("nobody", "acme", RIGHT),
        ("admin", "acme", RIGHT),
        ("ann", "zeta", RIGHT),
        ("ann", "operator", RIGHT),
    ],
)
async def test_every_refusal_reads_the_same(ann: Cloud, name, tenant, password):
    """Whether the password, the user or the tenant is wrong, or no password was ever set."""
    with pytest.raises(Unauthenticated) as refusal:
        await login(ann, name, password, tenant)
    assert refusal.value.detail == "Name or password is wrong."


async def test_a_refusal_takes_the_same_work_for_a_user_who_is_not_there(ann: Cloud, monkeypatch):
    checked = []
    verify = passwords._verify
    monkeypatch.setattr(
        passwords, "_verify", lambda hash, word: checked.append(hash) or verify(hash, word)
    )
    for name in ("ann", "nobody"):
        with pytest.raises(Unauthenticated):
            await login(ann, name, "wrong")
    one, other = (hash.rsplit("$", 2)[0] for hash in checked)
    assert one == other, "one check each, with the same parameters"


@pytest.mark.parametrize("change", ["disabled", "suspended"])
async def test_who_is_shut_out_can_not_log_in(ann: Cloud, change):
    if change == "disabled":
        await ann.put("user", "ann", {"disabled": True}, tenant="acme")
    else:
        await ann.put("tenant", "acme", {"suspended": True})
    with pytest.raises(Unauthenticated, match="Name or password"):
        await login(ann)


async def test_guessing_at_an_account_is_slowed_down(ann: Cloud):
    """From wherever the guesses come."""
    for n in range(attempts.MOST_PER_ACCOUNT):
        with pytest.raises(Unauthenticated):
            await login(ann, password="wrong", address=f"192.0.2.{n}")
    with pytest.raises(TooManyRequests) as refusal:
        await login(ann)
    assert "Wait 9" in refusal.value.hint or "Wait 8" in refusal.value.hint
    await ann.db.shift_clock(timedelta(seconds=attempts.WINDOW_SECONDS + 1))
    await login(ann)


async def test_guessing_from_an_address_is_slowed_down(ann: Cloud, monkeypatch):
    """Whatever the accounts; IPv6 addresses count by their /64."""
    monkeypatch.setattr(passwords, "MOST_PER_ADDRESS", 3)
    for n in range(3):
        with pytest.raises(Unauthenticated):
            await login(ann, f"user{n}", address=f"2001:db8::{n}")
    with pytest.raises(TooManyRequests):
        await login(ann, address="2001:db8::ffff:1")
    await login(ann, address="2001:db8:0:1::1")
    await login(ann, address="not an address")


async def test_success_is_forgiven(ann: Cloud, monkeypatch):
    monkeypatch.setattr(passwords, "MOST_PER_ACCOUNT", 2)
    monkeypatch.setattr(passwords, "MOST_PER_ADDRESS", 2)
    for _ in range(4):
        await login(ann)
    with pytest.raises(Unauthenticated):
        await login(ann, password="wrong")
    await login(ann)


async def test_many_at_once_are_counted_each(ann: Cloud):
    async def wrong() -> type[Exception]:
        with pytest.raises((Unauthenticated, TooManyRequests)) as refusal:
            await login(ann, password="wrong")
        return refusal.type

    done = await asyncio.gather(*(wrong() for _ in range(attempts.MOST_PER_ACCOUNT + 5)))
    assert done.count(TooManyRequests) == 5


async def test_a_crowd_is_sent_away_rather_than_kept_waiting(ann: Cloud, monkeypatch):
    monkeypatch.setattr(passwords, "MOST_WAITING", 2)
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(3, 65536, 1))
    done = await asyncio.gather(*(login(ann) for _ in range(6)), return_exceptions=True)
    assert any(isinstance(answer, Unavailable) for answer in done)
    assert any(isinstance(answer, passwords.Session) for answer in done)


async def test_the_record_of_failures_is_bounded(ann: Cloud):
    rows = {attempts.bucket("account", str(n)) // attempts._BUCKETS for n in range(2000)}
    assert rows == {0}


async def test_a_hash_of_older_parameters_is_renewed(ann: Cloud, monkeypatch):
    old = await ann.db.fetchval("select hash from credential")
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(2, 64, 1))
    await login(ann)
    new = await ann.db.fetchval("select hash from credential")
    assert "t=1," in old
    assert "t=2," in new
    await login(ann)


async def test_a_broken_hash_matches_nothing():
    assert not await passwords.matches("what is this", RIGHT)


async def test_a_new_password_ends_the_sessions(ann: Cloud):
    session = await login(ann)
    authenticator = ann.authenticator(max_age=3600)
    await authenticator.authenticate(session.secret)
    await ann.act("user", "ann", "acme", "set-password", SetPassword(password="another one now"))
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(session.secret)
    with pytest.raises(Unauthenticated):
        await login(ann)
    await login(ann, password="another one now")


async def test_changing_ones_own_takes_the_present_one(ann: Cloud):
    me = await ann.who((await login(ann)).secret)
    change = SetPassword(password="another one now", current="wrong")
    with pytest.raises(Forbidden, match="present password"):
        await ann.act("user", "ann", "acme", "set-password", change, by=me)
    change.current = RIGHT
    await ann.act("user", "ann", "acme", "set-password", change, by=me)
    await login(ann, password="another one now")


async def test_the_first_own_password_takes_none(acme: Cloud):
    me = await acme.who(await acme.token("t", subject="ann"))
    await acme.act("user", "ann", "acme", "set-password", SetPassword(password=RIGHT), by=me)
    await login(acme)


async def test_the_address_is_no_password(acme: Cloud):
    with pytest.raises(ValidationError, match="is your name"):
        await acme.act(
            "user", "ann", "acme", "set-password", SetPassword(password="Ann@example.com")
        )


async def test_a_user_made_anew_has_no_password(ann: Cloud):
    await ann.delete("user", "ann", "acme")
    await ann.put("user", "ann", tenant="acme")
    assert not (await ann.shown("user", "ann", "acme"))["hasPassword"]
    with pytest.raises(Unauthenticated):
        await login(ann)
