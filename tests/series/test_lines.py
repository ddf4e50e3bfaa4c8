"""Logs cut into lines, whatever the chunks they came in."""

from collections.abc import Collection
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kernel.errors import InvalidRequest
from skerry.series.lines import (
    LONGEST_LINE,
    PIECE_BYTES,
    Cutter,
    Line,
    inflated,
    pack,
    pieces,
    unpacked,
)
from skerry.series.words import bits, filter_of, parse, stands, words

AT = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
MS = round(AT.timestamp() * 1000)


def read(log: bytes, cuts: list[int], *, restart: bool = False) -> list[str]:
    """One stream, cut there; with ``restart``, by another reader for each chunk."""
    cutter, lines = Cutter(), []
    for start, end in pairwise([0, *cuts, len(log)]):
        if restart:
            cutter = Cutter(cutter.next, cutter.begun)
        lines += cutter.feed(start, "stdout", AT, log[start:end])
    return [line.text for line in [*lines, *cutter.finish()]]


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)), st.booleans())
def test_lines_do_not_depend_on_chunks(log: bytes, cuts: list[int], restart: bool) -> None:
    cuts = sorted(cut for cut in cuts if cut <= len(log))
    whole = [line.decode("utf-8", "replace").removesuffix("\r") for line in log.split(b"\n")]
    if not log or log.endswith(b"\n"):
        whole.pop()
    assert read(log, cuts, restart=restart) == whole


def test_streams_do_not_mix() -> None:
    cutter = Cutter()
    found = [
        *cutter.feed(0, "stdout", AT, b"out be"),
        *cutter.feed(6, "stderr", AT, b"oops\nand "),
        *cutter.feed(15, "stdout", AT, b"gun\n"),
        *cutter.finish(),
    ]
    assert found == [
        Line(6, MS, True, "oops"),
        Line(0, MS, False, "out begun"),
        Line(11, MS, True, "and "),
    ]


def test_what_was_read_before_gives_no_line() -> None:
    cutter = Cutter()
    assert [line.text for line in cutter.feed(0, "stdout", AT, b"a\nb\n")] == ["a", "b"]
    assert not list(cutter.feed(0, "stdout", AT, b"a\nb\n"))
    assert [line.text for line in cutter.feed(2, "stdout", AT, b"b\nc\n")] == ["c"]


def test_a_line_without_end_is_cut() -> None:
    cutter = Cutter()
    found = list(cutter.feed(0, "stdout", AT, b"x" * (2 * LONGEST_LINE + 5)))
    assert [len(line.text) for line in found] == [LONGEST_LINE, LONGEST_LINE]
    assert [len(line.text) for line in cutter.finish()] == [5]


def test_pieces_are_bounded_in_size_and_time() -> None:
    lines = [Line(n, MS + n * 1000, False, "x" * 1000) for n in range(1000)]
    runs = list(pieces(lines))
    assert [line for run in runs for line in run] == lines
    for run in runs:
        assert sum(len(line.text) for line in run) <= PIECE_BYTES
        assert run[-1].at - run[0].at <= 300_000
    assert unpacked(inflated(pack(runs[0]))) == runs[0]


def test_words_are_runs_of_letters_and_digits_in_lower_case() -> None:
    assert words("GET /v1/jobs?x=1 Übung x" + "y" * 80) == {
        "get", "v1", "jobs", "x", "1", "übung", "x" + "y" * 63,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("refused", "Connection REFUSED by peer", True),
        ("connection peer", "Connection refused by peer", True),
        ("refuse", "connection refused", False),
        ('"refused by"', "connection refused by peer", True),
        ('"by refused"', "connection refused by peer", False),
        ("10.0.0.1:80", "to 10.0.0.1:80 and back", True),
        ("10.0.0.1:8", "to 10.0.0.1:80 and back", False),
        ("can't", "it can't be", True),
        ("a.b", "axb", False),
    ],
)
def test_a_search_means_whole_words(text: str, line: str, found: bool) -> None:
    wanted = parse(text)
    assert all(list(stands(part, line.lower())) for part in wanted.parts) is found
    if found:
        assert _seems_to_have(filter_of(words(line)), wanted.words)


def _seems_to_have(filter: bytes, found: Collection[str]) -> bool:
    """As the database asks it."""
    places = [int(bit) % (len(filter) * 8) for bit in bits(found)]
    return all(filter[place // 8] >> place % 8 & 1 for place in places)


def test_a_filter_has_its_words_and_seldom_seems_to_have_others() -> None:
    mine = {f"word{n}" for n in range(3000)}
    filter = filter_of(mine)
    assert len(filter) <= 3800, "two rows of pieces share a page"
    assert _seems_to_have(filter, mine)
    assert sum(_seems_to_have(filter, [f"other{n}"]) for n in range(3000)) < 3000 * 0.03
    assert not _seems_to_have(filter_of(()), ["any"])
    assert all(0 <= bit < 2**31 for bit in bits(mine))


@pytest.mark.parametrize("text", ["...", "fine ---", " ".join("abcdefghijklmnopqrs")])
def test_a_search_for_no_word_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse(text)
