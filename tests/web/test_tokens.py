"""The colours of the style sheet keep the contrasts that text and controls need, in light and in dark."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

CSS = Path(__file__).parents[2] / "static" / "css" / "opsportal.css"
TOKEN = re.compile(r"--([\w-]+):\s*light-dark\((#[0-9A-Fa-f]{6}),\s*(#[0-9A-Fa-f]{6})\)")
THEMES = ("light", "dark")
GROUNDS = ("bg", "surface", "sunken")


def tokens() -> dict[str, tuple[str, str]]:
    return {name: (light, dark) for name, light, dark in TOKEN.findall(CSS.read_text())}


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2: 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def ratio(foreground: str, ground: str, theme: str) -> float:
    place, found = THEMES.index(theme), tokens()
    return contrast(found[foreground][place], found[ground][place])


def test_contrast__black_on_white__is_21() -> None:
    assert round(contrast("#000000", "#FFFFFF"), 2) == 21


@pytest.mark.parametrize(("theme", "ground"), list(product(THEMES, GROUNDS)))
@pytest.mark.parametrize(
    "text", ["text", "text-2", "accent", "danger", "warn", "bad", "info", "ok", "unknown", "neutral"]
)
def test_text__on_every_ground__is_readable(text: str, ground: str, theme: str) -> None:
    assert ratio(text, ground, theme) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", ["ok", "warn", "bad", "info", "neutral", "unknown"])
def test_status__on_its_own_ground__is_readable(kind: str, theme: str) -> None:
    assert ratio(kind, f"{kind}-bg", theme) >= 4.5
    assert ratio("text", f"{kind}-bg", theme) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_button_text__on_its_button__is_readable(theme: str) -> None:
    assert ratio("on-accent", "accent", theme) >= 4.5
    assert ratio("on-danger", "danger", theme) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("mark", ["border-strong", "focus", "seg-1", "seg-2", "seg-3", "seg-4"])
def test_controls_and_marks__on_the_surface__can_be_seen(mark: str, theme: str) -> None:
    assert ratio(mark, "surface", theme) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_links_in_the_current_entry__are_readable(theme: str) -> None:
    assert ratio("info", "info-bg", theme) >= 4.5
