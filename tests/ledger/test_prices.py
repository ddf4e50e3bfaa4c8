from datetime import UTC, datetime, timedelta

import pytest

from skerry.kernel import changes
from skerry.kernel.errors import Conflict, Unavailable
from skerry.ledger import meters, price_lists
from skerry.ledger.prices import Overlay, PriceError, PriceList, read
from skerry.ledger.toml_lines import line_of
from skerry.store import Database

LIST = """\
version = 1
currency = "EUR"
effective = 2026-01-01
credit-limit = "50"

[prices]
cpu-hour = "0.012"

[prices.gpu-hour]
default = "0.40"
A10 = "0.60"
A100 = "1.40"
"A100 80GB" = "1.60"

[[places]]
region = "north"
[places.prices]
cpu-hour = "0.010"

[[places]]
site = "basement"
[places.prices]
cpu-hour = "0.005"
gpu-hour = { H100 = "1.00" }
"""


@pytest.fixture
def prices() -> PriceList:
    return read(LIST)


def amount(prices: PriceList, *args: str, **more: object) -> int | None:
    price = prices.price(*args, **more)  # type: ignore[arg-type]
    return price.amount if price else None


def test_the_shipped_list_reads_and_prices_what_runs() -> None:
    shipped = read(price_lists.shipped())
    assert shipped.currency == "EUR"
    for name in ("cpu-hour", "memory-gib-hour", "gpu-hour", "storage-gib-month"):
        price = shipped.price(name)
        assert price is not None
        assert price.amount > 0
    assert amount(shipped, "gpu-hour", "NVIDIA H100 80GB HBM3") == 2_300_000_000
    assert amount(shipped, "gpu-hour", "NVIDIA L40S") == 1_050_000_000


def test_the_name_that_fits_best_counts(prices: PriceList) -> None:
    assert amount(prices, "gpu-hour") == 400_000_000
    assert amount(prices, "gpu-hour", "NVIDIA A10") == 600_000_000
    assert amount(prices, "gpu-hour", "NVIDIA A100-SXM4-40GB") == 1_400_000_000
    assert amount(prices, "gpu-hour", "NVIDIA A100 80GB PCIe") == 1_600_000_000
    assert amount(prices, "gpu-hour", "NVIDIA A1000") == 400_000_000


def test_what_is_not_listed_has_no_price(prices: PriceList) -> None:
    assert prices.price("memory-gib-hour") is None
    assert prices.price("nonsense") is None
    only = read('version=1\ncurrency="EUR"\neffective=2026-01-01\n[prices.gpu-hour]\nH100="1"\n')
    assert only.price("gpu-hour", "T4") is None


def test_a_place_prices_anew_what_it_names(prices: PriceList) -> None:
    assert amount(prices, "cpu-hour", region="north", site="attic") == 10_000_000
    assert amount(prices, "cpu-hour", region="north", site="basement") == 5_000_000
    assert amount(prices, "cpu-hour", region="south") == 12_000_000
    assert amount(prices, "gpu-hour", "H100", site="basement") == 1_000_000_000
    assert amount(prices, "gpu-hour", "A10", site="basement") == 600_000_000


def test_an_agreed_price_comes_first_while_it_holds(prices: PriceList) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    overlays = [
        Overlay(tenant="acme", meter="cpu-hour", amount=7, starts_at=start,
                ends_at=start + timedelta(days=30)),
        Overlay(tenant="acme", meter="gpu-hour", sku="A100", amount=9, starts_at=start),
        Overlay(tenant="acme", meter="gpu-hour", amount=8, starts_at=start),
    ]  # fmt: skip
    find = {"at": start, "overlays": overlays, "site": "basement"}
    assert amount(prices, "cpu-hour", **find) == 7
    assert amount(prices, "gpu-hour", "NVIDIA A100", **find) == 9
    assert amount(prices, "gpu-hour", "NVIDIA T4", **find) == 8
    assert amount(prices, "cpu-hour", **(find | {"at": start - timedelta(1)})) == 5_000_000
    assert amount(prices, "cpu-hour", **(find | {"at": start + timedelta(30)})) == 5_000_000


