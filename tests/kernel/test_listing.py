"""Lists give out each that fits once, in the order asked for, whatever the size of their pages."""

import base64
from dataclasses import replace
from datetime import timedelta
from pathlib import Path as FilePath
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.kernel.errors import InvalidRequest
from skerry.kernel.kinds import Kind
from skerry.kernel.listing import SORTS, Asked
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.kernel.sealing import Sealer
from skerry.store import Database
from tests.kernel.conftest import AT, Cloud
from tests.kernel.widgets import REGISTRY, SHELF, WIDGET

STATES = ("active", "error", "creating", "pending")
WORDS = ("web", "Web_1", "100%", 'a"b\\c', "größe", "\n", "")
COUNT = 40
_DRESS = """update resource set labels = $2, state = $3, status = $4,
  created_at = created_at + $5, modified_at = modified_at + $6 where uid = $1"""

Seen = list[Resource]


@pytest.fixture
async def shelves(cloud: Cloud) -> Seen:
    """Of every state and phase, with equal times among them, so that ties are broken."""
    for i in range(COUNT):
        made = (await cloud.put(SHELF, f"s-{i * 7 % COUNT}")).resource
        labels = {"team": WORDS[i % 7], f"k{i % 3}": str(i)} if i % 4 else {}
        phase = {"phase": ("running", "queued")[i % 2]} if i % 5 else {}
        later = (timedelta(minutes=i // 3), timedelta(minutes=i * 11 % 8))
        await cloud.db.execute(_DRESS, made.uid, labels, STATES[i % 4], phase, *later)
    await cloud.put(WIDGET, "s-1", {"size": 1})
    async with cloud.db.transaction() as tx:
        return (await cloud.resources.list(tx, SHELF, AT)).items


def fits(one: Resource, asked: Asked) -> bool:
    part = _lower(asked.search)
    texts = (one.name, *one.labels, *one.labels.values())
    return (
        any(part in _lower(text) for text in texts)
        and (not asked.states or one.state in asked.states)
        and (not asked.phases or one.status.get("phase") in asked.phases)
    )


def _lower(text: str) -> str:
    """As the database has it: of letters beyond ASCII, case counts."""
    return "".join(c.lower() if c.isascii() else c for c in text)


def in_order(found: Seen, sort: str) -> Seen:
    keys = {
        "name": lambda r: (r.name, r.uid),
        "created": lambda r: (r.created_at, r.uid),
        "modified": lambda r: (r.modified_at, r.uid),
        "state": lambda r: (r.state, r.name, r.uid),
    }
    return sorted(found, key=keys[sort.removeprefix("-")], reverse=sort.startswith("-"))


PARTS = st.one_of(
    st.just(""),
    st.sampled_from(("s-1", "S-", "WEB", "_", "%", '"', "\\", "k1", "öß", "team", "\n", ": ", "{")),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    search=PARTS,
    states=st.sets(st.sampled_from(STATES)),
    phases=st.sets(st.sampled_from(("running", "queued", "none"))),
    sort=st.sampled_from(SORTS),
    limit=st.integers(1, COUNT + 1),
)
async def test_pages_hold_each_that_fits_once(
    cloud: Cloud,
    shelves: Seen,
    search: str,
    states: set[str],
    phases: set[str],
    sort: str,
    limit: int,
) -> None:
    asked = Asked(
        search=search,
        states=tuple(states),
        phases=tuple(phases),
        sort=sort,
        limit=limit,
        count=True,
    )
    expected = in_order([one for one in shelves if fits(one, asked)], sort)
    seen: list[str] = []
    async with cloud.db.transaction() as tx:
        while True:
            page = await cloud.resources.list(tx, SHELF, AT, asked)
            assert page.total == len(expected)
            assert len(page.items) <= limit
            seen += [one.name for one in page.items]
            if not page.skip_token:
                break
            asked = replace(asked, skip_token=page.skip_token)
    assert seen == [one.name for one in expected]


async def test_what_comes_and_goes_between_pages_moves_nothing_else(cloud: Cloud) -> None:
    for i in range(6):
        await cloud.put(SHELF, f"s{i}")
    for sort, rest in (("-created", ["s3", "s2", "s0"]), ("-name", ["s3", "s2", "s0"])):
        asked = Asked(sort=sort, limit=2)
        async with cloud.db.transaction() as tx:
            page = await cloud.resources.list(tx, SHELF, AT, asked)
        assert [one.name for one in page.items] == ["s5", "s4"]
        await cloud.put(SHELF, "s9")
        await cloud.delete(SHELF, "s1")
        await cloud.delete(SHELF, "s5")
        assert await cloud.list(SHELF, sort=sort, skip_token=page.skip_token) == rest
        await cloud.delete(SHELF, "s9")
        await cloud.put(SHELF, "s5")
        await cloud.put(SHELF, "s1")
        await cloud.db.execute(
            "update resource r set created_at = (select created_at from resource z where z.name ="
            " r.name order by created_at limit 1) where kind = 'shelf' and deleted_at is null"
        )


async def _token(cloud: Cloud, kind: Kind = SHELF, **asked: Any) -> str:
    """Behind the first of two."""
    async with cloud.db.transaction() as tx:
        return (await cloud.resources.list(tx, kind, AT, Asked(limit=1, **asked))).skip_token


async def test_a_token_tells_nothing_and_fits_one_list(cloud: Cloud, tmp_path: FilePath) -> None:
    for name in ("secret-name", "zz"):
        await cloud.put(SHELF, name)
        await cloud.put(WIDGET, name, {"size": 1})
    token = await _token(cloud)
    assert len(token) == 64
    assert b"secret" not in base64.urlsafe_b64decode(token + "==")
    assert await cloud.list(SHELF, skip_token=token) == ["zz"]
    elsewhere = Cloud(cloud.db, Resources(REGISTRY, Sealer(tmp_path / "keys"), "here"))
    async with cloud.db.transaction() as tx:
        await cloud.resources.sealer.rotate(tx)
    again = Cloud(cloud.db, Resources(REGISTRY, Sealer(tmp_path / "keys"), "here"))
    for other in (elsewhere, again):
        assert await other.list(SHELF, skip_token=token) == ["zz"]
        assert await _token(other) == token
    stranger = Cloud(cloud.db, Resources(REGISTRY, Sealer(tmp_path / "others"), "here"))
    for where, kind, sort in (
        (cloud, WIDGET, "name"), (cloud, SHELF, "-name"), (cloud, SHELF, "created"),
        (stranger, SHELF, "name"),
    ):  # fmt: skip
        with pytest.raises(InvalidRequest, match="skipToken"):
            await where.list(kind, sort=sort, skip_token=token)


def old(*parts: str) -> str:
    """A token as they were before they were sealed."""
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).decode().rstrip("=")


UID = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"sort": "size"}, "no order"),
        ({"sort": "--name"}, "no order"),
        ({"states": ("broken",)}, "no state"),
        ({"search": "x" * 201}, "200 characters"),
        ({"search": "a\0b"}, "NUL"),
        ({"phases": ("\0",)}, "NUL"),
        ({"labels": "a=\0"}, "NUL"),
        ({"skip_token": old("a", UID)}, "skipToken"),
        ({"skip_token": "A" * 64}, "skipToken"),
        ({"skip_token": "A"}, "skipToken"),
        ({"skip_token": "ä"}, "skipToken"),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused(
    cloud: Cloud, asked: dict[str, str], says: str
) -> None:
    with pytest.raises(InvalidRequest, match=says):
        await cloud.list(SHELF, **asked)


