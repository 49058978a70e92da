"""What several sources say of one request becomes one record. Pure.

Azure's request id decides where it is known. The client's id is used again for retries, so it joins two words only when
exactly one record within ten minutes can be meant, and a source that names two times speaks of two requests. Of each
field the word that counts first stands (`seen.RANKED`); what others said instead is kept beside it. A source's first
word stands against its later ones, so that nobody can rewrite what they said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from endpoints.challenges.recorded import FIELDS, Record, Source
from endpoints.challenges.seen import LATER, RANKED, Conflicts, Givers, Later, Values

NEAR = timedelta(minutes=10)
"""Between two words with one client's id that may be of one request."""
MEASURED = ("confidence", "high_risk", "scores")
"""What figures are made of."""
MOST_NEAR = 20
"""Records of one client's id around a time; a client that has more of them uses it for everything."""
KEYS_LOOKED_AT = 3
_RANK = {source: place for place, source in enumerate(RANKED)}
_ONE_DAY = 1
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass(slots=True, eq=False)
class Merged:
    """A record while words are added to it. `values` has only what somebody said.

    `minutes`: those whose figures this record was or is part of, once it changed.
    """

    endpoint_id: int
    day: date
    key: str
    values: Values = field(default_factory=dict)
    givers: Givers = field(default_factory=dict)
    conflicts: Conflicts = field(default_factory=dict)
    later: Later = field(default_factory=dict)
    known: dict[Source, datetime] = field(default_factory=dict)
    is_new: bool = False
    is_changed: bool = False
    minutes: set[datetime] = field(default_factory=set)

    @property
    def at(self) -> datetime:
        at: datetime = self.values["at"]
        return at

    @property
    def address(self) -> tuple[int, str, date]:
        return self.endpoint_id, self.key, self.day

    def word(self, name: str, source: Source) -> Any:
        """What a source said of a field at first; None: nothing."""
        if source in self.givers.get(name, ()):
            return self.values[name]
        return self.conflicts.get(name, {}).get(source)


def minute_of(values: Values) -> datetime | None:
    """The minute whose figures a record counts in; None: it has no figure, or no deployment that it would be of."""
    if not values.get("deployment") or not any(name in values for name in MEASURED):
        return None
    at: datetime = values["at"]
    return at.replace(second=0, microsecond=0)


def unify(row: Merged, record: Record, source: Source, now: datetime) -> bool:
    """Add one source's word to a record; whether it said anything new. The same word again says nothing new."""
    is_first = source not in row.known
    is_changed = is_first
    for name in FIELDS:
        value = getattr(record, name)
        if value is None or value == "" or value == {}:
            continue
        is_unheard = row.word(name, source) is None
        if _add(row, name, value, source):
            is_changed = True
            if is_unheard and not is_first:
                row.later.setdefault(name, {})[source] = now
    row.known.setdefault(source, now)
    return is_changed


def begun(record: Record, source: Source, now: datetime, key: str) -> Merged:
    """A record of its own out of one word."""
    values = {
        name: value
        for name in FIELDS
        if (value := getattr(record, name)) is not None and value != "" and value != {}
    }
    return Merged(
        record.endpoint_id,
        record.at.astimezone(UTC).date(),
        key,
        values,
        givers=dict.fromkeys(values, (source,)),
        known={source: now},
        is_new=True,
    )


def _add(row: Merged, name: str, value: Any, source: Source) -> bool:
    if name not in row.values:
        row.values[name], row.givers[name] = value, (source,)
        return True
    before = row.word(name, source)
    if before is not None:
        return before != value and _said_again(row, name, value, source)
    current, givers = row.values[name], row.givers.get(name, ())
    if current == value:
        row.givers[name] = _ranked((*givers, source))
    elif givers and _RANK[source] > _RANK[givers[0]]:
        row.conflicts.setdefault(name, {})[source] = value
    else:
        _displace(row, name, value, source)
    return True


def _said_again(row: Merged, name: str, value: Any, source: Source) -> bool:
    """The first word stands; that there was another one is kept, once."""
    others = row.conflicts.setdefault(name, {})
    if source + LATER in others:
        return False
    others[source + LATER] = value
    return True


def _displace(row: Merged, name: str, value: Any, source: Source) -> None:
    """A word that counts more comes in: what stood there becomes what others said."""
    others = row.conflicts.setdefault(name, {})
    others |= {str(giver): row.values[name] for giver in row.givers.get(name, ())}
    agreeing = [one for one in RANKED if one in others and others[one] == value]
    for one in agreeing:
        del others[one]
    row.values[name], row.givers[name] = value, _ranked((source, *agreeing))
    if not others:
        del row.conflicts[name]


def _ranked(sources: Iterable[Source]) -> tuple[Source, ...]:
    return tuple(sorted(set(sources), key=_RANK.__getitem__))


