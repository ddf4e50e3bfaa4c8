"""Offers, asks and policies for tests: hypothesis strategies, and plain makers."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from skerry.market.ask import (
    EVIDENCE,
    GIB,
    ISOLATIONS,
    MIB,
    Ask,
    Divisible,
    Fixed,
    GpuStock,
    Offer,
    Row,
    Used,
)
from skerry.market.policy import PolicySpec, compiled

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EURO = 10**9

MODELS = ("", "H100", "NVIDIA H100 80GB HBM3", "A100-80G", "RTX 3060", "RTX 3060 Ti")
PARTS = (("A100-80G 1g.10gb", "1g.10gb"), ("H100 shared", "shared"))
REGIONS = ("", "eu-1", "eu-2", "us-1")
SITES = ("", "alpha", "beta", "gamma")
HOSTS = ("", "", "one", "two")
PLACES = (*SITES[1:], "alpha/one", "beta/two")
OPERATORS = ("", "us-corp", "coop", "lab")
COUNTRIES = ("", "DE", "FR", "US", "CH")


def pool(id: str = "alpha", **changes) -> Offer:
    """A divisible offer: 8 cores, 32 GiB, two H100, all priced, in Germany."""
    supply = {
        "millicores": 8000,
        "memory": 32 * GIB,
        "disk": 100 * GIB,
        "gpus": (GpuStock(model="H100", memory=80 * GIB, count=2, price=2 * EURO),),
        "core_price": EURO // 100,
        "memory_price": EURO // 1000,
        "storage_price": EURO // 20,
    }
    supply |= {name: changes.pop(name) for name in tuple(changes) if name in supply}
    place = {
        "operator": "coop", "site": id, "region": "eu-1", "zone": id, "jurisdiction": "DE",
        "isolations": ("process", "sandbox"), "tier": 2,
        "currency": "EUR",
    }  # fmt: skip
    return Offer(id=id, supply=Divisible(**supply), **(place | changes))


def instance(id: str = "cloud.small", **changes) -> Offer:
    """A fixed-shape offer: ten instances of 4 cores and 16 GiB at 0.10 EUR, in France."""
    supply = {
        "instance_type": "small", "count": 10, "millicores": 4000, "memory": 16 * GIB,
        "disk": 50 * GIB, "gpus": 0, "gpu_model": "", "gpu_memory": None,
        "price": EURO // 10, "spot_price": None,
    }  # fmt: skip
    supply |= {name: changes.pop(name) for name in tuple(changes) if name in supply}
    place = {
        "operator": "us-corp", "site": "cloud", "region": "eu-2", "zone": "cloud",
        "jurisdiction": "FR", "isolations": ("vm",), "tier": 1, "currency": "EUR",
    }  # fmt: skip
    return Offer(id=id, supply=Fixed(**supply), **(place | changes))


def ask(**changes) -> Ask:
    """One core and 1 GiB."""
    return Ask(**({"millicores": 1000, "memory": GIB, "currency": "EUR"} | changes))


def _known(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | values


_prices = st.sampled_from((0, 1, 7, 1000, 10**7, 10**9, 3 * 10**9))
_sizes = st.sampled_from((0, 1, MIB, GIB - 1, GIB, 8 * GIB, 64 * GIB))
_cores = st.sampled_from((0, 1, 500, 1000, 4000, 8000, 64000))

fixed = st.builds(
    Fixed,
    instance_type=st.just("type"),
    count=st.integers(0, 4),
    millicores=_known(_cores),
    memory=_known(_sizes),
    disk=_known(_sizes),
    gpus=_known(st.integers(0, 8)),
    gpu_model=st.sampled_from(MODELS),
    gpu_memory=_known(st.sampled_from((16 * GIB, 80 * GIB))),
    price=_known(_prices),
    spot_price=_known(_prices),
)
_sorts = st.sampled_from((*((model, "") for model in MODELS[1:]), *PARTS))
stocks = st.lists(
    st.builds(
        lambda sort, **more: GpuStock(model=sort[0], mark=sort[1], **more),
        sort=_sorts,
        memory=_known(st.sampled_from((16 * GIB, 80 * GIB))),
        count=st.integers(0, 8),
        price=_known(_prices),
    ),
    max_size=3,
    unique_by=lambda stock: stock.model,
).map(tuple)
divisible = st.builds(
    Divisible,
    millicores=_cores,
    memory=_sizes,
    disk=_sizes,
    gpus=stocks,
    core_price=_known(_prices),
    memory_price=_known(_prices),
    storage_price=_known(_prices),
)


@st.composite
def rows(draw, most: int = 12) -> list[Row]:
    """Rows of different offers, with some of each in use."""
    found = []
    for number in range(draw(st.integers(0, most))):
        supply = draw(st.one_of(fixed, divisible))
        site = draw(st.sampled_from(SITES))
        offer = Offer(
            id=f"offer-{number}",
            supply=supply,
            operator=draw(st.sampled_from(OPERATORS)),
            site=site,
            host=draw(st.sampled_from(HOSTS)) if site else "",
            node=f"n{number}" if isinstance(supply, Divisible) and draw(st.booleans()) else "",
            rack=draw(st.sampled_from(("", "r1", "r2"))),
            link=draw(st.sampled_from(("", "l1"))),
            spot=draw(st.sampled_from((False, False, True))),
            closed=draw(st.sampled_from(("", "", "", "cordoned"))),
            region=draw(st.sampled_from(REGIONS)),
            zone=draw(st.sampled_from(SITES)),
            jurisdiction=draw(st.sampled_from(COUNTRIES)),
            tier=draw(st.integers(0, 4)),
            isolations=draw(st.sampled_from((("process",), ("sandbox",), ("vm",), ISOLATIONS, ()))),
            evidence=draw(st.sampled_from(EVIDENCE)),
            currency=draw(st.sampled_from(("EUR", "EUR", "EUR", "USD"))),
            valid_until=draw(
                st.none() | st.sampled_from((NOW - timedelta(1), NOW, NOW + timedelta(1)))
            ),
            latency=draw(st.none() | st.integers(0, 200)),
        )
        used = Used(
            millicores=draw(_cores),
            memory=draw(_sizes),
            disk=draw(_sizes),
            gpus={"H100": draw(st.integers(0, 3))},
            count=draw(st.integers(0, 3)),
        )
        found.append(Row(offer=offer, used=used, version=draw(st.integers(1, 5))))
    return found


def _some(values: tuple[str, ...]) -> st.SearchStrategy:
    return st.just(()) | st.lists(st.sampled_from(values), min_size=1, max_size=2).map(tuple)


asks = st.builds(
    Ask,
    millicores=_cores,
    memory=_sizes,
    disk=_sizes,
    storage=st.sampled_from((0, 0, 1, GIB, 8 * GIB)),
    gpus=st.sampled_from((0, 0, 1, 2, 8)),
    gpu_models=_some(("H100", "A100", "H100-80GB", "RTX 3060", "A100 1g.10gb", "H100 shared")),
    gpu_memory=st.sampled_from((0, 0, 24 * GIB)),
    tasks=st.sampled_from((1, 1, 2, 3)),
    topology=st.sampled_from(("", "", "host", "link", "rack", "zone")),
    topology_required=st.booleans(),
    isolation=st.sampled_from(ISOLATIONS),
    regions=_some(REGIONS[1:]),
    zones=_some(SITES[1:]),
    sites=_some(PLACES),
    volume_sites=st.just(()) | _some(PLACES),
    price_ceiling=st.none() | _prices,
    currency=st.just("EUR"),
    spot=st.booleans(),
    latency_worth=st.sampled_from((0, 1, 10**6)),
    spread_from=_some(PLACES),
    spread_worth=st.sampled_from((0, 1000, 10**9)),
)

_codes = st.lists(st.sampled_from(("EU", "EFTA", "DE", "FR", "US", "CH")), min_size=1, max_size=3)
policy_specs = st.builds(
    PolicySpec,
    jurisdictions=st.none() | _codes,
    forbidden=st.just([]) | _codes,
    operators=st.none() | st.lists(st.sampled_from(OPERATORS[1:]), min_size=1, max_size=2),
    isolation=st.sampled_from(ISOLATIONS),
    trust_tier=st.sampled_from((0, 0, 1, 3)),
    evidence=st.sampled_from(("declared", "declared", "host", "hardware")),
)
policies = policy_specs.map(compiled)
