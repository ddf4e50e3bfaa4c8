"""Values as people read them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.cli import formats, output
from skerry.cli.flags import assign, merged
from skerry.client import BadSetting


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0.00"),
        (1, "0.000000001"),
        (1_234_000, "0.001234"),
        (12_345_678, "0.01235"),
        (42_000_000, "0.042"),
        (500_000_000, "0.50"),
        (1_000_000_000, "1.00"),
        (1_005_000_000, "1.00"),
        (1_015_000_000, "1.02"),
        (123_456_789_000, "123.46"),
        (-1_500_000_000, "-1.50"),
        (-42_000_000, "-0.042"),
        (999_999_999, "1.00"),
        (10**21, "1000000000000.00"),
    ],
)
def test_money(nano: int, text: str) -> None:
    assert formats.money(nano) == text
    assert formats.money(nano, "EUR") == f"{text} EUR"


@given(st.integers(-(10**24), 10**24))
def test_money_is_right_to_what_it_shows(nano: int) -> None:
    exact, shown = nano * formats.NANO, formats.money(nano)
    assert (
        abs(Decimal(shown) - exact) <= max(Decimal("0.005"), Decimal(0))
        if abs(exact) >= 1
        else (abs(Decimal(shown) - exact) <= abs(exact) / 1000)
    )


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (5 << 40, "5 TiB")],
)
def test_sizes(count: int, text: str) -> None:
    assert formats.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.042, "42 ms"), (1.42, "1.4 s"), (2, "2 s"), (59.6, "1 m"), (200, "3 m 20 s"),
     (7500, "2 h 5 m"),
     (273600, "3 d 4 h")],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert formats.duration(seconds) == text


def test_times() -> None:
    now = datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert formats.age("2026-11-21T07:57:00Z", now) == "3m"
    assert formats.age("2026-11-18T08:00:00+00:00", now) == "3d"
    assert formats.age("2026-11-21T08:00:04Z", now) == "0s"
    assert formats.age("2026-11-21T09:30:00Z", now) == "in 1h"
    assert formats.age("never") == "-"
    assert formats.moment("2026-11-21T10:00:00+02:00") == "2026-11-21 08:00:00 UTC"


def test_cells_know_their_form_by_name() -> None:
    document = {
        "spec": {"memory": 2 << 30, "network": True, "command": ["a", "b c"]},
        "status": {
            "cost": {"currency": "EUR", "amountNano": 5_000_000},
            "pricePerHourNano": 42_000_000, "currency": "CHF", "tasks": [{"rank": 0}],
            "place": {"site": "a", "zone": "b"}, "name": "x\x1b[31my",
        },
    }  # fmt: skip
    cells = {
        "spec.memory": "2 GiB",
        "spec.network": "yes",
        "spec.command": "a 'b c'",
        "spec.none": "-",
        "status.cost": "0.005 EUR",
        "status.cost.amountNano": "0.005 EUR",
        "status.pricePerHourNano": "0.042 CHF",
        "status.tasks": "1 of them",
        "status.tasks.0.rank": "0",
        "status.place": "site=a,zone=b",
        "status.name": "x\\x1b[31my",
    }
    assert {path: formats.cell(document, path) for path in cells} == cells


def test_nested_values_as_text() -> None:
    value = {"a": 1, "long": None, "inner": {"b": [1, 2]}, "list": [{"c": 1, "d": 2}, 3], "e": {}}
    assert output.described(value) == [
        "a:    1", "long: -", "inner:", "  b: 1,2", "list:", "  - c: 1", "    d: 2", "  - 3",
        "e:    -",
    ]  # fmt: skip


def test_set_makes_what_is_above() -> None:
    document: dict[str, object] = {"a": {"b": 1}}
    assign(document, ["a.c=x=y", "n=3", "t=true", "l.0.x=1", "l.1.x=2", 's="3"', "a.b=null"])
    assert document == {
        "a": {"c": "x=y"}, "n": 3, "t": True, "l": [{"x": 1}, {"x": 2}], "s": "3",
    }  # fmt: skip
    with pytest.raises(BadSetting, match=r"n\.x can't be set"):
        assign(document, ["n.x=1"])
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"c": 3}, "d": [2]}) == {
        "a": {"b": 1, "c": 3},
        "d": [2],
    }
