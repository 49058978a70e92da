"""The fleet's filter text: `api !test "exact-name" ws:prod state:failed owner:payments tag:team=fraud sku:NC4`. Pure.

Terms are parted by spaces or commas. Terms of one key widen each other, terms of different keys and negated
ones (`!`) narrow. A word that is no term is part of a name; in quotes it is the whole name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KEYS = ("name", "ws", "env", "state", "owner", "tag", "sku", "model")
_TERM = re.compile(r'(?P<not>!?)(?:(?P<key>[A-Za-z]+):)?(?:"(?P<exact>[^"]*)"|(?P<word>[^\s,"]+))')
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `value` is lower case except for tags, whose case counts."""

    key: str
    value: str
    negated: bool = False
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """`problems` says, in sentences, what was not understood and left out."""

    terms: tuple[Term, ...] = ()
    problems: tuple[str, ...] = ()


def parse(text: str) -> Query:
    """Never fails: what makes no sense is named in `problems`."""
    terms, problems = [], []
    for found in _TERM.finditer(text[:_LONGEST]):
        key = (found["key"] or "name").lower()
        value = found["exact"] if found["exact"] is not None else found["word"]
        if key not in KEYS:
            problems.append(f"{found['key']}: is not a filter; there are {', '.join(KEYS[1:])}.")
        elif value:
            kept = value if key == "tag" else value.lower()
            terms.append(Term(key, kept, bool(found["not"]), found["exact"] is not None))
    if len(text) > _LONGEST:
        problems.append(f"The filter is longer than {_LONGEST} characters; the rest was ignored.")
    return Query(tuple(terms), tuple(problems))
