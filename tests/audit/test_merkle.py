"""The tree: published vectors, RFC 6962's definition taken word for word, and proofs that prove nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.audit.chain import leaf
from endpoints.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    Node,
    consistency,
    extends,
    grow,
    includes,
    inclusion,
    node,
    root,
)

# The entries and roots that implementations of Certificate Transparency are tested with.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf(b"%d" % number) for number in range(70)]


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH(D[n]) of section 2.1, over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path_of(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path_of(m, leaves[:k]), mth(leaves[k:])]
    return [*path_of(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], complete: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) of section 2.1.2."""
    if m == len(leaves):
        return [] if complete else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], complete), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def read(level: int, index: int) -> bytes:
    return mth(LEAVES[index << level : (index + 1) << level])


@pytest.mark.parametrize("size", range(1, 9))
def test_root__published_vectors__are_met(size: int) -> None:
    assert root([leaf(entry) for entry in ENTRIES[:size]]).hex() == ROOTS[size - 1]


def test_root__no_leaves__is_the_hash_of_nothing() -> None:
    assert root([]) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(st.lists(st.integers(0, 20), max_size=5))
def test_grow__in_any_portions__gives_the_definitions_root_and_every_subtree(portions: list[int]) -> None:
    frontier, taken = Frontier(), 0
    kept: list[Node] = []
    for portion in portions:
        portion = min(portion, len(LEAVES) - taken)
        frontier = grow(frontier, LEAVES[taken : taken + portion], above=2, kept=kept)
        taken += portion
        assert (frontier.size, frontier.root()) == (taken, mth(LEAVES[:taken]))
    complete = {(level, index) for level in range(2, 8) for index in range(taken >> level)}
    assert {(level, index) for level, index, _ in kept} == complete
    assert all(digest == read(level, index) for level, index, digest in kept)


@pytest.mark.parametrize("size", range(70))
def test_frontier__to_bytes_and_back__is_the_same(size: int) -> None:
    frontier = grow(Frontier(), LEAVES[:size])
    assert Frontier.from_bytes(size, bytes(frontier)) == frontier


def test_frontier__bytes_of_another_size__are_refused() -> None:
    with pytest.raises(ValueError, match="a tree of 4 leaves has 1 complete subtrees"):
        Frontier.from_bytes(4, bytes(64))


@pytest.mark.parametrize("size", range(1, 70))
def test_inclusion__every_leaf__is_the_definitions_path_and_proves_that_leaf_alone(size: int) -> None:
    leaves = LEAVES[:size]
    top = mth(leaves)
    for index in range(size):
        path = inclusion(read, index, size)
        assert list(path) == path_of(index, leaves)
        assert includes(LEAVES[index], index, size, path, top)
        assert not includes(leaf(b"another"), index, size, path, top)
        assert not includes(LEAVES[index], index + 1, size, path, top)
        assert not includes(LEAVES[index], index, size, [*path, top], top)


@pytest.mark.parametrize("new", range(1, 70))
def test_consistency__every_older_tree__is_the_definitions_proof_and_proves_that_tree_alone(new: int) -> None:
    top = mth(LEAVES[:new])
    for old in range(1, new + 1):
        before, path = mth(LEAVES[:old]), consistency(read, old, new)
        assert list(path) == subproof(old, LEAVES[:new], True)
        assert extends(old, new, before, top, path)
        assert not extends(old, new, leaf(b"another"), top, path)
        assert not extends(old, new, before, leaf(b"another"), path)
        assert not extends(old, new, before, top, [*path, top])


@given(st.integers(2, 69), st.data())
def test_includes__a_hash_of_the_path_changed__proves_nothing(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = list(inclusion(read, index, size))
    at = data.draw(st.integers(0, len(path) - 1))
    path[at] = node(path[at], path[at])
    assert not includes(LEAVES[index], index, size, path, mth(LEAVES[:size]))


def test_proofs__of_what_there_is_not__are_refused() -> None:
    with pytest.raises(ValueError, match="has no leaf 5"):
        inclusion(read, 5, 5)
    for old in (0, 6):
        with pytest.raises(ValueError, match="can't have grown"):
            consistency(read, old, 5)
        assert not extends(old, 5, b"", b"", [])
