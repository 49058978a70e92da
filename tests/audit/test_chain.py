"""The chain: every mutation is found, and the first bad entry named; what a chain alone can't show is said."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.audit.chain import GENESIS, Anchor, Fault, Row, Verification, leaf, link, verify

START = 1_800_000_000_000_000


def chain_of(bodies: list[bytes], *, start: int = START) -> list[Row]:
    rows: list[Row] = []
    prev = GENESIS
    for seq, body in enumerate(bodies, start=1):
        at = start + seq * 10
        digest = link(prev, seq, at, leaf(body))
        rows.append((seq, at, prev, digest, body))
        prev = digest
    return rows


def anchor_of(rows: list[Row]) -> Anchor:
    return Anchor(rows[-1][0], rows[-1][3])


def flip(data: bytes, bit: int) -> bytes:
    at, shift = divmod(bit % (len(data) * 8), 8)
    return data[:at] + bytes([data[at] ^ (1 << shift)]) + data[at + 1 :]


chains = st.lists(st.binary(min_size=1, max_size=40), min_size=3, max_size=12, unique=True).map(chain_of)


def test_leaf_and_link__fixed_vectors__never_change() -> None:
    assert leaf(b"{}").hex() == "28a3a18f6cd6406b086e9ffda1f9b8a13dbcf44b0f3f32cb9031a11fd053acf9"
    first = link(GENESIS, 1, START, leaf(b"{}"))
    assert first.hex() == "897a25291f8855cfe8ff40914444e0ec48f2b5830785a0580c0f7105a0db1658"
    assert (
        link(first, 2, START + 1, leaf(b"[]")).hex()
        == "61ad65e18404e26deaf1bb1f56843eda6702dba0f0543e6c56c17026cfe3d192"
    )


def test_verify__no_entries__is_whole_and_has_no_head() -> None:
    assert verify([]) == Verification(True, 0, None)


@given(chains)
def test_verify__untouched_chain__is_whole_and_names_its_head(rows: list[Row]) -> None:
    assert verify(rows, anchor_of(rows)) == Verification(True, len(rows), anchor_of(rows))


@given(chains, st.data())
def test_verify__one_bit_flipped__names_the_entry(rows: list[Row], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from([2, 3, 4]))
    row: list[Any] = list(rows[index])
    row[column] = flip(row[column], data.draw(st.integers(0, 10_000)))
    rows[index] = cast(Row, tuple(row))
    found = verify(rows)
    assert (found.ok, found.first_bad_seq, found.fault, found.count) == (False, index + 1, Fault.EDIT, index)


@given(chains, st.data())
def test_verify__time_moved__names_the_entry(rows: list[Row], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(rows) - 1))
    seq, at, prev, digest, body = rows[index]
    rows[index] = (seq, at + data.draw(st.sampled_from([-100, -1, 1, 100])), prev, digest, body)
    assert verify(rows).first_bad_seq == index + 1


@given(chains, st.data())
def test_verify__entry_deleted__names_the_missing_one(rows: list[Row], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(rows) - 2))
    del rows[index]
    found = verify(rows)
    assert (found.first_bad_seq, found.fault) == (index + 1, Fault.GAP)


@given(chains, st.data())
def test_verify__entry_deleted_and_rest_renumbered__names_the_first_moved_one(
    rows: list[Row], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(rows) - 2))
    del rows[index]
    moved = [(seq, *row[1:]) for seq, row in enumerate(rows, start=1)]
    found = verify(moved)
    assert (found.first_bad_seq, found.fault) == (index + 1, Fault.SWAP)


@given(chains, st.data())
def test_verify__two_entries_swapped__names_the_first(rows: list[Row], data: st.DataObject) -> None:
    one = data.draw(st.integers(0, len(rows) - 2))
    other = data.draw(st.integers(one + 1, len(rows) - 1))
    rows[one], rows[other] = (one + 1, *rows[other][1:]), (other + 1, *rows[one][1:])
    found = verify(rows)
    assert (found.first_bad_seq, found.fault) == (one + 1, Fault.SWAP)


@given(chains, st.data())
def test_verify__contents_of_two_entries_swapped__names_the_first(
    rows: list[Row], data: st.DataObject
) -> None:
    one = data.draw(st.integers(0, len(rows) - 2))
    other = data.draw(st.integers(one + 1, len(rows) - 1))
    bodies = rows[one][4], rows[other][4]
    rows[one], rows[other] = (*rows[one][:4], bodies[1]), (*rows[other][:4], bodies[0])
    assert verify(rows).first_bad_seq == one + 1


@given(chains, st.data())
def test_verify__entry_inserted__names_its_place(rows: list[Row], data: st.DataObject) -> None:
    index = data.draw(st.integers(1, len(rows) - 1))
    prev = rows[index - 1][3]
    forged: Row = (
        index + 1,
        rows[index][1],
        prev,
        link(prev, index + 1, rows[index][1], leaf(b"x" * 50)),
        b"x" * 50,
    )
    rest = [(row[0] + 1, *row[1:]) for row in rows[index:]]
    found = verify([*rows[:index], forged, *rest])
    # The forged entry is sound in itself; the one after it shows that it was put there.
    assert (found.first_bad_seq, found.fault) == (index + 1, Fault.SWAP)


@given(chains, st.data())
def test_verify__entry_rewritten_with_its_own_hash__names_it(rows: list[Row], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(rows) - 2))
    seq, at, prev, _, _ = rows[index]
    rows[index] = (seq, at, prev, link(prev, seq, at, leaf(b"y" * 50)), b"y" * 50)
    found = verify(rows)
    assert (found.first_bad_seq, found.fault, found.count) == (index + 1, Fault.EDIT, index)


@given(chains, st.data())
def test_verify__entry_given_twice__names_it(rows: list[Row], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(rows) - 1))
    rows.insert(index, rows[index])
    assert verify(rows).first_bad_seq == index + 1


@given(chains, st.data())
def test_verify__tail_cut__shows_with_an_anchor_only(rows: list[Row], data: st.DataObject) -> None:
    anchor, keep = anchor_of(rows), data.draw(st.integers(0, len(rows) - 1))
    cut = rows[:keep]
    assert verify(cut).ok
    found = verify(cut, anchor)
    assert (found.first_bad_seq, found.fault) == (keep + 1, Fault.CUT)


@given(chains, st.data())
def test_verify__chain_rewritten_and_hashed_anew__shows_with_an_anchor_only(
    rows: list[Row], data: st.DataObject
) -> None:
    anchor, index = anchor_of(rows), data.draw(st.integers(0, len(rows) - 1))
    bodies = [row[4] for row in rows]
    bodies[index] = b"z" * 50
    forged = chain_of(bodies)
    assert verify(forged).ok
    found = verify(forged, anchor)
    assert (found.ok, found.fault, found.first_bad_seq) == (False, Fault.CUT, anchor.seq)


def test_verify__time_goes_back_in_a_sound_chain__names_the_entry() -> None:
    first = chain_of([b"a"])
    at, prev = first[0][1] - 1, first[0][3]
    found = verify([*first, (2, at, prev, link(prev, 2, at, leaf(b"b")), b"b")])
    assert (found.first_bad_seq, found.reason) == (2, "Entry 2 is dated before entry 1.")


def test_anchor__printed_and_read__is_the_same() -> None:
    anchor = Anchor(7, bytes(range(32)))
    assert Anchor.parse(str(anchor)) == anchor


@pytest.mark.parametrize("text", ["", "7", "x:00", "0:" + "00" * 32, "7:" + "00" * 31, "7:" + "zz" * 32])
def test_anchor__anything_else__is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="An anchor is the number of an entry"):
        Anchor.parse(text)
