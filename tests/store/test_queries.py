"""Named queries."""

import pytest

from skerry.store import queries

TEXT = """-- What this file is for.

-- name: first
-- Says why.
select 1;

-- name: second_one  (takes: nothing)
select 2
"""


def test_each_block_reaches_to_the_next() -> None:
    assert queries.parse(TEXT) == {
        "first": "-- Says why.\nselect 1;",
        "second_one": "select 2",
    }


def test_a_name_is_used_once() -> None:
    with pytest.raises(ValueError, match="'first' is defined twice"):
        queries.parse(TEXT + "-- name: first\nselect 3\n")


def test_a_misspelt_name_fails_at_the_first_touch() -> None:
    loaded = queries.Queries("skerry.example", queries.parse(TEXT))
    assert loaded.second_one == "select 2"
    assert list(loaded) == ["first", "second_one"]
    with pytest.raises(AttributeError, match=r"skerry\.example has no query named 'thrid'"):
        _ = loaded.thrid
