"""The first operator."""

import asyncio

from skerry.identity.bootstrap import first_operator, operator_token
from skerry.identity.kinds import KINDS
from skerry.kernel.kinds import Registry
from skerry.kernel.resources import Resources
from skerry.kernel.sealing import Sealer

from .conftest import Cloud


async def test_the_first_operator_is_made_once(db, tmp_path):
    """However many servers start at the same time."""
    resources = Resources(Registry(tuple(KINDS)), Sealer(tmp_path / "keys.json"))

    async def start() -> str | None:
        async with db.transaction() as tx:
            return await first_operator(tx, resources)

    made = [token for token in await asyncio.gather(*(start() for _ in range(4))) if token]
    assert len(made) == 1
    assert await start() is None
    cloud = Cloud(db, resources, made[0])
    principal = await cloud.who(made[0])
    assert (principal.tenant, principal.subject) == ("operator", "users/operator")
    assert principal.is_operator
    token = await cloud.find("token", "operator.first", "operator")
    assert token is not None
    assert token.status["expiresAt"] is None


async def test_a_lost_token_is_replaced(cloud: Cloud):
    secrets = []
    for _ in range(2):
        async with cloud.db.transaction() as tx:
            secrets.append(await operator_token(tx, cloud.resources, "operator.console"))
    assert (await cloud.who(secrets[1])).is_operator
    assert await cloud.db.fetchval("select count(*) from token") == 2, "the old one is gone"
