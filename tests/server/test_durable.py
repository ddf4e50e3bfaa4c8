"""Files of secrets: whole or not at all, and nobody else's to read."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skerry.durable import write_private


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "key"
    before = os.umask(0)
    try:
        write_private(file, "secret")
    finally:
        os.umask(before)
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("secret", 0o600)


def test_a_full_disk_leaves_the_former(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    write_private(file, b"former")

    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(file, b"new")
    assert file.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [file]


def test_of_many_writers_at_once_each_writes_it_whole(tmp_path: Path) -> None:
    file = tmp_path / "key"
    texts = [str(number) * 10_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_private(file, text), texts * 4))
    assert file.read_text() in texts
    assert list(tmp_path.iterdir()) == [file]
