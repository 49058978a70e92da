"""What an operator can set or call is documented, in the words of the code."""

from __future__ import annotations

import re
import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from opsportal.config import Config, environment_name
from opsportal.embedded.fingerprint import ROOT

REFERENCE = ROOT / "docs" / "reference"


def row(field: str) -> str:
    """The line that docs/reference/settings.md must have for a setting."""
    told = Config.model_fields[field]
    return f"| `{environment_name(field)}` | {_default(told.default)} | {told.description} |"


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Enum):
        value = value.value
    if value in ("", None) or value == []:
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, (int, float)) else f"`{value}`"


def commands() -> list[str]:
    """Our own management commands."""
    places = [
        *ROOT.glob("endpoints/*/management/commands/*.py"),
        *ROOT.glob("opsportal/management/commands/*.py"),
    ]
    return sorted(path.stem for path in places if not path.stem.startswith("_"))


@pytest.mark.parametrize("field", Config.model_fields)
def test_a_setting__of_the_portal__is_documented_with_its_default(field: str) -> None:
    assert Config.model_fields[field].description
    assert row(field) in (REFERENCE / "settings.md").read_text().splitlines(), row(field)


def test_the_settings_page__names_no_setting__that_is_gone() -> None:
    ours = (REFERENCE / "settings.md").read_text().partition("\n## Of other programs\n")[0]
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", ours, re.MULTILINE))
    assert named == {environment_name(field) for field in Config.model_fields}


@pytest.mark.parametrize("name", commands())
def test_a_management_command__of_ours__is_documented(name: str) -> None:
    pages = "\n".join(page.read_text() for page in REFERENCE.glob("*.md"))
    assert re.search(rf"manage\.py {name}\b", pages), f"docs/reference does not tell of `manage.py {name}`"


@pytest.mark.parametrize("name", commands())
def test_a_management_command__asked_for_help__says_what_it_does(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", name, "--help"],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "opsportal.settings.check", "PATH": "/usr/bin:/bin", "COLUMNS": "110"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    described = done.stdout.split("options:")[0].partition("\n\n")[2].strip()
    assert len(described) > 20, done.stdout


def _links() -> list[tuple[Path, str]]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        if "://" not in target and not target.startswith("mailto:")
    ]


def test_a_link__between_documents__leads_somewhere() -> None:
    broken = [f"{page.relative_to(ROOT)}: {to}" for page, to in _links() if not (page.parent / to).exists()]
    assert not broken, "\n".join(broken)
