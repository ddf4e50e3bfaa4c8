"""Offers in any number: real prices from a CSV file, or made-up ones of the same sort.

The columns are those of a cloud price catalogue: cloud, reseller, instance_type, gpu, gpu_count,
gpu_mem_gib, vcpus, ram_gib, region, price_usd_h, spot_usd_h. The dirt is kept as what it is: an
empty cell is unknown, a share of a GPU is no whole GPU, and a region whose country can't be told
has none.
"""

import csv
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from skerry.market.ask import GIB, Fixed, Offer, Row, Used

COUNTRIES = {
    "DE": "eu-central-1 germany europe-west3 europe-west10 frankfurt eu-central",
    "IE": "eu-west-1 northeurope",
    "NL": "westeurope europe-west4",
    "FR": "eu-west-3 france europe-west9 paris",
    "SE": "eu-north-1 sweden stockholm",
    "FI": "europe-north1 helsinki",
    "PL": "poland warsaw europe-central",
    "IT": "italy europe-west8 eu-south-1",
    "ES": "eu-south-2 spain",
    "BE": "europe-west1",
    "CH": "switzerland europe-west6 eu-central-2",
    "NO": "norway oslo",
    "IS": "iceland",
    "GB": "uk eu-west-2 europe-west2 london",
    "US": "us usa central east west",
    "CA": "ca- canada montreal toronto northamerica calgary",
    "JP": "japan tokyo ap-northeast-1 asia-northeast1",
    "IN": "india ap-south-1 asia-south bangalore",
    "SG": "singapore ap-southeast-1 southeastasia asia-southeast1",
    "AU": "australia ap-southeast-2 melbourne",
    "BR": "brazil sa-east",
    "KR": "korea ap-northeast-2",
}


def country(region: str) -> str:
    """The country that a region's name tells of, the longest hint winning; else empty."""
    hints = [(len(h), code) for code, all in COUNTRIES.items() for h in all.split() if h in region]
    return max(hints)[1] if hints else ""


def from_csv(path: Path) -> list[Row]:
    """The rows of a catalogue."""
    with path.open(newline="") as file:
        return [_row(number, cells) for number, cells in enumerate(csv.DictReader(file))]


def _row(number: int, cells: dict[str, str]) -> Row:
    gpus = Decimal(cells["gpu_count"]) if cells["gpu_count"] else None
    offer = Offer(
        id=f"{cells['cloud']}.{cells['region']}.{cells['instance_type']}.{number}".lower(),
        operator=cells["cloud"],
        seller=cells["reseller"] or cells["cloud"],
        region=cells["region"],
        site=f"{cells['cloud']}.{cells['region']}",
        zone=cells["zone"],
        jurisdiction=country(cells["region"]),
        tier=number % 4,
        isolations=("vm",),
        currency="USD",
        supply=Fixed(
            instance_type=cells["instance_type"],
            count=1 + number % 7,
            millicores=_amount(cells["vcpus"], 1000),
            memory=_amount(cells["ram_gib"], GIB),
            disk=100 * GIB,
            gpus=None if gpus is None else int(gpus),
            gpu_model=cells["gpu"],
            gpu_memory=_amount(cells["gpu_mem_gib"], GIB),
            price=_amount(cells["price_usd_h"], 10**9),
            spot_price=_amount(cells["spot_usd_h"], 10**9),
        ),
    )
    return Row(offer=offer)


def _amount(cell: str, unit: int) -> int | None:
    return int(Decimal(cell) * unit) if cell else None


MODELS = {
    "H100": (80, 2_400), "A100-80GB": (80, 1_500), "L4": (24, 700), "T4": (16, 350),
    "A10": (24, 1_000), "V100": (16, 2_500), "L40S": (48, 1_600), "H200": (141, 3_600),
    "RTXPRO6000": (96, 1_800), "A6000": (48, 800), "MI300X": (192, 2_900), "B200": (180, 5_500),
}  # fmt: skip
"""Memory in GiB, and a usual price in thousandths of a dollar an hour."""


def made_up(number: int = 2744) -> list[Row]:
    """Rows with a catalogue's statistics: 22 clouds, 182 regions, a fourteenth without price."""
    dice = random.Random(20261121)
    names = [h for hints in COUNTRIES.values() for h in hints.split()]
    regions = [f"{name}-{n}" for n in range(1, 4) for name in names] + ["nowhere", "elsewhere"]
    rows = []
    for at in range(number):
        model, (memory, price) = dice.choice(list(MODELS.items()))
        gpus = dice.choice((1, 1, 1, 2, 4, 8, 8))
        cost = price * gpus * dice.randint(700, 3000) / 1e6
        cells = {
            "cloud": f"cloud{min(dice.randrange(22), dice.randrange(22))}",
            "reseller": "",
            "instance_type": f"{model.lower()}x{gpus}",
            "gpu": model,
            "gpu_count": "" if at % 97 == 0 else "0.5" if at % 89 == 0 else str(gpus),
            "gpu_mem_gib": str(memory),
            "vcpus": str(gpus * dice.choice((6, 8, 12, 16))),
            "ram_gib": "" if at % 3 == 0 else str(gpus * dice.choice((32, 64, 120, 200))),
            "region": dice.choice(regions),
            "zone": "",
            "price_usd_h": "" if at % 14 == 0 else f"{cost:.4f}",
            "spot_usd_h": f"{cost / 2:.4f}" if at % 6 == 0 else "",
            "as_of": "2026-06-18",
        }
        rows.append(_row(at, cells))
    return rows


def replicated(rows: list[Row], number: int) -> Iterator[Row]:
    """``number`` rows: those, and copies by other sellers at prices up to a tenth off."""
    dice = random.Random(7)
    for at in range(number):
        row = rows[at % len(rows)]
        offer, supply = row.offer, row.offer.supply
        assert isinstance(supply, Fixed)
        price = None if supply.price is None else supply.price * dice.randint(900, 1100) // 1000
        yield Row(
            offer=Offer(
                **{f: getattr(offer, f) for f in offer.__struct_fields__}
                | {
                    "id": f"{offer.id}.{at // len(rows)}",
                    "latency": dice.choice((None, 5, 20, 80, 150)),
                    "supply": Fixed(
                        **{f: getattr(supply, f) for f in supply.__struct_fields__}
                        | {"price": price}
                    ),
                }
            ),
            used=Used(count=dice.randint(0, 1)),
        )
