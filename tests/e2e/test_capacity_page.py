"""The page of capacity in a real browser: forms that unfold, hours that are read aloud, also without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from endpoints.capacity.models import Finding
from tests.e2e.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.processes]
NARROW = {"width": 320, "height": 640}


def form_of(stage: Stage) -> str:
    return f"#act-{stage.finding}"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_file_action__pressed__unfolds_the_form_of_its_row(portal: Stage, scripts: bool) -> None:
    with portal.open("rosa", java_script_enabled=scripts) as page:
        page.goto("/capacity")
        form = page.locator(form_of(portal))
        expect(form).to_be_hidden()
        page.locator(f"#SV-{portal.finding} summary").click()
        expect(form).to_be_visible()
        expect(form.get_by_role("button", name="Ask for it")).to_be_visible()


def test_file_action__of_another_row__folds_the_first_and_begins_in_its_first_field(portal: Stage) -> None:
    other = Finding.objects.get(kind="delete").pk
    with portal.open("rosa") as page:
        page.goto("/capacity")
        page.locator(f"#SV-{portal.finding} summary").click()
        page.locator(f"#SV-{other} summary").press("Enter")
        expect(page.locator(form_of(portal))).to_be_hidden()
        expect(page.locator(f"#act-{other}").get_by_label("to delete it")).to_be_focused()


def test_delete__filed_without_its_name__is_refused_on_its_own_page_and_nothing_is_asked_for(
    portal: Stage,
) -> None:
    row = Finding.objects.get(kind="delete")
    with portal.open("rosa") as page:
        page.goto("/capacity")
        page.locator(f"#SV-{row.pk} summary").click()
        page.locator(f"#act-{row.pk}").get_by_role("button", name="Ask for it").click()
        expect(page.locator(".note.bad", has_text="Nothing was stored.")).to_contain_text("Type")
        row.refresh_from_db()
        assert (row.state, row.change_id) == ("open", None)
    portal.complaints[:] = [text for text in portal.complaints if "422" not in text]


def test_hours_of_the_week__walked_by_arrow_keys__are_told_one_by_one(portal: Stage) -> None:
    with portal.open("rosa") as page:
        page.goto("/capacity")
        row = page.locator("[data-heat-row]").first
        row.focus()
        said = page.locator("[data-heat-said]")
        for key, hour in (
            ("ArrowRight", "Monday 0:00"),
            ("ArrowDown", "Tuesday 0:00"),
            ("End", "Sunday 23:00"),
        ):
            row.press(key)
            expect(said).to_contain_text(hour)
        expect(page.locator("#live")).to_contain_text("Sunday 23:00")


def test_figure__asked_how__opens_its_formula_and_leads_to_its_rows(portal: Stage) -> None:
    with portal.open("rosa", **NARROW) as page:  # type: ignore[arg-type]  # playwright's own options
        page.goto("/capacity")
        figure = page.locator(".figure", has=page.locator("dt", has_text="Unserved"))
        figure.get_by_text("How").click()
        expect(figure).to_contain_text("nobody asked anything")
        figure.get_by_role("link", name="Rows without requests").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Rows of the ledger")
        expect(page.locator("main")).to_contain_text("Part: Unserved")


def test_whole_visit__made_no_browser_complain(portal: Stage) -> None:
    assert portal.complaints == []
