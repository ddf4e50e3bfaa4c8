"""What a tenant sees of its secrets, and what its workloads get of them."""

import json

import pytest

from skerry.kernel.errors import ValidationError
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.resources import Resource
from skerry.products.run.secrets import values
from skerry.products.run.secrets.specs import KEPT, SecretRef
from skerry.products.run.secrets.values import MissingSecret
from tests.products.run.cloud import AT, REGISTRY, Cloud


async def put(cloud: Cloud, name: str = "db", **data: str) -> Resource:
    return await cloud.put("secret", name, {"data": data} if data else {})


async def status(cloud: Cloud, secret: Resource) -> dict[str, object]:
    async with cloud.db.transaction() as tx:
        return dict(await REGISTRY["secret"].hooks.shown(tx, cloud.resources, secret))


async def resolve(cloud: Cloud, owner: Resource, *refs: SecretRef) -> values.Given:
    async with cloud.db.transaction() as tx:
        return await values.resolve(tx, cloud.resources, owner, refs)


class TestVersions:
    async def test_other_values_are_another_version(self, cloud: Cloud) -> None:
        secret = await put(cloud, user="ann", password="one")
        await put(cloud, user="ann", password="two")
        shown = await status(cloud, secret)
        assert (shown["version"], shown["keys"]) == (2, ["password", "user"])
        assert [v["version"] for v in shown["versions"]] == [2, 1]

    async def test_the_same_values_again_are_no_version(self, cloud: Cloud) -> None:
        secret = await put(cloud, a="x")
        await put(cloud, a="x")
        await put(cloud)
        assert (await status(cloud, secret))["version"] == 1

    async def test_only_the_last_are_kept(self, cloud: Cloud) -> None:
        for number in range(KEPT + 3):
            secret = await put(cloud, a=str(number))
        assert len((await status(cloud, secret))["versions"]) == KEPT
        with pytest.raises(MissingSecret, match="no version 3 any more: it keeps 4 to 13"):
            await resolve(cloud, secret, SecretRef(secret="db", key="a", version=3))

    async def test_no_value_at_all_is_refused(self, cloud: Cloud) -> None:
        with pytest.raises(ValidationError, match="at least one value"):
            await put(cloud)

    async def test_too_much_is_refused(self, cloud: Cloud) -> None:
        with pytest.raises(ValidationError, match="bytes together"):
            await put(cloud, a="x" * 200_000, b="x" * 200_000)


class TestSilence:
    async def test_no_value_is_in_document_feed_or_table(self, cloud: Cloud) -> None:
        secret = await put(cloud, password="hunter2-hunter2")
        told = json.dumps(await status(cloud, secret)) + json.dumps(secret.spec)
        tables = await cloud.db.fetchval(
            "select string_agg(t::text, '') from (select resource::text t from resource"
            " union all select change::text from change union all select sealed::text from sealed"
            ") all_of_it"
        )
        assert "hunter2" not in told + tables

    async def test_what_is_deleted_is_gone(self, cloud: Cloud) -> None:
        secret = await put(cloud, a="x")
        async with cloud.db.transaction() as tx:
            await cloud.resources.delete(tx, secret, SYSTEM)
        assert await cloud.db.fetchval("select count(*) from sealed") == 0
        with pytest.raises(MissingSecret, match="no secret 'db' in workspace 'lab'"):
            await resolve(cloud, secret, SecretRef(secret="db", key="a"))


class TestUse:
    async def test_variables_and_files_of_any_version(self, cloud: Cloud) -> None:
        owner = await put(cloud, a="one", b="B")
        await put(cloud, a="two", b="B")
        given = await resolve(
            cloud,
            owner,
            SecretRef(secret="db", key="a", env="NEW"),
            SecretRef(secret="db", key="a", env="OLD", version=1),
            SecretRef(secret="db", key="b", path="/run/b"),
        )
        assert given == values.Given({"NEW": "two", "OLD": "one"}, {"/run/b": "B"})

    async def test_a_value_that_is_not_there(self, cloud: Cloud) -> None:
        owner = await put(cloud, a="one", b="B")
        with pytest.raises(MissingSecret, match="has no value 'c', but a, b"):
            await resolve(cloud, owner, SecretRef(secret="db", key="c"))

    async def test_another_workspace_has_it_not(self, cloud: Cloud) -> None:
        owner = await put(cloud, a="one")
        await cloud.put("workspace", "other", {})
        elsewhere = await cloud.put(
            "secret", "own", {"data": {"a": "x"}}, AT.__class__(AT.tenant, "other")
        )
        assert owner.workspace != elsewhere.workspace
        with pytest.raises(MissingSecret, match="no secret 'db' in workspace 'other'"):
            await resolve(cloud, elsewhere, SecretRef(secret="db", key="a"))

    async def test_a_registrys_user_and_password(self, cloud: Cloud) -> None:
        owner = await put(cloud, username="ann", password="pw")
        async with cloud.db.transaction() as tx:
            assert await values.login(tx, cloud.resources, owner, "db") == ("ann", "pw")
        await put(cloud, "half", username="ann")
        async with cloud.db.transaction() as tx:
            with pytest.raises(MissingSecret, match="no value 'password'"):
                await values.login(tx, cloud.resources, owner, "half")