async def test_a_large_collection_is_paged_by_its_indexes(cloud: Cloud, db: Database) -> None:
    """Of names and times of creation, either way, from the first page to the last."""
    await cloud.put(SHELF, "s")
    many = """insert into resource select (jsonb_populate_record(r, jsonb_build_object(
      'uid', gen_random_uuid(), 'ref', r.ref || i, 'name', r.name || i,
      'created_at', r.created_at + i * interval '1 second'))).*
      from resource r, generate_series(1, 3000) i where r.kind = 'shelf'"""
    await db.execute(many)
    await db.execute("analyze resource")
    for sort, index in (("name", "resource_list"), ("created", "resource_created")):
        for sign in ("", "-"):
            asked = Asked(sort=sign + sort, limit=50)
            for _ in range(3):
                async with db.transaction() as tx:
                    explained = Explained(tx)
                    page = await cloud.resources.list(explained, SHELF, AT, asked)
                assert index in explained.plan
                assert "Seq Scan" not in explained.plan
                asked = replace(asked, skip_token=page.skip_token)


class Explained:
    """A transaction that keeps the plan of what is read."""

    def __init__(self, tx: Any) -> None:
        self.tx, self.plan = tx, ""

    async def fetch(self, sql: str, *args: Any) -> Any:
        self.plan = "\n".join(row[0] for row in await self.tx.fetch(f"explain {sql}", *args))
        return await self.tx.fetch(sql, *args)
