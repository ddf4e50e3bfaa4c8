"""A gang placed on a fleet: CPU for 256 GPUs that must share a zone, on 1,250 nodes of 8 GPUs.

The fleet is half in use, at random, so that no node, NVLink domain or rack is like another. The
peer is a plain ask for one GPU over the same fleet: what it costs to look at every node at all. The
placement of a gang stays within so many such looks, and below 20 ms.

    python bench/fleet.py [--nodes 1250]
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from figures import Figures
from skerry.market.ask import GIB, Ask, Divisible, GpuStock, Offer, Row, Used
from skerry.market.match import match
from skerry.market.policy import Policy
from skerry.market.snapshot import Snapshot

NOW = datetime.now(UTC)
MODEL = "NVIDIA H100 80GB HBM3"
FIGURES = Figures("fleet")


def fleet(nodes: int, busy: float) -> list[Row]:
    """Racks of 16 nodes, NVLink domains of 4, zones of 160; so much of the GPUs is taken."""
    dice = random.Random(8)
    stock = GpuStock(model=MODEL, memory=80 * GIB, count=8, price=2_300_000_000)
    rows = []
    for number in range(nodes):
        taken = sum(dice.random() < busy for _ in range(8)) if dice.random() < 0.5 else 0
        offer = Offer(
            id=f"fleet.n{number}",
            supply=Divisible(
                millicores=128_000, memory=2048 * GIB, disk=4096 * GIB, gpus=(stock,),
                core_price=12_000_000, memory_price=2_000_000,
            ),
            operator="lab", site="fleet", node=f"n{number}", zone=f"z{number // 160}",
            rack=f"r{number // 16}", link=f"l{number // 4}", jurisdiction="DE",
            currency="EUR", price_version=1,
        )  # fmt: skip
        used = Used(
            millicores=8000 * taken, memory=64 * GIB * taken, gpus={MODEL: taken} if taken else {}
        )
        rows.append(Row(offer=offer, used=used))
    return rows


def cpu(work: Callable[[], object]) -> float:
    """CPU milliseconds of one call: the fastest of fifty."""
    took = []
    for _ in range(50):
        start = time.process_time()
        work()
        took.append((time.process_time() - start) * 1000)
    return min(took)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1250)
    nodes = parser.parse_args().nodes
    snapshot = Snapshot.of(fleet(nodes, 0.5))
    snapshot.digest  # noqa: B018 - named once, before anybody asks
    each = {"millicores": 8000, "memory": 64 * GIB, "currency": "EUR", "gpu_models": ("H100",)}
    single = Ask(**each, gpus=1)
    look = cpu(lambda: match(single, snapshot, Policy(), NOW))
    gpus = f"{nodes * 8:,} GPUs"
    FIGURES.add(f"one GPU of {gpus}, CPU", look, "ms", limit=5)
    for name, ask in (
        ("256 tasks of a GPU, in a zone", Ask(**each, gpus=1, tasks=256, topology="zone")),
        ("256 tasks of a GPU, in a rack", Ask(**each, gpus=1, tasks=100, topology="rack")),
        ("32 tasks of 8 GPUs, in a zone", Ask(**each, gpus=8, tasks=32, topology="zone")),
        ("32 tasks of 8 GPUs, anywhere", Ask(**each, gpus=8, tasks=32)),
        ("1,024 tasks of a GPU, refused", Ask(
            **each, gpus=1, tasks=1024, topology="rack", topology_required=True)),
    ):  # fmt: skip
        decided = match(ask, snapshot, Policy(), NOW)
        refused = "refused" in name
        if (decided.chosen is None) != refused:
            print(f"{name}: {decided.refused} {decided.together}", file=sys.stderr)
            return 1
        if decided.chosen is not None:
            print(f"# {name}: {len(decided.chosen.shares)} nodes, {decided.chosen.level}")
        took = cpu(lambda a=ask: match(a, snapshot, Policy(), NOW))
        FIGURES.add(f"{name}, {gpus}, CPU", took, "ms", limit=20)
        FIGURES.add("as many looks at all nodes", took / look, "", limit=20)
    return FIGURES.end()


if __name__ == "__main__":
    sys.exit(main())
