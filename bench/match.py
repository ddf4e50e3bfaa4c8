"""``match``: CPU for an ask over 10,000 and a million offers, and how soon a new offer is seen.

The peer is SkyPilot 0.14.1's optimizer with the same asks. Its own catalogue is not to be had
offline, so it was measured once (CPU time, the fastest run) on 140,493 rows in its own schema, made
from real prices, and its figures are written down here; ours is at most a hundredth of them. That
every refusal has its reason, that the ten nearest are kept and that a decision can be computed
again from what it names is counted, too.

    python bench/match.py [--offers FILE.csv] [--most 1000000]

The file (or SKERRY_OFFERS) is a CSV of real prices; without one, offers with the same statistics
are made up.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from catalogue import from_csv, made_up, replicated
from figures import Figures
from skerry.market import offers
from skerry.market.ask import GIB, Ask, Row, Used, canonical
from skerry.market.columns import row_digest
from skerry.market.live import LiveSnapshot
from skerry.market.match import match
from skerry.market.policy import Policy, PolicySpec, compiled
from skerry.market.snapshot import Snapshot
from skerry.store import Database
from skerry.store.migrations import migrate
from skerry.store.postgres import EmbeddedPostgres

NOW = datetime.now(UTC)
H100 = {"millicores": 4000, "memory": 0, "gpu_models": ("H100",), "currency": "USD"}
ONE, EIGHT = Ask(**H100, gpus=1), Ask(**H100, gpus=8)
THREE = Ask(**H100, gpus=8, regions=("us-east-1", "us-west-2", "westeurope"))
CORES = Ask(millicores=4000, memory=16 * GIB, currency="USD")
ANY, EU = Policy(), compiled(PolicySpec(jurisdictions=["EU"], trust_tier=1))

THEIRS: dict[str, tuple[float, list[Ask]]] = {
    "1 x H100, any cloud": (792, [ONE]),
    "8 x H100, any cloud": (1194, [EIGHT]),
    "8 x H100, three regions": (123, [THREE]),
    "chain of ten 1 x H100": (7675, [ONE] * 10),
}
"""CPU milliseconds of SkyPilot for the same asks."""

MIX = [(ask, policy) for ask in (ONE, EIGHT, THREE, CORES) for policy in (ANY, EU)]

FIGURES = Figures("match")


def cpu(work: Callable[[], object], least: float = 0.4) -> float:
    """CPU milliseconds of one call: the fastest of twenty rounds. What the others took beyond it is
    the work of whoever else has the machine's caches."""
    work()
    start = time.process_time()
    work()
    calls = max(1, int(least / 20 / max(1e-6, time.process_time() - start)))
    rounds = []
    for _ in range(20):
        start = time.process_time()
        for _ in range(calls):
            work()
        rounds.append((time.process_time() - start) / calls * 1000)
    return min(rounds)


def asks(snapshot: Snapshot, label: str, limit: float) -> None:
    """The mix of asks, each under no policy and under one; the dearest of them counts, too."""
    costs = [cpu(lambda a=ask, p=policy: match(a, snapshot, p, NOW)) for ask, policy in MIX]
    mean = sum(costs) / len(costs)
    FIGURES.add(f"an ask over {label} offers, CPU, mean", mean, "ms", limit=limit)
    FIGURES.add(f"the dearest of {len(MIX)} asks", max(costs), "ms", limit=limit)
    if snapshot.lines <= 20_000:
        FIGURES.add(f"asks a second, one core, {label}", 1000 / mean, "/s", limit=2000, least=1)


def peers(snapshot: Snapshot, label: str) -> None:
    for name, (theirs, wanted) in THEIRS.items():
        ours = cpu(lambda w=wanted: [match(ask, snapshot, ANY, NOW) for ask in w])
        peer = ("SkyPilot 0.14.1, as measured", theirs)
        FIGURES.add(f"{name}, {label}, CPU", ours, "ms", peer=peer, most=0.01)


