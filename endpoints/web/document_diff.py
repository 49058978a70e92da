"""Two documents side by side as YAML, line by line, with what differs marked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

import yaml

MOST_LINES = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """A line of each side; "" where a side has none there."""

    before: str
    after: str
    changed: bool


@dataclass(frozen=True, slots=True)
class DocumentDiff:
    """`title` names the document; "" on a side that is not there at all says so in `before_note`, `after_note`."""

    title: str
    rows: tuple[Row, ...]
    before_note: str = ""
    after_note: str = ""

    @property
    def changed(self) -> int:
        return sum(1 for row in self.rows if row.changed)


def as_yaml(document: Mapping[str, Any] | None) -> str:
    """The document as `az` prints it; "" for none."""
    if document is None:
        return ""
    text: str = yaml.safe_dump(_plain(document), sort_keys=True, allow_unicode=True, width=110)
    return text


def _plain(value: Any) -> Any:
    """Mappings and sequences of any kind as YAML's own."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def diff_documents(
    title: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> DocumentDiff:
    """Both as YAML; None is a document that is not there, which is not an empty one."""
    return diff_texts(
        title,
        as_yaml(before),
        as_yaml(after),
        before_note="" if before is not None else "There is none.",
        after_note="" if after is not None else "There will be none.",
    )


def diff_texts(
    title: str, before: str, after: str, *, before_note: str = "", after_note: str = ""
) -> DocumentDiff:
    """Lines that both have stand beside each other."""
    left, right = before.splitlines()[:MOST_LINES], after.splitlines()[:MOST_LINES]
    rows: list[Row] = []
    for tag, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        pairs = zip_longest(left[a:b], right[c:d], fillvalue="")
        rows += [Row(one, other, tag != "equal") for one, other in pairs]
    return DocumentDiff(title, tuple(rows), before_note, after_note)
