"""``match``: CPU for an ask over 10,000 and a million offers, and how soon a new offer is seen.

One line per figure: name, ours, peer or limit, ratio (1 and above holds), bound, and whether it
holds. The limits are the design's. The peer is SkyPilot 0.14.1's optimizer answering the same asks
from a catalogue of 140,493 rows, measured once (CPU time, median) and written down here; the design
asks for a hundredth of its CPU. The same asks are also put to a million offers.

    python bench/match.py [--catalogue FILE.csv] [--most 1000000] [--json FILE]

The catalogue (or SKERRY_CATALOGUE) is a CSV of real prices; without one, offers with the same
statistics are made up.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from catalogue import from_csv, made_up, replicated
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

PEER: dict[str, tuple[float, list[Ask]]] = {
    "1 x H100, any cloud": (827, [ONE]),
    "8 x H100, any cloud": (1226, [EIGHT]),
    "8 x H100, three regions": (128, [THREE]),
    "chain of ten 1 x H100": (7908, [ONE] * 10),
}
"""CPU milliseconds of the peer for the same asks."""

MIX = [(ask, policy) for ask in (ONE, EIGHT, THREE, CORES) for policy in (ANY, EU)]

figures: list[dict[str, object]] = []


def line(name: str, ours: float, unit: str, limit: float, *, most: bool = True) -> None:
    """Print one figure. ``most``: the limit is the most allowed, else the least."""
    ratio = limit / ours if most else ours / limit
    bound, verdict = "at most" if most else "at least", "holds" if ratio >= 1 else "short"
    print(
        f"{name:44} {ours:12,.3f} {unit:5} limit {limit:10,.3f} ratio {ratio:8.2f} {bound:8} "
        f"{verdict}",
        flush=True,
    )
    figures.append(
        {"name": name, "ours": ours, "unit": unit, "limit": limit, "ratio": ratio,
         "bound": bound, "verdict": verdict}
    )  # fmt: skip


def cpu(work: Callable[[], object], least: float = 0.4) -> float:
    """CPU milliseconds of one call: the median of five rounds."""
    work()
    start = time.process_time()
    work()
    calls = max(1, int(least / 5 / max(1e-6, time.process_time() - start)))
    rounds = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(calls):
            work()
        rounds.append((time.process_time() - start) / calls * 1000)
    return sorted(rounds)[2]


def asks(snapshot: Snapshot, label: str, limit: float) -> None:
    """The mix of asks, each under no policy and under one; the dearest of them counts, too."""
    costs = [cpu(lambda a=ask, p=policy: match(a, snapshot, p, NOW)) for ask, policy in MIX]
    line(f"an ask over {label} offers, mean", sum(costs) / len(costs), "ms", limit)
    line(f"an ask over {label} offers, dearest of {len(MIX)}", max(costs), "ms", limit)
    if snapshot.lines <= 20_000:
        line(f"asks a second, one core, {label}", 1000 * len(costs) / sum(costs), "/s", 2000,
             most=False)  # fmt: skip


def peers(snapshot: Snapshot, label: str) -> None:
    for name, (theirs, wanted) in PEER.items():
        ours = cpu(lambda w=wanted: [match(ask, snapshot, ANY, NOW) for ask in w])
        line(f"{name}, {label}, / 100", ours, "ms", theirs / 100)


def changed(snapshot: Snapshot, row: Row, label: str) -> None:
    """A snapshot with one offer changed: what following the database costs each time."""
    new = Row(offer=row.offer, used=Used(count=1), version=2)
    digest = row_digest(new)
    ours = cpu(lambda: snapshot.replaced([(new, digest)]))
    line(f"one changed offer of {label}", ours, "ms", 100)


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
            line(f"a commit is seen and matched, {len(rows):,}, p95", waits[190], "ms", 100)
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
    parser.add_argument("--catalogue", type=Path, default=os.environ.get("SKERRY_CATALOGUE"))
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    base = from_csv(Path(options.catalogue)) if options.catalogue else made_up()
    print(f"# {len(base):,} {'real' if options.catalogue else 'made-up'} offers, replicated")
    for number, limit in ((10_000, 0.5), (options.most, 15.0)):
        label = f"{number:,}"
        snapshot = Snapshot.of(replicated(base, number))
        snapshot.digest  # noqa: B018 - named once, before anybody asks
        asks(snapshot, label, limit)
        peers(snapshot, label)
        changed(snapshot, base[0], label)
    asyncio.run(live(list(replicated(base, 10_000))))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    return 1 if any(f["verdict"] == "short" for f in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
