"""The rules by which words become records, for themselves and for what the store makes of many at once."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from endpoints.access.models import Workspace
from endpoints.challenges.merge import MOST_NEAR, Book, Merged, begun, unify
from endpoints.challenges.models import Prediction
from endpoints.challenges.recorded import FIELDS, Record, Source
from endpoints.challenges.seen import packed_origin
from endpoints.challenges.services import take
from tests.challenges.recording import ago, guid
from tests.support.people import make_endpoint

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def word(**fields: Any) -> Record:
    return Record(1, fields.pop("at", NOON), **fields)


def state(row: Merged) -> tuple[Any, ...]:
    return row.values, row.givers, row.conflicts, row.known


@pytest.mark.parametrize("seed", range(20))
def test_words_of_three_sources__in_any_order__make_the_same_record(seed: int) -> None:
    chance = random.Random(seed)
    words = {
        source: word(
            request_id=guid(1),
            at=NOON + chance.randrange(3) * MINUTE,
            client_id=chance.choice(["", "a", "b"]),
            deployment=chance.choice(["", "blue", "green"]),
            status=chance.choice([None, 0, 200]),
            high_risk=chance.choice([None, False, True]),
            scores=chance.choice([None, {"a": 0.5}, {"a": 0.6}]),
        )
        for source in Source
    }
    found = []
    for order in permutations(Source):
        row = begun(words[order[0]], order[0], NOON, "r:1")
        for source in order[1:]:
            unify(row, words[source], source, NOON)
            assert not unify(row, words[source], source, NOON)
        found.append(state(row))
    assert all(one == found[0] for one in found)
    best = found[0][0]
    for name in FIELDS:
        said = [getattr(words[source], name) for source in (Source.LOG, Source.MODEL, Source.CALLER)]
        known = [value for value in said if value is not None and value != ""]
        assert best.get(name) == (known[0] if known else None)


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ({"client_id": "c"}, {"client_id": "c", "at": NOON + 10 * MINUTE}, True),
        ({"client_id": "c"}, {"client_id": "c", "at": NOON + 10 * MINUTE + MINUTE / 60}, False),
        ({"client_id": "c"}, {"client_id": "C"}, False),
        ({"client_id": "c", "request_id": guid(1)}, {"client_id": "c", "request_id": guid(2)}, False),
        ({"client_id": "c", "request_id": guid(1)}, {"client_id": "d", "request_id": guid(1)}, True),
        ({"client_id": "c", "request_id": guid(1)}, {"client_id": "c", "at": NOON - 9 * MINUTE}, True),
        ({"request_id": guid(1)}, {"client_id": "c"}, False),
        ({"request_id": guid(1)}, {"request_id": guid(1), "at": NOON + timedelta(days=1)}, True),
        ({"request_id": guid(1)}, {"request_id": guid(1), "at": NOON + timedelta(days=2)}, False),
    ],
)
def test_two_words__of_two_sources__are_one_record_when_they_can_mean_nothing_else(
    first: dict[str, Any], second: dict[str, Any], is_one: bool
) -> None:
    book = Book()
    one, _ = book.take(word(**first), Source.CALLER, NOON)
    other, _ = book.take(word(**second), Source.LOG, NOON)
    assert (one is other) is is_one
    assert len(book) == (1 if is_one else 2)


def test_an_ambiguous_word__said_again__finds_what_it_made() -> None:
    book = Book()
    for number in (1, 2):
        book.take(word(request_id=guid(number), client_id="c"), Source.LOG, NOON)
    mine, _ = book.take(word(client_id="c"), Source.CALLER, NOON)
    again, is_changed = book.take(word(client_id="c"), Source.CALLER, NOON)
    assert (again is mine, is_changed, len(book)) == (True, False, 3)


def test_a_client__that_uses_one_id_for_everything__has_its_words_joined_by_azures_alone() -> None:
    book = Book()
    for number in range(MOST_NEAR + 1):
        book.take(
            word(request_id=guid(number), client_id="x", at=NOON + number * MINUTE / 60), Source.LOG, NOON
        )
    own, _ = book.take(word(client_id="x"), Source.CALLER, NOON)
    assert own.key.startswith("c:x@")
    assert book.take(word(client_id="x"), Source.CALLER, NOON) == (own, False)
    assert len(book) == MOST_NEAR + 2


def test_a_name__that_is_taken__is_not_given_twice() -> None:
    book = Book()
    first, _ = book.take(word(client_id="c"), Source.CALLER, NOON)
    book.take(word(request_id=guid(1), client_id="c", at=NOON + MINUTE), Source.MODEL, NOON)
    book.take(word(request_id=guid(1), client_id="d"), Source.LOG, NOON)
    second, _ = book.take(word(client_id="c"), Source.MODEL, NOON)
    assert second is not first
    assert {first.key, second.key} == {first.key, f"{first.key}.2"}


def test_origin__as_it_is_stored__names_once_what_most_fields_share() -> None:
    row = begun(word(client_id="c", status=200, deployment="blue"), Source.CALLER, NOON, "c:1")
    assert packed_origin(row.givers, row.later) == {"*": "caller"}
    unify(row, word(client_id="c", status=200, confidence=0.5), Source.LOG, NOON)
    assert packed_origin(row.givers, row.later) == {
        "*": "log+caller", "deployment": "caller", "confidence": "log",
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(6))
def test_the_store__in_batches__makes_what_the_rules_make_of_one_word_after_the_other(
    seed: int, workspace: Workspace
) -> None:
    """A few ids and times around a midnight, so that everything meets: the store must not differ in anything."""
    endpoints = [make_endpoint(workspace, name).pk for name in ("one", "two")]
    chance = random.Random(seed)
    midnight = ago(days=1).replace(hour=0, minute=0, second=0)
    batches = [
        (
            chance.choice(list(Source)),
            [_anything(chance, endpoints, midnight) for _ in range(chance.randrange(1, 25))],
        )
        for _ in range(15)
    ]
    plain = Book()
    for source, records in batches:
        expected = [_plainly(plain, record, source) for record in records]
        taken = take(records, source=source)
        assert (taken.new, taken.merged, taken.same) == (
            expected.count("new"), expected.count("merged"), expected.count("same"),
        )  # fmt: skip
    stored = {(row.endpoint_id, row.key, row.day): row for row in Prediction.objects.all()}
    assert set(stored) == {row.address for row in plain}
    for row in plain:
        found = stored[row.address]
        assert {name: getattr(found, name) for name in row.values} == row.values
        assert found.origin.get("*") is not None
        assert set(found.conflicts or {}) == set(row.conflicts)
        assert {source for source in Source if getattr(found, f"{source}_known_at")} == set(row.known)


def _anything(chance: random.Random, endpoints: list[int], midnight: datetime) -> Record:
    ids = chance.choice([("request_id",), ("client_id",), ("request_id", "client_id")])
    return Record(
        chance.choice(endpoints),
        midnight + timedelta(minutes=chance.choice([-1500, -12, -5, -1, 0, 1, 4, 12, 1500])),
        request_id=guid(chance.randrange(1, 9)) if "request_id" in ids else "",
        client_id=chance.choice("abcd") if "client_id" in ids else "",
        deployment=chance.choice(["", "blue", "green"]),
        confidence=chance.choice([None, 0.0, 0.5]),
        pinned=chance.choice([None, False]),
    )


def _plainly(book: Book, record: Record, source: Source) -> str:
    there = len(book)
    _, is_changed = book.take(record, source, NOON)
    return "new" if len(book) > there else "merged" if is_changed else "same"
