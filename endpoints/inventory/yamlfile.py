"""Other people's YAML files, read without harm: bounded, plain data only, templates understood as far as they go. Pure.

Files in repositories are often templates: `{{ENDPOINT_NAME}}` is no YAML. Such a place is kept as a placeholder that
nobody takes for a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

MOST_BYTES = 64 * 1024
MOST_DOCUMENTS = 20
# Counted with every alias written out: a small file can stand for billions of values.
_MOST_NODES = 5000
_TEMPLATE = re.compile(r"\$?\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
_OWN_LINE = re.compile(r"^\s*(?:(?:\{\{.*\}\}|\{%.*%\}|\{#.*#\})\s*)+$")
_TOKEN = re.compile(r"__opsportal_placeholder_(\d+)__")
# What shells, pipelines and readmes leave to be filled in.
_UNFILLED = re.compile(r"\$\{[^}]*\}|\$\([^)]*\)|\$[A-Z_][A-Z0-9_]*|#\{[^}]*\}#?|<[^<>]+>|@@[^@]+@@")


@dataclass(frozen=True, slots=True)
class Read:
    """The documents of one file, and in sentences what could not be read of it."""

    documents: tuple[Any, ...]
    problems: tuple[str, ...]
    placeholders: tuple[str, ...]

    def placeholder_in(self, value: Any) -> str:
        """The first thing in a value that is still to be filled in, as it stands in the file; "" when there is none."""
        if isinstance(value, dict):
            return next(
                (found for pair in value.items() for one in pair if (found := self.placeholder_in(one))), ""
            )
        if isinstance(value, list):
            return next((found for one in value if (found := self.placeholder_in(one))), "")
        if not isinstance(value, str):
            return ""
        if token := _TOKEN.search(value):
            return self.original(token[0])
        unfilled = _UNFILLED.search(value)
        return unfilled[0] if unfilled else ""

    def original(self, text: str) -> str:
        """A text with its placeholders as they stand in the file."""
        return _TOKEN.sub(lambda found: self._of(int(found[1])), text)

    def _of(self, number: int) -> str:
        return self.placeholders[number] if number < len(self.placeholders) else ""


def read(text: str) -> Read:
    """Never fails: what can't be read is named in `problems`."""
    if len(text.encode(errors="replace")) > MOST_BYTES:
        return Read((), (f"It is larger than {MOST_BYTES // 1024} KiB, and was not read.",), ())
    plain, placeholders, problems = _without_templates(text)
    try:
        documents = _documents(plain)
    except _TooMuch as error:
        return Read((), (*problems, str(error)), placeholders)
    except yaml.YAMLError as error:
        return Read((), (*problems, _words(error)), placeholders)
    except RecursionError:
        return Read((), (*problems, "It is nested too deeply, and was not read."), placeholders)
    except ValueError as error:
        # Such as a date of the 31st of June, or half a character.
        return Read((), (*problems, f"It holds a value that can't be: {error}."), placeholders)
    return Read(tuple(documents), problems, placeholders)


class _TooMuch(Exception):
    """In words."""


def _without_templates(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Text in which a template's places are words, those places, and what was dropped."""
    found: list[str] = []
    dropped: list[int] = []

    def named(place: re.Match[str]) -> str:
        found.append(place[0])
        return f"__opsportal_placeholder_{len(found) - 1}__"

    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if _OWN_LINE.match(line):
            dropped.append(number)
            lines.append("")
        else:
            lines.append(_TEMPLATE.sub(named, line))
    where = ", ".join(str(number) for number in dropped[:10])
    problems = (f"A template's own lines were passed over, with what they add: {where}.",) if dropped else ()
    return "\n".join(lines) + "\n", tuple(found), problems


def _documents(text: str) -> list[Any]:
    loader = yaml.SafeLoader(text)
    documents: list[Any] = []
    try:
        while loader.check_node():
            if len(documents) >= MOST_DOCUMENTS:
                raise _TooMuch(f"It holds more than {MOST_DOCUMENTS} documents, and was not read.")
            node = loader.get_node()
            if _weight(node, {}, set()) > _MOST_NODES:
                raise _TooMuch(f"Written out it holds more than {_MOST_NODES} values, and was not read.")
            documents.append(_jsonable(loader.construct_document(node)))
    finally:
        loader.dispose()
    return [one for one in documents if one is not None]


def _weight(node: Any, known: dict[int, int], above: set[int]) -> int:
    """How many values a node stands for, aliases written out; each is looked at once."""
    key = id(node)
    if key in above:
        raise _TooMuch("It contains itself, and was not read.")
    if key in known:
        return known[key]
    if isinstance(node, yaml.MappingNode):
        parts = [one for pair in node.value for one in pair]
    else:
        parts = node.value if isinstance(node, yaml.SequenceNode) else []
    above.add(key)
    known[key] = 1 + sum(_weight(one, known, above) for one in parts)
    above.discard(key)
    return known[key]


def _jsonable(value: Any) -> Any:
    """Maps with text for keys, lists, texts, numbers and flags: YAML has more, dates and sets among them."""
    if isinstance(value, dict):
        return {str(name): _jsonable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(one) for one in value]
    if isinstance(value, set):
        return sorted(str(one) for one in value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _words(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" in line {mark.line + 1}" if mark is not None else ""
    what = getattr(error, "problem", None) or "it is not YAML"
    return f"It is no YAML that can be read{where}: {what}."
