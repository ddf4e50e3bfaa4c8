"""Lines kept, found again, and let go."""

import asyncio
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

import pytest

from skerry.kernel.errors import InvalidRequest
from skerry.series.logs import Read, add, keep, places
from skerry.series.retention import Retention
from skerry.series.search import Cursor, Search, cut_of, family, search
from skerry.series.words import parse
from skerry.store import Database
from tests.series.test_samples import START, Cloud

SMALL = Retention(share=1000)


class Room(Cloud):
    """A workspace whose jobs write."""

    async def write(
        self, text: str, *, job: uuid.UUID | None = None, workload: str = "w-a",
        at: datetime | None = None, behind: timedelta = timedelta(),
    ) -> bool:  # fmt: skip
        """More of a task's log, all at one moment; whether it was new."""
        async with self.db.transaction() as tx:
            task = (workload, 0)
            cutter = (await places(tx, [task]))[task]
            moment = at or await tx.now()
            lines = list(cutter.feed(cutter.next, "stdout", moment, text.encode()))
            read = Read(task, job or self.job, cutter, lines, behind)
            return task in await add(tx, [read])

    async def find(
        self, text: str = "", *, hidden: uuid.UUID | None = None,
        owners: tuple[uuid.UUID, ...] | None = None,
        limit: int = 200, days: int = 8, workspace: str = "lab",
    ) -> list[str]:  # fmt: skip
        """All that matches, oldest first, page by page."""

        async def seen(owners: Collection[uuid.UUID]) -> Collection[uuid.UUID]:
            return {owner for owner in owners if owner != hidden}

        now = await self.now()
        found: list[str] = []
        cursor: Cursor | None = None
        while True:
            asked = Search(
                "acme", workspace, parse(text), now - timedelta(days=days),
                now + timedelta(seconds=1), owners, limit, cursor,
            )  # fmt: skip
            page = await search(self.db, asked, seen)
            assert len(page.lines) <= limit
            found += [line.text for _, line in page.lines]
            if page.next is None:
                return found[::-1]
            cursor = Cursor.read(str(page.next))


@pytest.fixture
async def room(db: Database) -> Room:
    room = Room(db)
    await room.begin()
    return room


async def test_lines_are_found_by_their_words(room: Room) -> None:
    await room.write("starting up\nConnection refused by db\ndone\n")
    await room.write("listening\nconnection accepted\n", workload="w-b", job=room.other)
    assert await room.find("connection") == ["Connection refused by db", "connection accepted"]
    assert await room.find("connection refused") == ["Connection refused by db"]
    assert await room.find("nothing") == []
    assert len(await room.find()) == 5
    assert await room.find("connection", owners=(room.other,)) == ["connection accepted"]
    assert await room.find("connection", owners=()) == []
    assert await room.find("connection", workspace="elsewhere") == []


async def test_who_may_not_see_a_resource_sees_none_of_its_lines(room: Room) -> None:
    await room.write("a secret of a\n")
    await room.write("no secret of b\n", workload="w-b", job=room.other)
    assert await room.find("secret", hidden=room.job) == ["no secret of b"]


async def test_pages_go_back_without_a_gap_or_a_repetition(room: Room) -> None:
    wanted = []
    for number in range(130):
        lines = [f"line {number} {part}" for part in range(3)]
        wanted += lines
        await room.write("".join(f"{line}\n" for line in lines))
        await room.let_pass(3600 if number % 40 == 0 else 15)
    for limit in (1000, 7, 100):
        assert await room.find("line", limit=limit) == wanted
        assert await room.find("", limit=limit) == wanted
    assert await room.find('"line 129"') == wanted[-3:]


async def test_a_line_is_kept_once_whoever_reads_it(room: Room) -> None:
    async with room.db.transaction() as tx:
        cutter = (await places(tx, [("w-a", 0)]))[("w-a", 0)]
    [*lines] = cutter.feed(0, "stdout", START, b"once\nand beg")

    async def give() -> int:
        async with room.db.transaction() as tx:
            return len(await add(tx, [Read(("w-a", 0), room.job, cutter, lines)]))

    assert sorted(await asyncio.gather(give(), give(), give())) == [0, 0, 1]
    await room.write("un\n")
    assert await room.find() == ["once", "and begun"]


async def test_lines_of_a_host_with_a_wrong_clock_have_the_right_time(room: Room) -> None:
    wrong = START + timedelta(hours=1)
    await room.write("from the future\n", at=wrong, behind=timedelta(hours=-1))
    await room.write("further than told\n", at=wrong + timedelta(days=400), workload="w-2")
    await room.write("before all\n", at=START - timedelta(days=400), workload="w-3")
    assert await room.find("future", days=1) == ["from the future"]
    assert await room.find("told", days=1) == ["further than told"]
    assert await room.find("before", days=31) == ["before all"]


async def test_after_seven_days_lines_are_gone(room: Room) -> None:
    await room.write("old\n")
    await room.let_pass(6 * 86400)
    await room.write("new\n")
    await keep(room.db, Retention())
    assert await room.find(days=30) == ["old", "new"]
    await room.let_pass(3 * 86400)
    await keep(room.db, Retention())
    assert await room.find(days=30) == ["new"]
    assert await room.db.fetchval("select sum(bytes) from log_share") == 4


async def test_over_its_share_a_workspace_loses_the_oldest_and_is_told(room: Room) -> None:
    for number in range(20):
        await room.write(f"{number:099}\n")
        await room.let_pass(60)
    await keep(room.db, SMALL)
    assert await room.find() == [f"{number:099}" for number in range(11, 20)]
    cut = await cut_of(room.db, "acme", "lab")
    assert cut is not None
    assert cut["bytes"] == 1100
    assert cut["until"] - START < timedelta(minutes=11)
    await keep(room.db, SMALL)
    assert await room.db.fetchval("select sum(bytes) from log_share") == 900


async def test_lines_outlive_their_resource_and_are_found_by_its_name(room: Room) -> None:
    child = uuid.uuid4()
    await room.resource(child, "a-1", owner=room.job)
    await room.write("of the child\n", workload="w-c", job=child)
    await room.db.execute("update resource set deleted_at = now()")
    owners = await family(room.db, "acme", "lab", "job", "a")
    assert set(owners) == {room.job, child}
    assert await room.find("child", owners=owners) == ["of the child"]
    assert await family(room.db, "acme", "lab", "job", "none") == ()


async def test_a_great_log_is_found_to_its_last_line(room: Room) -> None:
    text = "".join(f"{n} {'x' * 90} {'needle' if n in (0, 4999) else 'hay'}\n" for n in range(5000))
    await room.write(text)
    assert [line.split()[0] for line in await room.find("needle")] == ["0", "4999"]
    assert len(await room.find("hay", limit=1000)) == 4998


@pytest.mark.parametrize("text", ["", "1.2", "a.b.c", "1.2.3.4", "-1.2.3"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        Cursor.read(text)
