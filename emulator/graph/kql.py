"""The few shapes of query that a discovery needs: where, project, order by, limit, count over `resources`. Pure.

Anything else is refused with Resource Graph's words rather than answered half.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.values import Json

Rows = list[Json]
Stage = Callable[[Rows], Rows]
COLUMNS = (
    "id",
    "name",
    "type",
    "tenantId",
    "kind",
    "location",
    "resourceGroup",
    "subscriptionId",
    "managedBy",
    "sku",
    "plan",
    "properties",
    "tags",
    "identity",
    "zones",
    "extendedLocation",
    "systemData",
)
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<number>\d+)"
    r"|(?P<word>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\[(?:'[^']*'|\"[^\"]*\")\])*(?:~(?=\s*\())?)"
    r"|(?P<sign>==|=~|!=|!~|=|\(|\)|,|\|))"
)
_KEY = re.compile(r"\.?([A-Za-z_][\w-]*)|\[['\"]([^'\"]*)['\"]\]")
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "=~": lambda a, b: a.lower() == b.lower(),
    "!~": lambda a, b: a.lower() != b.lower(),
    "contains": lambda a, b: b.lower() in a.lower(),
    "startswith": lambda a, b: a.lower().startswith(b.lower()),
}


class QueryError(ValueError):
    """A query that is not understood, and the token at which reading stopped."""


@dataclass(slots=True)
class Reader:
    tokens: list[str]
    at: int = 0

    def peek(self) -> str:
        return self.tokens[self.at].lower() if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        found = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if not found or (wanted and found.lower() not in wanted):
            raise QueryError(found or "<EOF>")
        self.at += 1
        return found

    def takes(self, word: str) -> bool:
        if self.peek() != word:
            return False
        self.at += 1
        return True

    def text(self) -> str:
        found = self.take()
        if found[0] in "'\"":
            return re.sub(r"\\(.)", r"\1", found[1:-1])
        if not found.isdecimal():
            raise QueryError(found)
        return found

    def column(self) -> list[str]:
        """A path such as `properties.traffic` or `tags['team']`; its first word is a column."""
        found = self.take()
        keys = [a or b for a, b in _KEY.findall(found)]
        known = {name.lower(): name for name in COLUMNS}
        if not keys or keys[0].lower() not in known or found[0] in "'\"":
            raise QueryError(found)
        return [known[keys[0].lower()], *keys[1:]]

    def number(self) -> int:
        found = self.take()
        if not found.isdecimal():
            raise QueryError(found)
        return int(found)


def run(query: str, rows: Rows) -> Rows:
    """The rows that the query leaves, or QueryError."""
    for stage in parse(query):
        rows = stage(rows)
    return rows


def parse(query: str) -> list[Stage]:
    reader = Reader(_tokens(query))
    stages: list[Stage] = []
    if not reader.takes("resources"):
        if reader.peek() != "where":
            raise QueryError(reader.peek() or "<EOF>")
        stages.append(_stage(reader))
    while reader.at < len(reader.tokens):
        reader.take("|")
        stages.append(_stage(reader))
    return stages


def value_of(row: Json, path: Sequence[str]) -> Any:
    found: Any = row
    for key in path:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found


def _tokens(query: str) -> list[str]:
    found, at = [], 0
    query = re.sub(r"//[^\n]*", "", query).strip()
    while at < len(query):
        token = _TOKEN.match(query, at)
        if token is None:
            raise QueryError(query[at:].split()[0] if query[at:].split() else "<EOF>")
        found.append(token[0].strip())
        at = token.end()
    return found


def _stage(reader: Reader) -> Stage:
    word = reader.take().lower()
    read = _STAGES.get(word)
    if read is None:
        raise QueryError(word)
    return read(reader)


def _where(reader: Reader) -> Stage:
    condition = _either(reader)
    return lambda rows: [row for row in rows if condition(row)]


def _either(reader: Reader) -> Callable[[Json], bool]:
    found = [_both(reader)]
    while reader.takes("or"):
        found.append(_both(reader))
    return lambda row: any(condition(row) for condition in found)


def _both(reader: Reader) -> Callable[[Json], bool]:
    found = [_condition(reader)]
    while reader.takes("and"):
        found.append(_condition(reader))
    return lambda row: all(condition(row) for condition in found)


def _condition(reader: Reader) -> Callable[[Json], bool]:
    if reader.takes("("):
        inside = _either(reader)
        reader.take(")")
        return inside
    path = reader.column()
    sign = reader.take().lower()
    if sign in {"in", "in~"}:
        texts = _texts(reader)
        equal = _COMPARE["=~" if sign == "in~" else "=="]
        return lambda row: any(equal(_text(value_of(row, path)), text) for text in texts)
    compare = _COMPARE.get(sign)
    if compare is None:
        raise QueryError(sign)
    text = reader.text()
    return lambda row: compare(_text(value_of(row, path)), text)


def _texts(reader: Reader) -> list[str]:
    reader.take("(")
    found = [reader.text()]
    while reader.takes(","):
        found.append(reader.text())
    reader.take(")")
    return found


def _project(reader: Reader) -> Stage:
    columns: list[tuple[str, list[str]]] = []
    while not columns or reader.takes(","):
        if reader.at + 1 < len(reader.tokens) and reader.tokens[reader.at + 1] == "=":
            name = reader.take()
            reader.take("=")
            columns.append((name, reader.column()))
        else:
            path = reader.column()
            columns.append(("_".join(path), path))
    return lambda rows: [{name: value_of(row, path) for name, path in columns} for row in rows]


def _order(reader: Reader) -> Stage:
    reader.take("by")
    keys: list[tuple[list[str], bool]] = []
    while not keys or reader.takes(","):
        path = reader.column()
        descending = reader.peek() != "asc"  # Kusto sorts downwards unless it is told
        if reader.peek() in {"asc", "desc"}:
            reader.take()
        keys.append((path, descending))

    def ordered(rows: Rows) -> Rows:
        for path, descending in reversed(keys):
            rows = sorted(rows, key=lambda row: _text(value_of(row, path)), reverse=descending)
        return rows

    return ordered


def _limit(reader: Reader) -> Stage:
    number = reader.number()
    return lambda rows: rows[:number]


def _count(_reader: Reader) -> Stage:
    return lambda rows: [{"Count": len(rows)}]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


_STAGES: dict[str, Callable[[Reader], Stage]] = {
    "where": _where,
    "project": _project,
    "order": _order,
    "sort": _order,
    "limit": _limit,
    "take": _limit,
    "count": _count,
}
