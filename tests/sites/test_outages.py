"""Time unseen: the rules, and what the observer makes of silence."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from skerry.kernel import changes
from skerry.sites import outages, seen
from skerry.sites.outages import Outage, Watchfulness, billable, minus, outage_began
from skerry.sites.simulated.faults import Fault
from tests.sites.cloud import Cloud

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


seconds = st.integers(0, 200)
spans = st.lists(st.tuples(seconds, st.one_of(st.none(), seconds)), max_size=8)


def _outages(pairs: list[tuple[int, int | None]]) -> list[Outage]:
    return [(at(a), None if b is None else at(max(a, b))) for a, b in pairs]


@given(seconds, seconds, spans)
def test_every_second_is_billed_or_unseen(
    a: int, b: int, pairs: list[tuple[int, int | None]]
) -> None:
    """Checked second by second against the definition."""
    start, end = min(a, b), max(a, b)
    found = minus(at(start), at(end), _outages(pairs))
    for second in range(201):
        unseen = any(
            began <= at(second) and (ended is None or at(second) < ended)
            for began, ended in _outages(pairs)
        )
        billed = any(since <= at(second) < until for since, until in found)
        assert billed == (start <= second < end and not unseen)


@given(seconds, seconds, spans)
def test_spans_are_in_order_apart_and_not_empty(
    a: int, b: int, pairs: list[tuple[int, int | None]]
) -> None:
    found = minus(at(min(a, b)), at(max(a, b)), _outages(pairs))
    assert all(since < until for since, until in found)
    assert all(one[1] < two[0] for one, two in itertools.pairwise(found))


@given(seconds, seconds, spans, st.randoms())
def test_the_order_of_outages_does_not_matter(
    a: int, b: int, pairs: list[tuple[int, int | None]], random: object
) -> None:
    start, end = at(min(a, b)), at(max(a, b))
    shuffled = list(pairs)
    random.shuffle(shuffled)
    assert minus(start, end, _outages(shuffled)) == minus(start, end, _outages(pairs))


@given(st.one_of(st.none(), seconds), seconds, seconds)
def test_an_outage_needs_silence_while_we_watched(seen: int | None, since: int, now: int) -> None:
    patience = timedelta(seconds=30)
    began = outage_began(None if seen is None else at(seen), at(since), at(now), patience)
    if began is None:
        assert seen is None or now - max(seen, since) <= 30
    else:
        assert seen is not None
        assert began in (at(seen), at(since))
        assert at(now) - began > patience


@given(st.lists(st.integers(0, 60), min_size=1, max_size=20))
def test_watching_starts_anew_after_a_break(gaps: list[int]) -> None:
    watch, now, expected = Watchfulness(timedelta(seconds=15)), at(0), at(0)
    watch.tick(now)
    for gap in gaps:
        now += timedelta(seconds=gap)
        if gap > 15:
            expected = now
        assert watch.tick(now) == expected


async def _spans(cloud: Cloud, site: str) -> list[Outage]:
    async with cloud.db.transaction() as tx:
        now = await tx.now()
        return list(await outages.between(tx, site, now - timedelta(days=9), now))


async def test_silence_is_an_outage_from_the_last_contact(cloud: Cloud) -> None:
    site, world = await cloud.site()
    async with cloud.observed() as observer:
        await cloud.phase(site, "connected")
        world.fail(Fault(kind="unreachable"))
        heard = await cloud.db.fetchval("select last_seen_at from site_contact")
        await cloud.let_pass(observer, 60)
        await cloud.phase(site, "unreachable")
        [(began, ended)] = await _spans(cloud, site.name)
        assert heard <= began
        assert ended is None
        [alert] = await cloud.db.fetch("select * from alert where cleared_at is null")
        assert (alert["subject"], alert["reason"]) == (site.ref, "SiteUnreachable")
        world.heal()
        await cloud.phase(site, "connected")
        [(again, ended)] = await _spans(cloud, site.name)
        assert again == began
        assert ended is not None
        assert ended - began >= timedelta(seconds=60)
        assert await cloud.db.fetch("select * from alert where cleared_at is null") == []
        async with cloud.db.transaction() as tx:
            hour = timedelta(hours=1)
            assert await billable(tx, site.name, began - hour, ended + hour) == [
                (began - hour, began),
                (ended, ended + hour),
            ]


async def test_a_word_that_comes_while_silence_is_told_counts(cloud: Cloud) -> None:
    """The place is heard again in a transaction that has yet to commit when somebody looks."""
    site, world = await cloud.site()
    async with cloud.observed() as observer:
        await cloud.phase(site, "connected")
        world.fail(Fault(kind="unreachable"))
        await cloud.let_pass(observer, 60)
        await cloud.phase(site, "unreachable")

        async with cloud.db.transaction() as tx:
            ours = await tx.fetchval("select pg_backend_pid()")

            async def waited_for() -> bool:
                others = (
                    "select from pg_stat_activity where $1 = any(pg_blocking_pids(pid)) "
                    "and query not like '%watcher%'"
                )
                return bool(await cloud.db.fetchval(f"select exists({others})", ours))

            await tx.execute("update site_contact set last_seen_at = skerry_now()")
            assert await outages.end(tx, site.name)
            looking = asyncio.create_task(observer.tick())
            await cloud.until(waited_for)
        await looking
        await cloud.let_pass(observer, 5)
        [(_, ended)] = await _spans(cloud, site.name)
        assert ended is not None


async def test_what_is_there_is_woken_when_an_outage_begins_and_ends(cloud: Cloud) -> None:
    site, world = await cloud.site()
    async with cloud.db.transaction() as tx:
        # The site itself stands for the resource of a flow.
        await seen.own(tx, "w", at=site.name, owner=site.uid, tenant="acme")
    await cloud.db.execute(
        "insert into flow (uid, kind, step, wake_at, entered_at, generation) "
        "values ($1, 'job', 'run', skerry_now() + interval '1 year', skerry_now(), 1)",
        site.uid,
    )

    async def pokes(many: int) -> bool:
        """At least so many: what a site says once it is back may wake it as well."""
        woken = await cloud.db.fetchval("select poke from flow where wake_at <= skerry_now()")
        return woken is not None and woken >= many

    async with cloud.observed() as observer:
        await cloud.phase(site, "connected")
        world.fail(Fault(kind="unreachable"))
        await cloud.let_pass(observer, 60)
        await cloud.until(lambda: pokes(1))
        world.heal()
        await cloud.until(lambda: pokes(2))


async def test_a_short_silence_is_none(cloud: Cloud) -> None:
    site, world = await cloud.site()
    async with cloud.observed() as observer:
        await cloud.phase(site, "connected")
        world.fail(Fault(kind="unreachable"))
        await cloud.let_pass(observer, 20)
        world.heal()
        await cloud.let_pass(observer, 40)
        assert (await cloud.read(site)).phase == "connected"
    assert await _spans(cloud, site.name) == []


async def test_a_server_that_was_away_blames_nobody(cloud: Cloud) -> None:
    site, _ = await cloud.site()
    async with cloud.observed():
        await cloud.phase(site, "connected")
    await cloud.db.shift_clock(timedelta(hours=1))
    async with cloud.observed() as observer:
        await cloud.let_pass(observer, 10)
    assert await _spans(cloud, site.name) == []


async def test_silence_after_the_server_was_away_counts_from_its_return(cloud: Cloud) -> None:
    site, world = await cloud.site()
    async with cloud.observed():
        await cloud.phase(site, "connected")
    world.fail(Fault(kind="unreachable"))
    await cloud.db.shift_clock(timedelta(hours=1))
    back = await cloud.db.fetchval("select skerry_now()")
    async with cloud.observed() as observer:
        await cloud.let_pass(observer, 60)
        await cloud.phase(site, "unreachable")
    [(began, _)] = await _spans(cloud, site.name)
    assert began >= back


async def test_a_site_that_never_came_is_not_out(cloud: Cloud) -> None:
    site = await cloud.declare("awaited")
    async with cloud.observed() as observer:
        await cloud.let_pass(observer, 60)
    assert await _spans(cloud, site.name) == []
    assert (await cloud.read(site)).phase == "new"


async def test_an_outage_altered_later_is_found(cloud: Cloud) -> None:
    async with cloud.db.transaction() as tx:
        assert await outages.begin(tx, "somewhere", await tx.now())
        assert not await outages.begin(tx, "somewhere", await tx.now())
        assert await outages.end(tx, "somewhere")
        assert not await outages.end(tx, "somewhere")
    [*_, last] = await cloud.db.fetch(
        "select * from change where kind = 'site-outage' order by version"
    )
    rebuild = changes.WITNESSES["site-outage"]
    async with cloud.db.transaction() as tx:
        assert changes.canonical(await rebuild(tx, last["subject"])).decode() == last["body"]
        await tx.execute("update site_outage set ended_at = ended_at + interval '1 second'")
        assert changes.canonical(await rebuild(tx, last["subject"])).decode() != last["body"]
