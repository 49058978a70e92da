"""What the policy for content forbids is in no template and no script, so that nothing breaks when it is enforced."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from opsportal.staticfiles import ChartLibraryFinder, bundle

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
FORBIDDEN = {
    "style attribute": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "handler attribute": re.compile(r"\son[a-z]+\s*=\s*[\"']", re.IGNORECASE),
    "htmx handler": re.compile(r"hx-on|hx-vals=[\"']js:"),
    "inline script": re.compile(r"<script(?![^>]*\ssrc=)", re.IGNORECASE),
    "inline style": re.compile(r"<style", re.IGNORECASE),
    "javascript link": re.compile(r"javascript:", re.IGNORECASE),
    "other host": re.compile(r"(src|href)=[\"']https?://", re.IGNORECASE),
    "escaping off": re.compile(r"\|\s*safe|autoescape\s+false"),
}


def test_templates__are_found() -> None:
    assert len(TEMPLATES) > 15
    assert SCRIPTS


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_template__holds_nothing_that_the_content_policy_forbids(template: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", template.read_text(), flags=re.DOTALL)
    assert [name for name, pattern in FORBIDDEN.items() if pattern.search(text)] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_form_that_posts__carries_the_token_against_forgery(template: Path) -> None:
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", template.read_text(), flags=re.DOTALL):
        assert "csrf_input" in form or "csrf" in form


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script__evaluates_no_text_and_writes_no_markup(script: Path) -> None:
    text = script.read_text()
    assert not re.search(
        r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\.style\b", text
    )


def test_chart_library__brings_no_style_sheet_whose_name_the_page_does_not_reserve() -> None:
    """A new version of the library names its sheet anew; without its name reserved, the policy is violated once."""
    text = bundle().read_text()
    names = set(re.findall(r'getElementById\("([0-9a-f]{64})"\)', text))
    page = (ROOT / "templates" / "partials" / "chart_scripts.html").read_text()
    assert names <= set(re.findall(r"[0-9a-f]{64}", page))


def test_chart_library__is_the_one_file_that_is_served_of_its_package() -> None:
    assert finders.find("plotly/plotly.min.js") == str(bundle())
    assert finders.find("plotly/widgetbundle.js") is None
    (found,) = ChartLibraryFinder().list(None)
    assert found[0] == "plotly.min.js"
