"""The archive: whole, or refused in words."""

import io
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from skerry.backing.archive import ABOUT, DUMP, About, Damaged, Reader, writing
from skerry.store.errors import StoreError

BLOB = "blobs/" + "ab" * 32


def about(**changed: object) -> bytes:
    plain = About(
        format=1, skerry="0", operator="skerry", at=datetime(2026, 1, 1, tzinfo=UTC), migration=1,
        postgres=18, resources=1, transfers=0, changes=1, checkpoint="", blobs=1,
    )  # fmt: skip
    return msgspec.json.encode(msgspec.structs.replace(plain, **changed))


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "whole.tar"
    with writing(path) as writer:
        with writer.member(DUMP) as write:
            for number in range(3):
                write(bytes([number]) * 1000)
        writer.add("keys/hosts/authority.pem", b"key")
        writer.add(BLOB, b"bytes")
        writer.add(ABOUT, about())
    return path


def test_what_was_written_is_read(whole: Path) -> None:
    reader = Reader(whole)
    assert reader.read(DUMP) == bytes(1000) + b"\1" * 1000 + b"\2" * 1000
    assert reader.names("keys/") == ["keys/hosts/authority.pem"]
    assert reader.names("blobs/") == [BLOB]
    assert reader.about.changes == 1
    assert whole.stat().st_mode & 0o777 == 0o600
    with tarfile.open(whole) as tar:  # and any tar can read it
        assert tar.extractfile(BLOB).read() == b"bytes"  # type: ignore[union-attr]


def test_cut_off_anywhere_it_is_refused(whole: Path) -> None:
    """But for the padding at its very end, which says nothing."""
    data = whole.read_bytes()
    for length in range(0, len(data) - 1024, 97):
        whole.write_bytes(data[:length])
        with pytest.raises(Damaged, match="Nothing was restored"):
            Reader(whole)


def test_a_byte_altered_anywhere_is_noticed(whole: Path) -> None:
    """What is no part of a member's bytes may be altered only if the same comes out."""
    data, before = whole.read_bytes(), Reader(whole)
    for at in range(0, len(data) - 1024, 41):
        whole.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        try:
            now = Reader(whole)
        except Damaged:
            continue
        assert [now.read(name) for name in now.sums] == [before.read(n) for n in before.sums]


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "any").write_bytes(b"no tar at all" * 100)
    with pytest.raises(Damaged, match="no whole backup"):
        Reader(tmp_path / "any")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "keys/../x", "blobs/x"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(Damaged, match="which no backup does"):
        Reader(tmp_path / "evil.tar")


def test_links_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        link = tarfile.TarInfo("keys/seal.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
        tar.addfile(link)
    with pytest.raises(Damaged, match="which no backup does"):
        Reader(tmp_path / "evil.tar")


def test_a_later_form_is_refused_in_words(tmp_path: Path) -> None:
    with writing(tmp_path / "later.tar") as writer:
        writer.add(DUMP, b"")
        writer.add(ABOUT, about(format=2, skerry="9.9"))
    with pytest.raises(Damaged, match=r"made by Skerry 9\.9"):
        Reader(tmp_path / "later.tar")


def test_nothing_is_written_over(whole: Path) -> None:
    before = whole.read_bytes()
    with pytest.raises(StoreError, match="there already"), writing(whole):
        pass
    assert whole.read_bytes() == before


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def half() -> None:
        with writing(tmp_path / "a.tar") as writer:
            writer.add(DUMP, b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="is full"):
        half()
    assert list(tmp_path.iterdir()) == []
