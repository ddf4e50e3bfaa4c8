"""The whole site's life, event by event."""

import asyncio

import pytest

from skerry.sites.contract import CursorExpired, Event, SiteUnreachable, Workloads
from tests.sites.contract.rig import PATIENCE, Base, Rig, find, run, running, workload
from tests.sites.contract.script import Script


async def _until_gone(site: Workloads, cursor: int, id: str) -> list[Event]:
    """All events from ``cursor`` to the one that says that ``id`` is gone."""
    seen: list[Event] = []
    async with asyncio.timeout(PATIENCE):
        async for event in site.watch(cursor):
            seen.append(event)
            if event.id == id and event.status is None:
                return seen
    raise AssertionError("the watch ended by itself")


class Watching(Base):
    async def test_a_life_is_seen_in_order(self, rig: Rig, site: Workloads) -> None:
        cursor, _ = await site.list()
        work = workload(rig, Script().exit(2))
        await run(site, work)
        await site.delete(work.id, 1)
        events = [e for e in await _until_gone(site, cursor, work.id) if e.id == work.id]
        cursors = [event.cursor for event in events]
        assert cursors == sorted(set(cursors))
        assert min(cursors) > cursor
        last = [event.status for event in events if event.status is not None][-1]
        assert last.tasks[0].exit_code == 2

    async def test_any_event_is_a_place_to_resume(self, rig: Rig, site: Workloads) -> None:
        cursor, _ = await site.list()
        works = [workload(rig, Script()) for _ in range(3)]
        for work in works:
            await run(site, work)
            await site.delete(work.id, 1)
        whole = await _until_gone(site, cursor, works[-1].id)
        for position in (0, len(whole) // 2):
            rest = await _until_gone(site, whole[position].cursor, works[-1].id)
            assert rest == whole[position + 1 :]

    async def test_two_watchers_see_the_same(self, rig: Rig, site: Workloads) -> None:
        cursor, _ = await site.list()
        work = workload(rig, Script())
        async with asyncio.TaskGroup() as group:
            watchers = [group.create_task(_until_gone(site, cursor, work.id)) for _ in range(2)]
            await run(site, work)
            await site.delete(work.id, 1)
        assert watchers[0].result() == watchers[1].result()

    async def test_list_and_cursor_are_of_one_moment(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 1)
        status = await running(site, work.id)
        cursor, listed = await site.list()
        assert status in listed
        await site.delete(work.id, 1)
        events = await _until_gone(site, cursor, work.id)
        assert events[-1].id == work.id

    async def test_an_old_cursor_has_expired(self, rig: Rig, site: Workloads) -> None:
        cursor, _ = await site.list()
        for _ in range(rig.events_kept):
            work = workload(rig, Script().stay(), millicores=20)
            await site.apply(work, 1)
            await site.delete(work.id, 1)
        with pytest.raises(CursorExpired):
            await _until_gone(site, cursor, work.id)

    async def test_a_cursor_from_elsewhere_has_expired(self, rig: Rig, site: Workloads) -> None:
        cursor, _ = await site.list()
        with pytest.raises(CursorExpired):
            await _until_gone(site, cursor + 1_000_000, "")

    async def test_a_cursor_outlives_the_driver_or_says_so(self, rig: Rig, site: Workloads) -> None:
        cursor, _ = await site.list()
        work = workload(rig, Script().exit(8))
        await run(site, work)
        await rig.kill()
        site = await rig.open()
        await site.delete(work.id, 1)
        try:
            events = await _until_gone(site, cursor, work.id)
        except CursorExpired:
            assert await find(site, work.id) is None
        else:
            codes = [
                event.status.tasks[0].exit_code
                for event in events
                if event.id == work.id and event.status is not None
            ]
            assert codes[-1] == 8

    async def test_a_closed_driver_leaves_nobody_waiting(self, rig: Rig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 1)

        async def watch() -> None:
            cursor, _ = await site.list()
            async for _ in site.watch(cursor):
                pass

        async def follow() -> None:
            async for _ in site.logs(work.id, 0, 0, True):
                pass

        waiting = [asyncio.create_task(watch()), asyncio.create_task(follow())]
        await running(site, work.id)
        await site.close()
        async with asyncio.timeout(PATIENCE):
            ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(end is None or isinstance(end, SiteUnreachable) for end in ends)
