"""The shape of a JSON document: types and keys, never values. A small part of JSON Schema. Pure.

`type` (one, or a list), `properties`, `required`, `items`: enough to tell that an answer lost a key or changed a type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Shape = Mapping[str, Any]

DEEPEST = 8
MOST_KEYS = 100
MOST_ITEMS = 100
TYPES = frozenset({"object", "array", "string", "number", "boolean", "null"})
_WORDS = frozenset({"type", "properties", "required", "items"})


def shape_of(value: Any, *, depth: int = DEEPEST) -> dict[str, Any]:
    """The shape of a parsed document. What is deeper or more than fits is left open: {} takes anything."""
    if depth == 0:
        return {}
    if isinstance(value, Mapping):
        names = sorted(value)[:MOST_KEYS]
        return {
            "type": "object",
            "properties": {name: shape_of(value[name], depth=depth - 1) for name in names},
            "required": names,
        }
    if isinstance(value, list):
        items = [shape_of(item, depth=depth - 1) for item in value[:MOST_ITEMS]]
        return {"type": "array"} | ({"items": _together(items)} if items else {})
    return {"type": _type(value)}


def _type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else "string"


def _together(shapes: Sequence[Shape]) -> dict[str, Any]:
    """One shape that takes every one of these."""
    if any(not shape for shape in shapes):
        return {}
    found: dict[str, Any] = {}
    types = sorted({one for shape in shapes for one in types_of(shape)})
    found["type"] = types[0] if len(types) == 1 else types
    objects = [shape for shape in shapes if "properties" in shape]
    if objects:
        names = sorted({name for shape in objects for name in shape["properties"]})[:MOST_KEYS]
        found["properties"] = {
            name: _together([shape["properties"][name] for shape in objects if name in shape["properties"]])
            for name in names
        }
        found["required"] = [name for name in names if all(name in shape["required"] for shape in objects)]
    items = [shape["items"] for shape in shapes if "items" in shape]
    if items:
        found["items"] = _together(items)
    return found


def types_of(shape: Shape) -> frozenset[str]:
    """The types that it takes; none: any. An integer is a number here."""
    told = shape.get("type", ())
    names = [told] if isinstance(told, str) else told
    return frozenset("number" if name == "integer" else name for name in names)


def broken(wanted: Shape, found: Shape, at: str = "the answer") -> list[str]:
    """What breaks whoever relies on the `wanted` shape: keys that are missing, types that are others."""
    types, there = types_of(wanted), types_of(found)
    if types and there and not there <= types:
        return [f"{at} is {_or(there)}, not {_or(types)}"]
    lost = sorted(set(wanted.get("required", ())) - set(found.get("required", ())))
    told = [f"{at} has no {name}" for name in lost if "object" in there]
    for name, inner in wanted.get("properties", {}).items():
        if name in found.get("properties", {}):
            told += broken(inner, found["properties"][name], f"{at}.{name}")
    if "items" in wanted and "items" in found:
        told += broken(wanted["items"], found["items"], f"{at}[]")
    return told


def added(wanted: Shape, found: Shape, at: str = "the answer") -> list[str]:
    """Keys that `wanted` does not know."""
    if "properties" not in found or "properties" not in wanted:
        inner = "items" in wanted and "items" in found
        return added(wanted["items"], found["items"], f"{at}[]") if inner else []
    told = [f"{at}.{name}" for name in sorted(set(found["properties"]) - set(wanted["properties"]))]
    for name in sorted(set(found["properties"]) & set(wanted["properties"])):
        told += added(wanted["properties"][name], found["properties"][name], f"{at}.{name}")
    return told


def _or(types: Iterable[str]) -> str:
    return " or ".join(sorted(types))


def problems(schema: Any, *, at: str = "the shape", depth: int = DEEPEST) -> list[str]:
    """Why a document is no shape that can be used here, in words."""
    if not isinstance(schema, Mapping):
        return [f"{at} is no JSON object."]
    if depth == 0:
        return [f"{at} is deeper than {DEEPEST} levels."]
    told = [f"{at}: {name} is not understood here." for name in sorted(set(map(str, schema)) - _WORDS)]
    types = schema.get("type", [])
    names = [types] if isinstance(types, str) else types
    if not isinstance(names, list) or any(name not in TYPES | {"integer"} for name in names):
        told.append(f"{at}: its type must be of {', '.join(sorted(TYPES))}.")
    required, inner = schema.get("required", []), schema.get("properties", {})
    if not isinstance(required, list) or any(not isinstance(name, str) for name in required):
        told.append(f"{at}: required must be a list of names.")
    if not isinstance(inner, Mapping) or len(inner) > MOST_KEYS:
        return [*told, f"{at}: properties must be an object of at most {MOST_KEYS} keys."]
    for name, shape in inner.items():
        told += problems(shape, at=f"{at}.{name}", depth=depth - 1)
    if "items" in schema:
        told += problems(schema["items"], at=f"{at}[]", depth=depth - 1)
    return told