class Book:
    """Records by their ids: those that words may be about, and those that words began."""

    def __init__(self, rows: Iterable[Merged] = ()) -> None:
        self._by_address: dict[tuple[int, str, date], Merged] = {}
        self._by_request: dict[tuple[int, str], list[Merged]] = defaultdict(list)
        self._by_client: dict[tuple[int, str], list[Merged]] = defaultdict(list)
        for row in rows:
            self.add(row)

    def __iter__(self) -> Iterator[Merged]:
        return iter(self._by_address.values())

    def __len__(self) -> int:
        return len(self._by_address)

    def add(self, row: Merged) -> None:
        """Let words find a record; one that is there already stays as it is."""
        if row.address not in self._by_address:
            self._by_address[row.address] = row
            for name, index in self._indexes():
                if known := row.values.get(name):
                    index[row.endpoint_id, known].append(row)

    def knows(self, record: Record) -> bool:
        """Whether Azure's id alone finds the record, so that nobody needs to look for the client's."""
        return self._of_request(record) is not None

    def take(self, record: Record, source: Source, now: datetime) -> tuple[Merged, bool]:
        """The record that the word is about, with the word in it, and whether that said anything new."""
        row = self._of_request(record) or self._of_client(record, source)
        if row is None:
            row = begun(record, source, now, self._free_key(record))
            self.add(row)
            _touch(row, minute_of(row.values))
            return row, True
        minute, ids = minute_of(row.values), _ids(row)
        if not unify(row, record, source, now):
            return row, False
        row.is_changed = True
        _touch(row, minute, minute_of(row.values))
        if ids != _ids(row):
            self._index_anew(row)
        return row, True

    def _indexes(self) -> tuple[tuple[str, dict[tuple[int, str], list[Merged]]], ...]:
        return ("request_id", self._by_request), ("client_id", self._by_client)

    def _index_anew(self, row: Merged) -> None:
        """Let words find a record by an id that it did not have before."""
        for name, index in self._indexes():
            if (known := row.values.get(name)) and row not in index[row.endpoint_id, known]:
                index[row.endpoint_id, known].append(row)

    def _of_request(self, record: Record) -> Merged | None:
        """By Azure's id: on the same day, or across a midnight."""
        if not record.request_id:
            return None
        day = record.at.astimezone(UTC).date()
        found = self._by_request.get((record.endpoint_id, record.request_id), ())
        near = [row for row in found if abs((row.day - day).days) <= _ONE_DAY]
        return min(near, key=lambda row: (abs((row.day - day).days), row.day), default=None)

    def _of_client(self, record: Record, source: Source) -> Merged | None:
        """By the client's id, where it can mean one request only."""
        if not record.client_id:
            return None
        return self._said_before(record, source) or self._only_one(record, source)

    def _said_before(self, record: Record, source: Source) -> Merged | None:
        """What this very word made when it came the first time."""
        found = [
            row
            for row in dict.fromkeys((*self._named(record), *self._near(record)))
            if row.word("at", source) == record.at
            and row.word("client_id", source) == record.client_id
            and not _contradicts(row, record)
        ]
        own = [row for row in found if "request_id" not in row.values]
        return own[0] if own else found[0] if len(found) == 1 else None

    def _only_one(self, record: Record, source: Source) -> Merged | None:
        """The only record that can be meant; None also when there are several."""
        near = self._near(record)
        found = [row for row in near if source not in row.known and not _contradicts(row, record)]
        return found[0] if len(found) == 1 else None

    def _near(self, record: Record) -> list[Merged]:
        """Records of the client's id around that time; none when the client uses it for everything."""
        found: list[Merged] = []
        for row in self._by_client.get((record.endpoint_id, record.client_id), ()):
            if abs(row.at - record.at) <= NEAR and row.values.get("client_id") == record.client_id:
                found.append(row)
                if len(found) > MOST_NEAR:
                    return []
        return found

    def _named(self, record: Record) -> list[Merged]:
        """Those that a word without Azure's id began, wherever other words moved them since."""
        if record.request_id:
            return []
        day = record.at.astimezone(UTC).date()
        keys = islice(possible_keys(record), KEYS_LOOKED_AT)
        found = (self._by_address.get((record.endpoint_id, key, day)) for key in keys)
        return [row for row in found if row is not None]

    def _free_key(self, record: Record) -> str:
        day = record.at.astimezone(UTC).date()
        keys = possible_keys(record)
        return next(key for key in keys if (record.endpoint_id, key, day) not in self._by_address)


def _ids(row: Merged) -> tuple[Any, Any]:
    return row.values.get("request_id"), row.values.get("client_id")


def _touch(row: Merged, *minutes: datetime | None) -> None:
    row.minutes |= {minute for minute in minutes if minute is not None}


def possible_keys(record: Record) -> Iterator[str]:
    """The names that a record of its own may have: the first that is free."""
    if record.request_id:
        yield f"r:{record.request_id}"
    else:
        first = f"c:{record.client_id}@{(record.at - _EPOCH) // _MICROSECOND}"
        yield first
        number = 2
        while True:
            yield f"{first}.{number}"
            number += 1


def _contradicts(row: Merged, record: Record) -> bool:
    """Two different requests of Azure's, whatever the client called them."""
    known = row.values.get("request_id")
    return bool(known and record.request_id and known != record.request_id)
