"""Hashes and proofs: known vectors, every small tree, random large ones."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.proof import tree

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def _hashes(count: int) -> list[bytes]:
    return [tree.leaf_hash(str(i).encode()) for i in range(count)]


def _by_definition(hashes: list[bytes]) -> bytes:
    """RFC 6962's MTH, word by word, to hold the quick way against."""
    if len(hashes) <= 1:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    left, right = _by_definition(hashes[:k]), _by_definition(hashes[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size):
    hashes = [tree.leaf_hash(leaf) for leaf in LEAVES[:size]]
    assert tree.root(hashes).hex() == ROOTS[size]


def test_every_inclusion_proof_of_small_trees_holds_and_no_other():
    for size in range(1, 40):
        hashes = _hashes(size)
        node, top = tree.memory(hashes), tree.root(hashes)
        assert top == _by_definition(hashes)
        for index in range(size):
            path = tree.inclusion(index, size, node)
            assert tree.verify_inclusion(hashes[index], index, size, path, top)
            assert not tree.verify_inclusion(hashes[index], index, size, [*path, top], top)
            assert not tree.verify_inclusion(hashes[index], index, size, path[:-1], top) or not path
            wrong = [i for i in range(size + 1) if i != index]
            assert not any(tree.verify_inclusion(hashes[index], i, size, path, top) for i in wrong)


def test_every_consistency_proof_of_small_trees_holds_and_no_other():
    hashes = _hashes(40)
    roots = [tree.root(hashes[:size]) for size in range(41)]
    node = tree.memory(hashes)
    for new in range(41):
        for old in range(new + 1):
            path = tree.consistency(old, new, node)
            assert tree.verify_consistency(old, new, roots[old], roots[new], path)
            assert not tree.verify_consistency(old, new, roots[old], roots[new], [*path, roots[1]])
            if path:
                assert not tree.verify_consistency(old, new, roots[old], roots[new], path[:-1])
                other = [hashes[39], *path[1:]]
                assert not tree.verify_consistency(old, new, roots[old], roots[new], other)
            if old:
                assert not tree.verify_consistency(old, new, hashes[39], roots[new], path)
            if old not in (0, new):
                assert not tree.verify_consistency(old, new, roots[old], hashes[39], path)


def test_proofs_are_refused_for_what_no_tree_can_have():
    node = tree.memory(_hashes(3))
    for index, size in ((3, 3), (-1, 3), (0, 0)):
        with pytest.raises(ValueError, match="no leaf"):
            tree.inclusion(index, size, node)
    with pytest.raises(ValueError, match="cannot begin"):
        tree.consistency(4, 3, node)
    assert not tree.verify_consistency(4, 3, b"", b"", [])
    assert not tree.verify_consistency(0, 3, tree.leaf_hash(b""), b"", [])
    assert not tree.verify_consistency(3, 5, b"", b"", [])


@given(st.lists(st.integers(0, 700), max_size=6))
def test_an_edge_that_grew_in_any_steps_has_the_root_and_tiles_of_the_whole(steps):
    hashes = _hashes(sum(steps))
    edge, rows = tree.Edge(), {}
    done = 0
    for step in steps:
        for row in edge.extend(hashes[done : done + step]):
            assert len(row.hashes) == tree.TILE
            assert (row.level, row.number) not in rows
            rows[row.level, row.number] = row.hashes
        done += step
        assert edge.size == done
        assert edge.root() == tree.root(hashes[:done])
    for row in edge.partial():
        rows[row.level, row.number] = row.hashes
    for (level, number), found in rows.items():
        width = 256**level
        first = number * tree.TILE
        for offset, one in enumerate(found):
            at = (first + offset) * width
            assert one == tree.root(hashes[at : at + width])
    assert sum(len(found) for (level, _), found in rows.items() if level == 0) == done


@given(st.integers(1, 100_000), st.data())
def test_large_trees_prove_from_few_hashes(size, data):
    # A tree of equal leaves: each complete subtree's hash depends on its height alone.
    heights = [tree.leaf_hash(b"")]
    while len(heights) < 18:
        heights.append(tree.node_hash(heights[-1], heights[-1]))

    def node(level, index):
        assert (index + 1) << level <= size
        return heights[level]

    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    path = tree.inclusion(index, size, node)
    top = tree._range(0, size, node)
    assert len(path) <= 17
    assert tree.verify_inclusion(heights[0], index, size, path, top)
    path = tree.consistency(old, size, node)
    assert tree.verify_consistency(old, size, tree._range(0, old, node), top, path)


@given(st.lists(st.text(), max_size=20))
def test_a_batch_proves_each_of_its_texts(texts):
    batch = tree.Batch(texts)
    assert batch.size == len(texts)
    for index, text in enumerate(texts):
        path = [bytes.fromhex(step) for step in batch.path(index)]
        leaf, top = tree.leaf_hash(text.encode()), bytes.fromhex(batch.root)
        assert tree.verify_inclusion(leaf, index, batch.size, path, top)


def test_an_empty_batch_has_the_root_of_nothing():
    assert tree.Batch([]).root == ROOTS[0]
