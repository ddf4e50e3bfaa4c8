import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.ledger import money


@pytest.mark.parametrize(
    ("written", "nano"),
    [("0", 0), ("12.50", 12_500_000_000), ("-0.000000001", -1), ("0.012", 12_000_000)],
)
def test_reads_decimal_strings_exactly(written: str, nano: int) -> None:
    assert money.parse(written) == nano


@pytest.mark.parametrize(
    "written", ["", "1e3", "1,5", " 1", "0.0000000001", "NaN", "１", "+1", ".5"]
)
def test_refuses_what_is_not_a_plain_decimal(written: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        money.parse(written)


@given(st.integers(-(10**18), 10**18))
def test_writes_what_it_reads(nano: int) -> None:
    assert money.parse(money.text(nano)) == nano


@pytest.mark.parametrize(
    ("nano", "currency", "written"),
    [
        (5_000_000, "EUR", "0.00"),
        (15_000_000, "EUR", "0.02"),
        (25_000_000, "EUR", "0.02"),
        (25_000_001, "EUR", "0.03"),
        (-15_000_000, "EUR", "-0.02"),
        (1_500_000_000, "JPY", "2"),
        (500_000, "KWD", "0.000"),
    ],
)
def test_rounds_to_coins_half_to_even(nano: int, currency: str, written: str) -> None:
    assert money.coins(money.rounded(nano, currency), currency) == written


@given(
    price=st.integers(0, 10**12),
    per=st.integers(1, 10**10),
    parts=st.lists(st.integers(0, 10**12), max_size=20),
)
def test_parts_cost_as_much_as_the_whole(price: int, per: int, parts: list[int]) -> None:
    charged = quantity = 0
    for part in parts:
        quantity += part
        amount = money.due(price, per, quantity) - charged
        assert amount >= 0
        charged += amount
    assert charged == money.due(price, per, sum(parts))
    assert 0 <= price * quantity - charged * per < per