def test_a_price_is_for_whole_units_of_sale(prices: PriceList) -> None:
    price = prices.price("cpu-hour")
    assert price is not None
    assert price.due(3_600_000) == 12_000_000
    assert price.due(1) == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('cpu-hour = "0.012"', "cpu-hour = 0.012", "prices.toml:7: prices.cpu-hour: must be in"),
        ('cpu-hour = "0.012"', 'cpu-hour = "0,012"', "prices.toml:7: prices.cpu-hour: '0,012' is"),
        ('cpu-hour = "0.012"', 'cpu-hour = "-1"', "prices.toml:7: prices.cpu-hour: must not"),
        ('A100 = "1.40"', 'A100 = "x"', "prices.toml:12: prices.gpu-hour.A100: 'x' is not"),
        ('"A100 80GB" = "1.60"', '"A100 80GB" = ""', "prices.toml:13: prices.gpu-hour.A100 80GB"),
        ('"A100 80GB"', '" "', "prices.toml:13: prices.gpu-hour. : names nothing"),
        ("cpu-hour", "cpu-fortnight", "prices.toml:7: prices.cpu-fortnight: 'cpu-fortnight' is"),
        ("version = 1", 'version = "1"', "prices.toml:1: version: must be a whole number"),
        ("version = 1", "version = true", "prices.toml:1: version: must be a whole number"),
        ("version = 1", "", "prices.toml:1: version is missing"),
        ('"EUR"', '"euro"', "prices.toml:2: currency: must be three letters"),
        ("2026-01-01", '"2026-01-01"', "prices.toml:3: effective: must be a date"),
        ("2026-01-01", "2026-01-01T00:00:00", "prices.toml:3: effective: needs a time zone"),
        ("credit-limit", "credits", "prices.toml:4: credits: is unknown; expected"),
        ("credit-limit", 'operator = ""\ncredit-limit', "prices.toml:4: operator: must be the"),
        ('region = "north"', "", "prices.toml:15: places.0: needs a region or a site"),
        ('region = "north"', 'site = "basement"', "prices.toml:15: places.0: basement is"),
        ('site = "basement"', 'sight = "b"', "prices.toml:21: places.1.sight: is unknown"),
        ('H100 = "1.00"', "H100 = 1", "prices.toml:24: places.1.prices.gpu-hour.H100: must be"),
        ("[prices]", "[prices", "prices.toml: Expected"),
        ("[[places]]\nregion", "[places]\nregion", "prices.toml: "),
    ],
)  # fmt: skip
def test_says_in_which_line_what_is_wrong(old: str, new: str, message: str) -> None:
    assert old in LIST
    with pytest.raises(PriceError) as wrong:
        read(LIST.replace(old, new, 1))
    assert str(wrong.value).startswith(message)


@pytest.mark.parametrize("end", ["places = 1", "places = [1]", "prices = 1"])
def test_refuses_other_shapes(end: str) -> None:
    head = 'version=1\ncurrency="EUR"\neffective=2026-01-01T00:00:00+02:00\n'
    if not end.startswith("prices"):
        end += "\nprices = {}"
    with pytest.raises(PriceError, match="must be"):
        read(head + end)


def test_finds_lines_in_any_spelling() -> None:
    source = "a = 1\n[ x . 'y z' ] # note\n\nb.\"c\" = 2\n[[t]]\nk = 1\n[[t]]\n[t.u]\nk = 2\n"
    assert line_of(source, ("x", "y z", "b", "c")) == 4
    assert line_of(source, ("t", 1, "u", "k")) == 9
    assert line_of(source, ("t", 0, "k")) == 6
    assert line_of(source, ("x", "none")) == 1


def test_meters_say_their_units() -> None:
    assert meters.meter("cpu-hour").unit == "core-hour"
    assert meters.meter("qpu-hour").unit == "qpu-hour"
    assert meters.meter("input-token-million").unit == "million"
    assert meters.unit_of("storage-gib-month") == "GiB-month"
    assert meters.unit_of("widgets") == "widgets"
    assert meters.rate("cpu-hour", 1500) == 1500
    assert meters.rate("memory-gib-hour", (512 << 20) + 1) == 513
    with pytest.raises(ValueError, match="counted by readings"):
        meters.rate("egress-gib", 1)
    with pytest.raises(ValueError, match="is not a meter"):
        meters.meter("hour")


async def test_versions_follow_each_other(db: Database) -> None:
    async with db.transaction() as tx:
        with pytest.raises(Unavailable):
            await price_lists.at(tx)
        await price_lists.load(tx, LIST)
        await price_lists.load(tx, LIST)
        later = LIST.replace("version = 1", "version = 2")
        with pytest.raises(Conflict, match="exists with other prices") as refused:
            await price_lists.load(tx, LIST + "\n")
        assert "version = 2" in refused.value.hint
        with pytest.raises(Conflict, match="later than"):
            await price_lists.load(tx, later.replace("2026-01-01", "2025-12-31"))
        with pytest.raises(Conflict, match="are in EUR, not CHF"):
            await price_lists.load(tx, later.replace("EUR", "CHF"))
        await price_lists.load(tx, later.replace("2026-01-01", "2999-01-01"))
        assert (await price_lists.at(tx)).version == 1
        assert (await price_lists.at(tx, datetime(2999, 1, 1, tzinfo=UTC))).version == 2
        assert [p.version for p in await price_lists.all_lists(tx)] == [1, 2]


async def test_an_older_version_is_refused(db: Database) -> None:
    async with db.transaction() as tx:
        await price_lists.load(tx, LIST.replace("version = 1", "version = 3"))
        with pytest.raises(Conflict, match="version 3 of the price list is newer"):
            await price_lists.load(tx, LIST)


async def test_loading_is_witnessed(db: Database) -> None:
    async with db.transaction() as tx:
        await price_lists.load(tx, LIST)
        row = await tx.fetchrow("select subject, body from change where kind = 'ledger.prices'")
        assert row is not None
        rebuild = changes.WITNESSES["ledger.prices"]
        body = await rebuild(tx, row["subject"])
        assert changes.canonical(body).decode() == row["body"]
        assert await rebuild(tx, "ledger/prices/9") is None
