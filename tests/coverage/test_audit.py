"""Every write leaves its mark: one change for each version, with its leaf, its actor and its place
in the log, and the audit of the whole finds nothing wrong."""

from pathlib import Path
from typing import Any

import pytest

from skerry.kernel import changes
from skerry.kernel.kinds import Kind
from skerry.kernel.rows import watch_over
from skerry.proof import audit
from skerry.store import Database
from tests.coverage.conftest import KINDS, REGISTRY, each_kind, excepted, path
from tests.harness.samples import example, name_of, sample
from tests.harness.served import Served, elsewhere, until

WRITTEN = [kind for kind in KINDS if "put" in kind.ops]
ACTIONS = [(kind, action) for kind in WRITTEN for action in kind.actions]


def recorded(cloud: Served, ref: str, kind: str) -> list[tuple[str, int, str]]:
    """Verb, version and actor of each change told of a resource, oldest first; of the last, where
    there were several of that name."""
    rows = cloud.rows(
        "with told as (select *, body::json ->> 'uid' as uid from change"
        " where subject = $1 and kind = $2)"
        " select verb, version, actor from told"
        " where uid = (select uid from told order by at desc, version desc limit 1)"
        " order by version, at",
        ref, kind,
    )  # fmt: skip
    return [(row["verb"], row["version"], row["actor"]) for row in rows]


def made(cloud: Served, kind: Kind, name: str) -> dict[str, Any]:
    """Put a resource, and what it lives in before."""
    if kind.parents:
        made(cloud, REGISTRY.above(kind), "one")
    answer = cloud.call("PUT", path(kind, name), {"spec": sample(kind)})
    assert answer.status_code in (200, 201), f"give {kind.noun} a sample: {answer.text}"
    return dict(answer.json())


@pytest.mark.parametrize("kind", WRITTEN, ids=lambda kind: kind.noun)
def test_each_version_of_a_resource_is_told_once(cloud: Served, kind: Kind) -> None:
    name = name_of(kind, f"told-{kind.noun}")
    ref = made(cloud, kind, name)["metadata"]["ref"]
    made(cloud, kind, name)
    if "delete" in kind.ops:
        assert cloud.call("DELETE", path(kind, name)).status_code == 202
        until(lambda: cloud.call("GET", path(kind, name)).status_code == 404, cloud.told)
    told = recorded(cloud, ref, kind.noun)
    versions = [version for _, version, _ in told]
    assert versions == list(range(1, len(told) + 1))
    by_operator = [verb for verb, _, actor in told if actor == "operator@operator"]
    assert by_operator[:2] == ["put", "put"]
    if "delete" in kind.ops:
        assert by_operator[2:] == (["delete"] if kind.flow else ["deleted"])
        assert told[-1][0] == "deleted"


@pytest.mark.parametrize(
    ("kind", "action"), ACTIONS, ids=[f"{kind.noun}-{action.name}" for kind, action in ACTIONS]
)
def test_each_action_is_told(cloud: Served, kind: Kind, action: Any) -> None:
    # One name for each kind: some put children that have the name of their owner.
    name = name_of(kind, f"acted-{kind.noun}")
    made(cloud, kind, name)
    before = cloud.rows("select count(*) from change where actor = 'operator@operator'")[0][0]
    body = None if action.spec is None else example(action.spec)
    if isinstance(body, dict) and "name" in body:
        body["name"] = "accepted"

    def act() -> int:
        return cloud.call("POST", f"{path(kind, name)}/{action.name}", body).status_code

    answered = act()
    if excepted("actions", f"{kind.noun}.{action.name}", answered == 409):
        return
    if answered == 409:
        # The action before this one is under way: a pod can be started once it has stopped.
        until(lambda: act() == 202, cloud.told)
    else:
        assert answered == 202
    after = cloud.rows("select count(*) from change where actor = 'operator@operator'")[0][0]
    assert after > before, "an action that nobody is told of"


@each_kind
def test_what_is_told_is_compared_with_what_is_there(kind: Kind) -> None:
    watch_over(REGISTRY)
    assert kind.noun in changes.WITNESSES


def test_everything_has_its_place_and_the_audit_is_clean(cloud: Served, tmp_path: Path) -> None:
    waiting = (
        "select count(*) from change c where not exists (select from feed where change_id = c.id)"
    )
    until(lambda: cloud.rows(waiting)[0][0] == 0, cloud.told)
    size = cloud.rows("select count(*) from feed")[0][0]
    checkpoint = "/providers/skerry.proof/v1/checkpoint"

    def published() -> bool:
        return int(cloud.http.get(checkpoint).text.split("\n")[1]) >= size

    until(published, cloud.told)
    vkey = cloud.http.get("/providers/skerry.proof/v1/key").text.strip()

    async def verify() -> list[str]:
        db = await Database.open(cloud.database, size=2)
        try:
            return [
                str(finding) for finding in await audit.verify(db, cloud.home / "data/log", vkey)
            ]
        finally:
            await db.close()

    watch_over(REGISTRY)
    assert elsewhere(verify()) == []
