"""Files of a repository held against what is live on one endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from endpoints.inventory.declared import Comparison, Declared, compare, declarations
from endpoints.inventory.selectors.endpoint import DeploymentRow, EndpointPage

MOST_FILES = 20
_ENDINGS = ("-deployment", "_deployment", "-deploy", ".deployment")


def compared(shown: EndpointPage, files: Sequence[tuple[str, str]]) -> tuple[Comparison, ...]:
    """Every document of every file, in their order. `files`: names and texts; at most MOST_FILES are looked at."""
    documents = [one for name, text in files[:MOST_FILES] for one in declarations(name, text)]
    return tuple(_compared(shown, one) for one in documents)


def _compared(shown: EndpointPage, one: Declared) -> Comparison:
    if one.kind == "endpoint":
        return _of_endpoint(shown, one)
    if one.kind == "deployment":
        return _of_deployment(shown, one)
    return Comparison(one.file, "", "", (), one.problems)


def _of_endpoint(shown: EndpointPage, one: Declared) -> Comparison:
    problems = list(one.problems)
    if one.name and one.name.lower() != shown.name.lower():
        problems.append(f"It is of {one.name}, another endpoint: nothing was compared.")
        return Comparison(one.file, one.kind, one.name, (), tuple(problems))
    if shown.deleted_at is not None:
        problems.append("The endpoint was deleted in Azure: nothing is live.")
        return Comparison(one.file, one.kind, shown.name, (), tuple(problems))
    return _told(compare(one, shown.name, [shown.state], name=shown.name), problems)


def _of_deployment(shown: EndpointPage, one: Declared) -> Comparison:
    problems = list(one.problems)
    row, guessed = _row(shown.deployments, one)
    if row is None:
        missing = one.name or "the deployment"
        problems.append(f"{shown.name} has no deployment of that name now: {missing} is not live.")
        return Comparison(one.file, one.kind, one.name, (), tuple(problems))
    if guessed:
        problems.append(f"It is taken for {row.name}, by the file's name.")
    if row.unreadable_since is not None:
        problems.append(f"{row.name} can't be read now; what is compared was read before.")
    state: Mapping[str, Any] = row.state
    return _told(compare(one, shown.name, [state] if state else [], name=row.name), problems)


def _row(rows: Sequence[DeploymentRow], one: Declared) -> tuple[DeploymentRow | None, bool]:
    """By the name it says; where it says none of use, by the file's own."""
    by_name = {row.name.lower(): row for row in rows}
    if one.name:
        return by_name.get(one.name.lower()), False
    stem = PurePosixPath(one.file).stem.lower()
    for ending in ("", *_ENDINGS):
        if stem.endswith(ending) and (row := by_name.get(stem.removesuffix(ending))):
            return row, True
    return None, False


def _told(found: Comparison, problems: Sequence[str]) -> Comparison:
    return Comparison(found.file, found.kind, found.name, found.lines, tuple(problems))
