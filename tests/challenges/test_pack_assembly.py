"""A pack's files: the same input gives the same bytes, and people can read them."""

from __future__ import annotations

import io
import json
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from pypdf import PdfReader

from endpoints.challenges.pack.assemble import VERIFIER, assemble, pack_files
from endpoints.challenges.pack.charts import HEIGHT, WIDTH, Stroke, ceiling, drawn, in_words, svg
from endpoints.challenges.pack.parts import Chart, Line
from endpoints.challenges.pack.pdf import shown
from endpoints.challenges.pack.pdf_style import printable
from tests.challenges import packs


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def one_line(*values: float | None) -> Chart:
    times = tuple(packs.START + timedelta(minutes=minute) for minute in range(len(values)))
    return Chart("x", "Requests", "per minute", times, (Line("blue", values),), mark=times[1])


def test_assemble__the_same_input__gives_the_same_bytes() -> None:
    assert assemble(packs.pack_input(), packs.signer()) == assemble(packs.pack_input(), packs.signer())


def test_assemble__takes_less_than_two_seconds() -> None:
    began = time.process_time()
    assemble(packs.pack_input(), packs.signer())
    assert time.process_time() - began < 2


def test_pack_files__evidence__stands_there_as_it_was_stored() -> None:
    files = pack_files(packs.pack_input())
    assert files["passport.json"] == packs.PASSPORTS[2]
    assert files["passports/1.json"] == packs.PASSPORTS[1]
    assert files["verify_evidence.py"] == VERIFIER.read_bytes()


def test_pack_files__no_evidence__has_no_passport_and_says_so() -> None:
    case = packs.case() | {"evidence": []}
    files = pack_files(packs.pack_input(passports={}, case=case))
    assert not [path for path in files if path.startswith("passport")]
    assert "Nothing could be collected about this request." in text_of(files["evidence.pdf"])


def test_pack_files__json__is_sorted_and_ends_with_a_newline() -> None:
    raw = pack_files(packs.pack_input())["case.json"]
    assert raw == (json.dumps(packs.case(), ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()


def test_pdf__says_what_was_asked_what_answered_how_sure_and_who_approved() -> None:
    files = pack_files(packs.pack_input())
    text = " ".join(text_of(files["evidence.pdf"]).split())
    for said in (
        "Evidence pack CH-7",
        packs.QUESTION,
        "blue answered, with triage-cnn:7, certain.",
        "cannot say",
        "The deployment has no code of its own.",
        "blue 90, green 10 (CR-413)",
        "stands; Sana Haddad (user:4)",
        "confirmed by [erased] (user:6)",
        packs.REASON,
        "They are not stored, by design.",
        "10, of which 10 are proven",
    ):
        assert said in text, said
    assert sha256(files["case.json"]).hexdigest() in text.replace(" ", "")


def test_pdf__metadata__is_that_of_the_pack_and_no_moment_of_its_own() -> None:
    pdf = pack_files(packs.pack_input())["evidence.pdf"]
    found = PdfReader(io.BytesIO(pdf)).metadata
    assert found is not None
    assert (found.title, found.author) == ("Evidence pack CH-7", packs.ORIGIN)
    assert b"/Lang" in pdf


def test_pdf__hostile_text__is_text() -> None:
    case = packs.case()
    case["notes"][0] |= {"text": "<b>bold</b> & <para> <img src='file:///etc/passwd'/>\nsecond line"}
    text = text_of(pack_files(packs.pack_input(case=case))["evidence.pdf"])
    assert "<b>bold</b> & <para> <img src='file:///etc/passwd'/>" in " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Łucja Gößmann, 12 €", "Łucja Gößmann, 12 €"),
        ("Dvořák", "Dvorák"),
        ("漢", "[U+6F22]"),
        ("blue → green", "blue -> green"),
        ("\U0001f600", "[U+1F600]"),
    ],
)
def test_printable__what_the_font_lacks__is_never_left_out(text: str, expected: str) -> None:
    assert printable(text) == expected


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        ({"sure": "cannot say", "value": None, "alternatives": [], "ref": ""}, "cannot say"),
        ({"sure": "certain", "value": None, "alternatives": [], "ref": ""}, "none"),
        ({"sure": "certain", "value": 0, "alternatives": [], "ref": ""}, "0"),
        ({"sure": "certain", "value": False, "alternatives": [], "ref": ""}, "no"),
        (
            {"sure": "one of several", "value": None, "alternatives": ["blue", "green"], "ref": ""},
            "one of: blue; green",
        ),
        ({"sure": "certain", "value": {"blue": 90}, "alternatives": [], "ref": "change:4"}, "blue 90 (CR-4)"),
        (
            {"sure": "certain", "value": {"started_by": "user:4", "by": ""}, "alternatives": [], "ref": ""},
            "started_by Sana (user:4)",
        ),
        ({"sure": "certain", "value": "blue", "alternatives": [], "ref": "case:4"}, "blue"),
        (
            {"sure": "certain", "value": ["user:4", "user:6"], "alternatives": [], "ref": ""},
            "Sana (user:4); [erased] (user:6)",
        ),
        (
            {"name": "completeness", "sure": "certain", "value": {"known": 7, "of": 9, "missing": ["Code"]},
             "alternatives": [], "ref": ""},
            "7 of 9; missing: Code",
        ),
    ],
)  # fmt: skip
def test_shown__value_of_a_fact__unknown_is_no_zero(fact: dict[str, object], expected: str) -> None:
    assert shown({"name": "x"} | fact, {"user:4": "Sana", "user:6": None}) == expected


def test_chart__unknown_minutes__are_a_gap() -> None:
    chart = one_line(10, 20, None, None, 30, 40)
    lines = [one for one in drawn(chart) if isinstance(one, Stroke) and one.colour == "#4A5361"]
    assert [len(line.points) for line in lines] == [2, 2, 2]  # two runs, and the legend


def test_chart__one_known_minute_between_gaps__is_seen() -> None:
    chart = one_line(None, 20, None)
    lines = [one for one in drawn(chart) if isinstance(one, Stroke) and one.colour == "#4A5361"]
    assert lines[0].points[0] != lines[0].points[1]


def test_chart__nothing_known__says_so_and_draws_no_line() -> None:
    chart = one_line(None, None, None)
    assert in_words(chart) == "blue: nothing is known."
    assert len([one for one in drawn(chart) if isinstance(one, Stroke) and one.colour == "#4A5361"]) == 1


def test_chart__in_words__tells_range_gaps_and_the_request() -> None:
    assert in_words(one_line(10, 12.5, None)) == (
        "blue: 10 to 12.5 per minute, 1 of 3 not known; at the request 12.5."
    )


@pytest.mark.parametrize(
    ("most", "expected"), [(0, 1), (1, 1), (7, 10), (1094, 2000), (240, 250), (0.03, 0.05)]
)
def test_chart__ceiling__is_a_round_number_above(most: float, expected: float) -> None:
    assert ceiling(one_line(most, 0, 0)) == pytest.approx(expected)


def test_chart__all_of_it__is_within_the_picture() -> None:
    for one in drawn(packs.chart()):
        for x, y in one.points if isinstance(one, Stroke) else [(one.x, one.y)]:
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


def test_svg__names_that_are_markup__stay_text() -> None:
    chart = replace(one_line(1, 2, 3), title="<script>&", lines=(Line("<b>", (1.0, 2.0, 3.0)),))
    root = ET.fromstring(svg(chart).decode())
    assert root.find("{http://www.w3.org/2000/svg}title").text == "<script>&"  # type: ignore[union-attr]
    assert not [one for one in root.iter() if one.tag.endswith("}script")]
