"""The few shapes of query that reading a log needs: where, extend, project, order by, take, count over one table. Pure.

Anything else is refused in Kusto's words rather than answered half. Conditions that every row must meet also tell which
stretch of time is asked about, so that no more rows are made up than are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.logs.tables import TABLES
from emulator.values import Json

ARRIVED = "$ingestion_time"
"""Under which a row holds when it could be read; `ingestion_time()` in a query."""
Rows = list[Json]
Columns = dict[str, str]
Condition = Callable[[Json], bool]
Span = tuple[datetime | None, datetime | None]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<time>datetime\(\s*[^)]*\))"
    r"|(?P<ago>\d+(?:\.\d+)?[smhd]\b)|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_$][\w]*~?)"
    r"|(?P<sign>==|=~|!=|!~|<=|>=|=|<|>|\(|\)|,|\|))"
)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "=~": lambda a, b: a.lower() == b.lower(),
    "!~": lambda a, b: a.lower() != b.lower(),
    "contains": lambda a, b: b.lower() in a.lower(),
    "startswith": lambda a, b: a.lower().startswith(b.lower()),
    "has": lambda a, b: re.search(rf"(?<![0-9a-z]){re.escape(b)}(?![0-9a-z])", a, re.IGNORECASE) is not None,
}


class QueryError(ValueError):
    """A query that can't be answered. `semantic`: it reads well, and names something that is not there."""

    def __init__(self, message: str, *, semantic: bool = False) -> None:
        super().__init__(message)
        self.semantic = semantic


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood. `generated` and `arrived` hold every row that it can give."""

    table: str
    columns: Columns
    run: Callable[[Rows], Rows]
    generated: Span
    arrived: Span


def parse(text: str, now: datetime) -> Query:
    reader = _Reader(_tokens(text), now)
    table = reader.take()
    if table not in TABLES:
        raise QueryError(f"Failed to resolve table or column expression named '{table}'", semantic=True)
    reader.columns = dict(TABLES[table])
    stages: list[Callable[[Rows], Rows]] = []
    while reader.at < len(reader.tokens):
        reader.take("|")
        word = reader.take()
        read = _STAGES.get(word.lower())
        if read is None:
            raise QueryError(f"The operator '{word}' is not served here.")
        stages.append(read(reader))

    def run(rows: Rows) -> Rows:
        for stage in stages:
            rows = stage(rows)
        return rows

    return Query(table, reader.columns, run, reader.span("TimeGenerated"), reader.span(ARRIVED))


class _Reader:
    """Goes through the tokens; knows which columns there are so far and what all rows must meet."""

    def __init__(self, tokens: list[str], now: datetime) -> None:
        self.tokens, self.now, self.at = tokens, now, 0
        self.columns: Columns = {}
        self.aliases: dict[str, str] = {}
        self.limits: dict[str, list[tuple[str, datetime]]] = {}
        self.cut = False
        """Rows were left out by number: what follows says nothing of the stretch any more."""

    def peek(self) -> str:
        return self.tokens[self.at].lower() if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        found = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if not found or (wanted and found.lower() not in wanted):
            raise QueryError(f"Query could not be parsed at '{found or '<EOF>'}'")
        self.at += 1
        return found

    def takes(self, word: str) -> bool:
        if self.peek() != word:
            return False
        self.at += 1
        return True

    def column(self) -> str:
        """A column's own name, or ARRIVED."""
        found = self.take()
        if found.lower() == "ingestion_time":
            self.take("(")
            self.take(")")
            return ARRIVED
        if found not in self.columns:
            raise QueryError(f"Failed to resolve table or column expression named '{found}'", semantic=True)
        return self.aliases.get(found, found)

    def type_of(self, column: str) -> str:
        return "datetime" if column == ARRIVED else self.columns[column]

    def literal(self, wanted: str) -> Any:
        """A value of the type of the column it is compared with."""
        found = self.take()
        value: Any = None
        if found[0] in "'\"":
            value = re.sub(r"\\(.)", r"\1", found[1:-1])
        elif found.lower().startswith("datetime("):
            value = _time(found[len("datetime(") : -1])
        elif found.lower() in {"ago", "now"}:
            value = self._relative(found.lower())
        elif re.fullmatch(r"-?\d+(\.\d+)?", found):
            value = float(found)
        kinds = {"string": str, "datetime": datetime, "int": float, "real": float}
        if not isinstance(value, kinds[wanted]):
            raise QueryError(f"Cannot compare values of types {wanted} and '{found}'", semantic=True)
        return value

    def _relative(self, word: str) -> datetime:
        self.take("(")
        back = timedelta()
        if word == "ago":
            found = self.take()
            if found[-1].lower() not in _UNITS:
                raise QueryError(f"Query could not be parsed at '{found}'")
            back = timedelta(**{_UNITS[found[-1].lower()]: float(found[:-1])})
        self.take(")")
        return self.now - back

    def number(self) -> int:
        found = self.take()
        if not found.isdecimal():
            raise QueryError(f"Query could not be parsed at '{found}'")
        return int(found)

    def span(self, column: str) -> Span:
        found = self.limits.get(column, [])
        since = [at for sign, at in found if sign[0] in ">="]
        until = [at for sign, at in found if sign[0] in "<="]
        return max(since, default=None), min(until, default=None)


