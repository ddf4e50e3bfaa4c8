"""The files: their names, their bytes, and that they appear whole or not at all."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.proof import tiles, tree
from skerry.proof.tiles import Disagreement, Tiles, bundle, parse_path, path_of, rows_at, unbundle


def test_the_names_of_the_specification():
    assert path_of(0, 1234067) == "tile/0/x001/x234/067"
    assert path_of("entries", 0, 255) == "tile/entries/000.p/255"
    assert path_of(63, 1000) == "tile/63/x001/000"
    # "a tree of size 70,000" of the specification
    assert list(rows_at(70_000)) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert list(rows_at(256)) == [(1, 0, 1)]
    assert list(rows_at(0)) == []


@given(st.integers(0, 63) | st.just("entries"), st.integers(0, 10**12), st.integers(1, 256))
def test_every_name_reads_back(level, number, width):
    assert parse_path(path_of(level, number, width)) == (level, number, width)


@pytest.mark.parametrize(
    "path",
    ["", "checkpoint", "tile/64/000", "tile/00/000", "tile/0/0", "tile/0/x000/001", "tile/0/001/",
     "tile/0/../000", "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/000.p/01", "/tile/0/000",
     "tile/0/000\n", "tile/entries/x1/000", "tile/0/٠٠٠"],
)  # fmt: skip
def test_no_other_name_is_a_tile(path):
    assert parse_path(path) is None


@given(st.lists(st.binary(max_size=300), max_size=9))
def test_bundles_read_back(entries):
    assert unbundle(bundle(entries)) == entries


@pytest.mark.parametrize("data", [b"\0", b"\0\2a", b"\0\1ab"])
def test_a_cut_bundle_is_noticed(data):
    with pytest.raises(ValueError, match="cut short"):
        unbundle(data)


def _grow(store: Tiles, size: int) -> tree.Edge:
    edge = tree.Edge()
    entries = [b"%d" % i for i in range(size)]
    rows = edge.extend([tree.leaf_hash(entry) for entry in entries])
    chunks = [(i // 256, entries[i : i + 256]) for i in range(0, size, 256)]
    store.write([*rows, *edge.partial()], chunks)
    return edge


def test_proofs_come_from_the_files(tmp_path):
    store = Tiles(tmp_path)
    size = 70_000
    edge = _grow(store, size)
    assert len((tmp_path / "tile/2/000.p/1").read_bytes()) == 32
    assert unbundle((tmp_path / "tile/entries/273.p/112").read_bytes())[0] == b"69888"
    assert store.edge(size).root() == edge.root()
    node = store.node(size)
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        path = tree.inclusion(index, size, node)
        assert tree.verify_inclusion(tree.leaf_hash(b"%d" % index), index, size, path, edge.root())
    smaller = store.edge(size)
    for old in (1, 256, 65_536, 69_999):
        path = tree.consistency(old, size, node)
        root = tree.root([tree.leaf_hash(b"%d" % i) for i in range(old)])
        assert tree.verify_consistency(old, size, root, smaller.root(), path)


def test_the_cache_stays_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(tiles, "CACHED", 2)
    store = Tiles(tmp_path)
    _grow(store, 1500)
    for _ in range(2):
        for index in range(0, 1500, 100):
            tree.inclusion(index, 1500, store.node(1500))
    assert len(store._cache) == 2


def test_a_partial_tile_is_read_from_the_full_one_when_it_is_gone(tmp_path):
    store = Tiles(tmp_path)
    _grow(store, 100)
    partial, entries = store.read(0, 0, 100), store.read("entries", 0, 100)
    _grow(store, 600)
    store.drop_partial(100, 600)
    assert not list(tmp_path.glob("tile/0/000.p"))
    assert not list(tmp_path.glob("tile/entries/000.p"))
    assert store.read(0, 0, 100) == partial
    assert store.read("entries", 0, 100) == entries
    store.drop_partial(600, 601)
    assert (tmp_path / "tile/0/002.p/88").exists()


def test_what_is_published_is_never_overwritten(tmp_path):
    store = Tiles(tmp_path)
    edge = _grow(store, 300)
    before = (tmp_path / "tile/0/000").stat().st_mtime_ns
    _grow(store, 300)
    assert (tmp_path / "tile/0/000").stat().st_mtime_ns == before
    row = next(iter(edge.partial()))
    with pytest.raises(Disagreement, match=r"tile/0/001\.p/44 is not what the database gives"):
        store.write([row._replace(hashes=(bytes(32), *row.hashes[1:]))], [])


def test_a_tile_of_the_wrong_length_is_named(tmp_path):
    store = Tiles(tmp_path)
    _grow(store, 300)
    (tmp_path / "tile/0/000").write_bytes(bytes(8191))
    with pytest.raises(Disagreement, match="tile/0/000 has 8191 bytes"):
        tree.inclusion(0, 300, store.node(300))


def test_missing_files_are_missing(tmp_path):
    store = Tiles(tmp_path)
    assert store.checkpoint() is None
    with pytest.raises(FileNotFoundError):
        store.edge(5)


async def test_one_writer_at_a_time(tmp_path):
    first, second, order = Tiles(tmp_path), Tiles(tmp_path), []

    async def hold(store, name, shared, free):
        async with store.lock(shared=shared):
            order.append(name)
            await free.wait()

    free = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(hold(first, "writer", False, free))
        while not order:
            await asyncio.sleep(0)
        group.create_task(hold(second, "reader", True, free))
        await asyncio.sleep(0.1)
        assert order == ["writer"]
        free.set()
    assert order == ["writer", "reader"]
