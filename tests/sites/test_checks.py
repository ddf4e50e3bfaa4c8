"""The checks that all drivers share."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.sites.checks import check_digest, check_path, matcher
from skerry.sites.contract import Refused


@given(st.text(alphabet="a./\0*é", max_size=12))
def test_an_accepted_path_stays_inside(path: str) -> None:
    try:
        check_path(path)
    except Refused:
        return
    depth = PurePosixPath(path)
    assert not depth.is_absolute()
    assert ".." not in depth.parts
    assert str(depth) == path


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "b/a.txt", False),
        ("out/*", "out/a", True),
        ("out/*", "out/a/b", False),
        ("out/**", "out/a/b", True),
        ("out/**", "out", False),
        ("**/*.bin", "a.bin", True),
        ("**/*.bin", "x/y/a.bin", True),
        ("**", "anything/at/all", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].log", "b.log", True),
        ("[!ab].log", "b.log", False),
        ("[!ab].log", "c.log", True),
        ("a[", "a[", True),
        ("a.c", "abc", False),
        ("*", ".hidden", True),
        ("*", "new\nline", True),
    ],
)
def test_globs(glob: str, path: str, expected: bool) -> None:
    assert matcher([glob])(path) is expected


@given(st.text(alphabet="ab*?[]!-\\/^.", min_size=1, max_size=10), st.text(alphabet="ab/.\\]"))
def test_any_glob_can_be_matched(glob: str, path: str) -> None:
    assert matcher([glob])(path) in (True, False)


@given(st.text(alphabet="ab[]!-^\\.", min_size=1, max_size=8))
def test_no_star_means_no_folder(glob: str) -> None:
    assert not matcher([glob])("a/b")


def test_digests_are_sha256_hex() -> None:
    assert check_digest("sha256:" + "0a" * 32) == "0a" * 32
    for odd in ("", "sha256:", "sha256:" + "0A" * 32, "sha256:" + "0a" * 32 + "\n"):
        with pytest.raises(Refused):
            check_digest(odd)
