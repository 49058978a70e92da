"""Names states of the code, so that work that was done for the same code is not done again."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[2]


def of_files(paths: Iterable[Path], *, packages: Iterable[str] = ()) -> str:
    """Changes when a file's place or content changes, or a package's version."""
    digest = hashlib.sha256()
    for package in packages:
        digest.update(f"{package}={_version(package)}\0".encode())
    for path in sorted(path for path in paths if path.is_file()):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def of_schema() -> str:
    """Of the migrations, of our modules that they import, and of the libraries that bring migrations."""
    migrations = [path for path in ROOT.glob("endpoints/*/migrations/**/*") if path.suffix in {".py", ".sql"}]
    grants = ROOT / "opsportal" / "grants.py"
    return of_files({*migrations, *_imported(migrations), grants}, packages=["django"])


def of_static_files() -> str:
    """Of what `collectstatic` collects."""
    own = [
        *ROOT.glob("static/**/*"),
        *ROOT.glob("endpoints/*/static/**/*"),
        *ROOT.glob("static-build/**/*"),
        ROOT / "opsportal/staticfiles.py",
        ROOT / "opsportal/settings/base.py",
    ]
    return of_files(own, packages=["django", "django-htmx", "plotly", "servestatic"])


def of_demo() -> str:
    """Of the people, grants and policies that the demo starts with, and of the fleet they look at."""
    sources = [
        *ROOT.glob("opsportal/demo*.py"),
        *ROOT.glob("opsportal/management/commands/seed_demo.py"),
        *ROOT.glob("emulator/scenarios/*"),
    ]
    return of_files(sources) + of_schema()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _imported(files: Iterable[Path]) -> set[Path]:
    """Our own modules that these files import: SQL that a migration runs may live beside it."""
    return {
        found
        for path in files
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("endpoints.")
        for found in [ROOT / Path(*node.module.split(".")).with_suffix(".py")]
        if found.exists()
    }
