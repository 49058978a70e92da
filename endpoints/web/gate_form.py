"""Gates as a table of a form: one row for each that can be measured, in the units that people use. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from endpoints.changes.gatespec import GateSpec, Kind, gate
from endpoints.web.numbers_typed import number_of, plain

FIGURE = "figure:"
MOST_ROWS = 60
"""Rows that are read of a form: all kinds, and more figures than a plan may have gates."""

_UNITS: Mapping[Kind, tuple[float, str]] = {
    Kind.P95_OVER_BUDGET: (1, "times the budget"),
    Kind.P95_VS_STABLE: (100, "% over stable's"),
    Kind.ERRORS: (100, "% of requests"),
    Kind.ERRORS_VS_STABLE: (100, "points over stable's"),
    Kind.THROTTLED: (100, "% of requests"),
    Kind.CPU: (1, "% used"),
    Kind.MEMORY: (1, "% used"),
    Kind.GPU: (1, "% used"),
}
# What has a field of its own; all else of a gate that was set elsewhere is carried along as it was.
_SHOWN = ("kind", "limit", "min_requests", "dry_run", "figure", "figure_kind", "direction", "relative")


@dataclass(frozen=True, slots=True)
class GateTyped:
    """One row: what it would measure, and what was typed. `more`: what has no field, as JSON; `told` says it."""

    key: str
    label: str
    unit: str
    used: bool = False
    limit: str = ""
    least: str = "200"
    dry_run: bool = False
    direction: str = "over"
    relative: bool = False
    figure_kind: str = ""
    more: str = ""

    @property
    def is_figure(self) -> bool:
        return self.key.startswith(FIGURE)

    @property
    def told(self) -> str:
        more = _more(self.more) or {}
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in more.items())


def rows(figures: Iterable[tuple[str, str]] = (), *, used: Iterable[Kind] = ()) -> tuple[GateTyped, ...]:
    """Every gate that can be asked for, with what is usual for it. `figures`: names with "rate" or "mean"."""
    wanted = frozenset(used)
    usual = [_row(gate(kind), used=kind in wanted) for kind in Kind if kind is not Kind.FIGURE]
    return (*usual, *(_figure_row(name, kind) for name, kind in figures))


def filled(table: Iterable[GateTyped], specs: Iterable[GateSpec]) -> tuple[GateTyped, ...]:
    """The table with exactly these gates asked for; a figure that nobody defined here gets a row all the same."""
    wanted = {_key(spec): _row(spec, used=True) for spec in specs}
    known = [wanted.pop(one.key, replace(one, used=False)) for one in table]
    return (*known, *wanted.values())


def typed(posted: Mapping[str, str]) -> tuple[GateTyped, ...]:
    """The rows of a form that was sent."""
    return tuple(
        _typed(posted, number) for number in range(MOST_ROWS) if _is_key(posted.get(f"gate-{number}", ""))
    )


def specs_of(table: Iterable[GateTyped]) -> tuple[tuple[GateSpec, ...], dict[str, list[str]]]:
    """The gates that are asked for, and what is wrong by the field that it stands beside."""
    found: list[GateSpec] = []
    wrong: dict[str, list[str]] = {}
    for number, row in enumerate(table):
        if not row.used:
            continue
        spec, problems = _spec(row, number)
        wrong |= problems
        if spec is not None:
            found.append(spec)
    return tuple(found), wrong


def words(spec: GateSpec) -> str:
    """`Errors: at most 1 % of requests, from 200 requests on`."""
    scale, unit = _scale(spec.kind, spec.figure_kind, relative=spec.relative)
    if spec.kind is Kind.FIGURE:
        bound = "at least" if spec.direction == "under" and not spec.relative else "at most"
        unit = f"{unit} {spec.direction} stable's" if spec.relative else unit
    else:
        bound = "at most"
    name = spec.figure or spec.name
    told = (
        f"{name}: {bound} {plain(spec.limit * scale)}{_joined(unit)}, from {spec.min_requests:,} requests on"
    )
    return f"{told}; dry run, it never stops anything" if spec.dry_run else told


def _joined(unit: str) -> str:
    return f"\u00a0{unit}" if unit else ""


def _is_key(key: str) -> bool:
    if key.startswith(FIGURE):
        return 0 < len(key.removeprefix(FIGURE)) <= 80
    return key in _UNITS


def _key(spec: GateSpec) -> str:
    return f"{FIGURE}{spec.figure}" if spec.kind is Kind.FIGURE else spec.kind.value


def _scale(kind: Kind, figure_kind: str, *, relative: bool = False) -> tuple[float, str]:
    if kind is not Kind.FIGURE:
        return _UNITS[kind]
    if figure_kind == "mean":
        return 1, ""
    return 100, "points" if relative else "%"


def _row(spec: GateSpec, *, used: bool) -> GateTyped:
    scale, unit = _scale(spec.kind, spec.figure_kind, relative=spec.relative)
    usual = gate(spec.kind, limit=spec.limit, figure_kind=spec.figure_kind)
    more = {
        name: value
        for name, value in spec.as_json().items()
        if name not in _SHOWN and value != asdict(usual)[name]
    }
    return GateTyped(
        key=_key(spec),
        label=spec.figure or spec.name,
        unit=unit,
        used=used,
        limit=plain(spec.limit * scale),
        least=str(spec.min_requests),
        dry_run=spec.dry_run,
        direction=spec.direction,
        relative=spec.relative,
        figure_kind=spec.figure_kind if spec.kind is Kind.FIGURE else "",
        more=json.dumps(more, sort_keys=True) if more else "",
    )


def _figure_row(name: str, kind: str) -> GateTyped:
    _, unit = _scale(Kind.FIGURE, kind)
    return GateTyped(f"{FIGURE}{name}", name, unit, figure_kind=kind)


def _typed(posted: Mapping[str, str], number: int) -> GateTyped:
    key = posted[f"gate-{number}"]
    figure = key.removeprefix(FIGURE) if key.startswith(FIGURE) else ""
    kind = "mean" if posted.get(f"figure-kind-{number}") == "mean" else "rate"
    relative = bool(figure) and posted.get(f"relative-{number}") == "on"
    base = _figure_row(figure, kind) if figure else _row(gate(key), used=False)
    return replace(
        base,
        used=posted.get(f"use-{number}") == "on",
        limit=posted.get(f"limit-{number}", "").strip()[:30],
        least=posted.get(f"least-{number}", "").strip()[:30],
        dry_run=posted.get(f"dry-{number}") == "on",
        direction="under" if figure and posted.get(f"direction-{number}") == "under" else "over",
        relative=relative,
        more=posted.get(f"more-{number}", "")[:500],
    )


def _more(text: str) -> dict[str, Any] | None:
    """None for what can't be read."""
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _spec(row: GateTyped, number: int) -> tuple[GateSpec | None, dict[str, list[str]]]:
    kind = Kind.FIGURE if row.is_figure else Kind(row.key)
    scale, _ = _scale(kind, row.figure_kind, relative=row.relative)
    wrong: dict[str, list[str]] = {}
    limit, least = number_of(row.limit), number_of(row.least)
    if limit is None:
        wrong[f"limit-{number}"] = [f"{row.label}: give its limit as a number."]
    if least is None or least != int(least):
        wrong[f"least-{number}"] = [f"{row.label}: give a whole number of requests."]
    if limit is None or wrong:
        return None, wrong
    data: dict[str, Any] = {"limit": round(limit / scale, 12), "min_requests": int(least or 0)}
    data |= {"dry_run": row.dry_run, "kind": kind.value}
    if row.is_figure:
        name, relative = row.key.removeprefix(FIGURE), row.relative
        data |= {"figure": name, "figure_kind": row.figure_kind}
        data |= {"direction": row.direction, "relative": relative}
    more = _more(row.more)
    try:
        spec = GateSpec.from_json({**({"unreadable": True} if more is None else more), **data})
        problems = spec.problems()
    except (ValueError, TypeError, OverflowError):
        return None, {f"limit-{number}": [f"{row.label}: what was set for it elsewhere can't be read."]}
    return spec, {f"limit-{number}": problems} if problems else {}