def told(rows: list[Row], label: str) -> None:
    """That a decision says why not, and is the same over the same offers in any order."""
    snapshot = Snapshot.of(rows)
    made = [match(ask, snapshot, policy, NOW) for ask, policy in MIX]
    why = sum(sum(one.refused.values()) + one.eligible for one in made)
    FIGURES.add(f"fit or refused for a reason, {label}", why, "lines",
                limit=len(made) * snapshot.lines, least=1)  # fmt: skip
    near = min(len(one.nearest) for one in made)
    FIGURES.add("nearest refusals kept, fewest", near, "", limit=10, least=1)
    random.Random(1).shuffle(rows)
    again = Snapshot.of(rows)
    same = sum(match(one.ask, again, one.policy, one.at) == one for one in made)
    FIGURES.add("decisions computed again, the same", same, "", limit=len(made), least=1)


def changed(snapshot: Snapshot, row: Row, label: str) -> None:
    """A snapshot with one offer changed: what following the database costs each time."""
    new = Row(offer=row.offer, used=Used(count=1), version=2)
    digest = row_digest(new)
    ours = cpu(lambda: snapshot.replaced([(new, digest)]))
    FIGURES.add(f"one changed offer of {label}, CPU", ours, "ms", limit=100)


async def live(rows: list[Row]) -> None:
    """From an offer's commit until an ask can choose it, through a real database."""
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as directory:
        postgres = EmbeddedPostgres(Path(directory) / "postgres")
        url = await postgres.start()
        try:
            await migrate(url)
            db = await Database.open(url)
            await _fill(db, rows)
            snapshot = LiveSnapshot()
            async with db.transaction() as tx:
                await snapshot.current(tx)
            waits = []
            for number in range(200):
                row = rows[number * 7 % len(rows)]
                async with db.transaction() as tx:
                    locked = await offers.lock(tx, row.offer.id)
                    assert locked is not None
                    await offers.change_use(tx, locked, Used(count=number % 2))
                start = time.perf_counter()
                async with db.transaction() as tx:
                    match(ONE, await snapshot.current(tx), ANY, NOW)
                waits.append((time.perf_counter() - start) * 1000)
            waits.sort()
            name = f"a commit is seen and matched, {len(rows):,}, p95"
            FIGURES.add(name, waits[190], "ms", limit=100)
            await db.close()
        finally:
            await postgres.stop()


async def _fill(db: Database, rows: list[Row]) -> None:
    now = NOW
    async with db.transaction() as tx:
        states, terms, ids = [], {}, []
        for row in rows:
            body = canonical(row.offer)
            digest = row_digest(row)
            terms[digest] = (digest, body.decode())
            used = canonical(row.used).decode()
            states.append((row.offer.id, 1, digest, used, digest, now))
            ids.append((row.offer.id, 1))
        await tx.copy("offer_terms", ("digest", "body"), terms.values())
        columns = ("offer", "version", "terms", "used", "digest", "at")
        await tx.copy("offer_state", columns, states)
        await tx.copy("offer", ("id", "version"), ids)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offers", type=Path, default=os.environ.get("SKERRY_OFFERS"))
    parser.add_argument("--most", type=int, default=1_000_000)
    options = parser.parse_args()
    base = from_csv(Path(options.offers)) if options.offers else made_up()
    print(f"# {len(base):,} {'real' if options.offers else 'made-up'} offers, replicated")
    for number, limit in ((10_000, 0.5), (options.most, 15.0)):
        label = f"{number:,}"
        snapshot = Snapshot.of(replicated(base, number))
        snapshot.digest  # noqa: B018 - named once, before anybody asks
        asks(snapshot, label, limit)
        peers(snapshot, label)
        changed(snapshot, base[0], label)
    told(list(replicated(base, 10_000)), "10,000")
    asyncio.run(live(list(replicated(base, 10_000))))
    return FIGURES.end()


if __name__ == "__main__":
    sys.exit(main())