def _tokens(query: str) -> list[str]:
    found, at = [], 0
    query = re.sub(r"(?m)^\s*//[^\n]*$", "", query).strip()
    while at < len(query):
        token = _TOKEN.match(query, at)
        if token is None:
            raise QueryError(f"Query could not be parsed at '{(query[at:].split() or ['<EOF>'])[0][:40]}'")
        found.append(token[0].strip())
        at = token.end()
    return found


def _time(text: str) -> datetime:
    # Kusto writes seven digits of a second, which is one more than can be kept here.
    cut = re.sub(r"(\.\d{6})\d+", r"\1", text.strip().strip("'\""))
    try:
        found = datetime.fromisoformat(cut)
    except ValueError:
        raise QueryError(f"'{text}' is not a datetime", semantic=True) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _where(reader: _Reader) -> Callable[[Rows], Rows]:
    condition = _either(reader, outermost=not reader.cut)
    return lambda rows: [row for row in rows if condition(row)]


def _either(reader: _Reader, *, outermost: bool) -> Condition:
    before = {column: list(limits) for column, limits in reader.limits.items()}
    found = [_both(reader, outermost=outermost)]
    while reader.takes("or"):
        reader.limits = before  # what only one side must meet limits nothing
        found.append(_both(reader, outermost=False))
    return found[0] if len(found) == 1 else lambda row: any(condition(row) for condition in found)


def _both(reader: _Reader, *, outermost: bool) -> Condition:
    found = [_condition(reader, outermost=outermost)]
    while reader.takes("and"):
        found.append(_condition(reader, outermost=outermost))
    return found[0] if len(found) == 1 else lambda row: all(condition(row) for condition in found)


def _condition(reader: _Reader, *, outermost: bool) -> Condition:
    if reader.takes("("):
        inside = _either(reader, outermost=outermost)
        reader.take(")")
        return inside
    column = reader.column()
    wanted, sign = reader.type_of(column), reader.take().lower()
    if sign in {"in", "in~"} and wanted == "string":
        return _among(column, _literals(reader), folded=sign == "in~")
    compare = (_TEXTS if wanted == "string" else _ORDERS).get(sign)
    if compare is None:
        raise QueryError(f"The operator '{sign}' is not served for a {wanted} here.")
    value = reader.literal(wanted)
    if outermost and wanted == "datetime" and sign != "!=":
        reader.limits.setdefault(column, []).append((sign, value))
    if wanted == "string":
        return lambda row: compare(row[column] or "", value)
    # As in Kusto, nothing compares with what is not there.
    return lambda row: row[column] is not None and compare(row[column], value)


def _among(column: str, values: list[str], *, folded: bool) -> Condition:
    if folded:
        lower = {value.lower() for value in values}
        return lambda row: (row[column] or "").lower() in lower
    exact = set(values)
    return lambda row: (row[column] or "") in exact


def _literals(reader: _Reader) -> list[str]:
    reader.take("(")
    found = [str(reader.literal("string"))]
    while reader.takes(","):
        found.append(str(reader.literal("string")))
    reader.take(")")
    return found


def _named(reader: _Reader) -> Iterator[tuple[str, str]]:
    """`Name = column`, or a column under its own name, separated by commas."""
    while True:
        if reader.at + 1 < len(reader.tokens) and reader.tokens[reader.at + 1] == "=":
            name = reader.take()
            reader.take("=")
            yield name, reader.column()
        else:
            name = reader.tokens[reader.at] if reader.at < len(reader.tokens) else ""
            yield name, reader.column()
        if not reader.takes(","):
            return


def _extend(reader: _Reader) -> Callable[[Rows], Rows]:
    added = list(_named(reader))
    for name, column in added:
        reader.columns[name] = reader.type_of(column)
        if column == ARRIVED:
            reader.aliases[name] = ARRIVED
    return lambda rows: [{**row, **{name: row[column] for name, column in added}} for row in rows]


def _project(reader: _Reader) -> Callable[[Rows], Rows]:
    kept = list(_named(reader))
    reader.columns = {name: reader.type_of(column) for name, column in kept}
    reader.aliases = {}
    reader.cut = True  # a column may have another's name from here on
    return lambda rows: [{name: row[column] for name, column in kept} for row in rows]


def _order(reader: _Reader) -> Callable[[Rows], Rows]:
    reader.take("by")
    keys: list[tuple[str, bool]] = []
    while not keys or reader.takes(","):
        column = reader.column()
        descending = reader.peek() != "asc"  # Kusto sorts downwards unless it is told
        if reader.peek() in {"asc", "desc"}:
            reader.take()
        keys.append((column, descending))

    def ordered(rows: Rows) -> Rows:
        for column, descending in reversed(keys):
            rows = sorted(rows, key=lambda row: (row[column] is not None, row[column]), reverse=descending)
        return rows

    return ordered


def _take(reader: _Reader) -> Callable[[Rows], Rows]:
    number = reader.number()
    reader.cut = True
    return lambda rows: rows[:number]


def _count(reader: _Reader) -> Callable[[Rows], Rows]:
    reader.columns, reader.aliases, reader.cut = {"Count": "long"}, {}, True
    return lambda rows: [{"Count": len(rows)}]


_STAGES: Mapping[str, Callable[[_Reader], Callable[[Rows], Rows]]] = {
    "where": _where,
    "extend": _extend,
    "project": _project,
    "order": _order,
    "sort": _order,
    "take": _take,
    "limit": _take,
    "count": _count,
}
