"""Where things stand in the house, read from the same configuration that import-linter reads."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from opsportal.embedded.fingerprint import ROOT

EDGES = ("web", "api")


def ranks() -> dict[str, int]:
    """Each room's height: rooms look down only."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(told["layers"] for told in contracts if told.get("exhaustive"))
    return {
        name.strip(): len(layers) - place for place, layer in enumerate(layers) for name in layer.split("|")
    }


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "endpoints").parts[0]


def rooms() -> list[str]:
    """Every room but the edges."""
    return sorted(set(ranks()) - set(EDGES))


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def parsed(paths: list[Path]) -> Iterator[tuple[Path, ast.Module]]:
    for path in paths:
        yield path, ast.parse(path.read_text(), filename=str(path))


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module that a file imports, under TYPE_CHECKING and inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
