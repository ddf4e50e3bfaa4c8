"""A second factor: codes by time, each counted once, and who may not be without."""

import base64
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from argon2 import PasswordHasher

from skerry.identity import passwords, second_factor
from skerry.identity.second_factor import FactorMissing, FactorRequired, code_at
from skerry.identity.specs import SetPassword
from skerry.kernel.errors import Conflict, Forbidden, TooManyRequests, Unauthenticated

from .conftest import Cloud

RIGHT = "correct horse battery"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(1, 64, 1))


@pytest.fixture
async def ann(acme: Cloud) -> Cloud:
    await acme.act("user", "ann", "acme", "set-password", SetPassword(password=RIGHT))
    return acme


async def login(cloud: Cloud, code: str = "", password: str = RIGHT):
    return await passwords.login(
        cloud.db, tenant="acme", name="ann", password=password, address="192.0.2.1", code=code,
        sealer=cloud.resources.sealer,
    )  # fmt: skip


async def begin(cloud: Cloud) -> bytes:
    found = await cloud.find("user", "ann", "acme")
    assert found is not None
    async with cloud.db.transaction() as tx:
        begun = await second_factor.begin(
            tx, cloud.resources.sealer, tenant="acme", uid=found.uid, name="ann"
        )
    assert begun.svg.startswith("<svg")
    assert parse_qs(urlsplit(begun.uri).query)["secret"] == [begun.secret]
    return base64.b32decode(begun.secret)


async def code(cloud: Cloud, seed: bytes, steps: int = 0) -> str:
    now = await cloud.db.fetchval("select skerry_now()")
    return code_at(seed, int(now.timestamp()) // 30 + steps)


async def later(cloud: Cloud, steps: int = 1) -> None:
    await cloud.db.shift_clock(timedelta(seconds=30 * steps))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(seconds, told):
    """RFC 6238, appendix B."""
    assert code_at(b"12345678901234567890", seconds // 30) == told


async def test_it_counts_once_it_is_confirmed(ann: Cloud):
    seed = await begin(ann)
    assert (await login(ann)).recovery == (), "a code was never shown to work"
    session = await login(ann, await code(ann, seed))
    assert len(set(session.recovery)) == 10
    assert (await ann.shown("user", "ann", "acme"))["hasSecondFactor"]
    with pytest.raises(FactorRequired):
        await login(ann)
    with pytest.raises(Unauthenticated, match="Name or password"):
        await login(ann, await code(ann, seed, 1), password="wrong horse battery")
    with pytest.raises(Conflict):
        await begin(ann)
    await later(ann, 2)
    assert (await login(ann, await code(ann, seed))).recovery == ()


async def test_a_code_counts_once_and_in_its_time(ann: Cloud):
    seed = await begin(ann)
    first = await code(ann, seed)
    await login(ann, first)
    with pytest.raises(Unauthenticated, match="wrong, or was used"):
        await login(ann, first)
    await later(ann, 3)
    for steps in (-2, 2):
        with pytest.raises(Unauthenticated):
            await login(ann, await code(ann, seed, steps))
    await login(ann, await code(ann, seed, 1))
    with pytest.raises(Unauthenticated):  # one before a used one is used, too
        await login(ann, await code(ann, seed))


async def test_recovery_codes_work_once(ann: Cloud):
    seed = await begin(ann)
    recovery = (await login(ann, await code(ann, seed))).recovery
    await login(ann, recovery[3].upper())
    with pytest.raises(Unauthenticated):
        await login(ann, recovery[3])
    await login(ann, recovery[4].replace("-", ""))
    kept = await ann.db.fetchrow("select seed, recovery from second_factor")
    assert kept is not None
    assert len(kept["recovery"]) == 8
    assert seed not in kept["seed"]


async def test_guesses_are_counted(ann: Cloud):
    seed = await begin(ann)
    await login(ann, await code(ann, seed))
    for _ in range(second_factor.MOST_GUESSES):
        with pytest.raises(Unauthenticated):
            await login(ann, "000000x")
    await later(ann)
    with pytest.raises(TooManyRequests):
        await login(ann, await code(ann, seed))


async def test_a_tenant_may_demand_it_of_all_or_of_roles(ann: Cloud):
    await ann.put("tenant", "acme", {"secondFactor": ["seca.admin"]})
    await login(ann)
    given = {"roles": ["seca.admin"], "subs": ["ANN@example.com"], "scopes": [{}]}
    await ann.put("role-assignment", "chief", given, tenant="acme")
    with pytest.raises(FactorMissing):
        await login(ann)
    seed = await begin(ann)
    with pytest.raises(FactorMissing):
        await login(ann)
    with pytest.raises(Unauthenticated):
        await login(ann, "000000")
    await login(ann, await code(ann, seed))
    await ann.delete("role-assignment", "chief", "acme")
    await ann.put("tenant", "acme", {"secondFactor": ["*"]})
    await ann.act("user", "ann", "acme", "drop-second-factor", None)
    with pytest.raises(FactorMissing):
        await login(ann)


async def test_who_drops_their_own_shows_that_they_have_it(ann: Cloud):
    given = {"roles": ["seca.admin"], "subs": ["ann"], "scopes": [{}]}
    await ann.put("role-assignment", "chief", given, tenant="acme")
    seed = await begin(ann)
    session = await login(ann, await code(ann, seed))
    herself = await ann.who(session.secret)
    with pytest.raises(Forbidden, match="shows that they have it"):
        await ann.act("user", "ann", "acme", "drop-second-factor", None, herself)
    await ann.act("user", "ann", "acme", "drop-second-factor", None)
    await login(ann)
