"""The pack to read: what was asked, what answered, how sure that is, who approved it, and what is not here. Pure."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]
from reportlab.platypus import CondPageBreak, Flowable, SimpleDocTemplate, Spacer  # type: ignore[import-untyped]

from endpoints.challenges.pack.charts import HEIGHT, in_words
from endpoints.challenges.pack.parts import PackInput
from endpoints.challenges.pack.pdf_style import (
    FONT,
    body,
    fonts,
    heading,
    picture,
    printable,
    small,
    strong,
    table,
    title,
)
from endpoints.challenges.words import moment

ERASED = "[erased]"
_MARGIN, _FOOT = 56, 34
_ROOM = 90  # for a heading with the first rows of its table


def readable(pack: PackInput, hashes: Mapping[str, str]) -> bytes:
    """`evidence.pdf`. `hashes`: SHA-256 of the other files by path."""
    fonts()
    out = io.BytesIO()
    number = pack.case["number"]
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"Evidence pack {number}",
        author=pack.origin,
        subject=f"Challenge case {number}, made {moment(pack.made_at)}",
        lang="en",
        invariant=1,  # no time of making, no random id
    )

    def foot(canvas: Canvas, _: SimpleDocTemplate) -> None:
        canvas.setFont(FONT, 7)
        canvas.drawString(
            _MARGIN, _FOOT, printable(f"{number} · {pack.origin} · made {moment(pack.made_at)}")
        )
        canvas.drawRightString(A4[0] - _MARGIN, _FOOT, f"page {canvas.getPageNumber()}")

    document.build(list(_story(pack, hashes)), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _story(pack: PackInput, hashes: Mapping[str, str]) -> Iterator[Flowable]:
    newest = json.loads(pack.passports[max(pack.passports)]) if pack.passports else None
    yield from _cover(pack, newest)
    yield from _passport(pack, newest)
    yield from _splits(pack)
    yield from _charts(pack)
    yield from _changes(pack)
    yield from _history(pack)
    yield from _ledger(pack)
    yield from _not_kept(pack)
    yield from _files(hashes)


def _cover(pack: PackInput, newest: Any) -> Iterator[Flowable]:
    case = pack.case
    endpoint = case["endpoint"] or {}
    yield title(f"Evidence pack {case['number']}")
    yield body(
        "All times are UTC. Whoever reads this need not believe it: the last page says how to check it."
    )
    rows = [
        ("Case", f"{case['number']}, {case['state']}"),
        ("Decision", _decision(pack)),
        ("Workspace", case["workspace"]["slug"]),
        ("Endpoint", endpoint.get("name", "not known")),
        ("Request id as it was given", case["asked_id"] or "none"),
        ("Reference elsewhere", case["reference"] or "none"),
        ("Raised", f"{_when(case['raised_at'])} by {_who(pack, case['raised_by'])}"),
        ("Answered by the model", case["model"] or "not certain"),
    ]
    yield table((), rows, (1, 3))
    yield from _texts(pack, "question", "What is asked")
    yield heading("What is on record")
    yield strong(newest["verdict"] if newest else "Nothing could be collected about this request.")


def _decision(pack: PackInput) -> str:
    case = pack.case
    if not case["outcome"]:
        return "none yet"
    told = f"{case['outcome']}; {_who(pack, case['decided_by'])}, {_when(case['decided_at'])}"
    if case["confirmed_by"]:
        return f"{told}; confirmed by {_who(pack, case['confirmed_by'])}"
    return told if case["closed_at"] else f"{told}; not confirmed yet"


def _texts(pack: PackInput, kind: str, label: str) -> Iterator[Flowable]:
    found = [note for note in pack.case["notes"] if note["kind"] == kind]
    if found:
        yield heading(label)
    for note in found:
        yield body(note["text"] or ERASED)
        yield small(f"{_who(pack, note['by'])}, {_when(note['at'])}")


def _passport(pack: PackInput, newest: Any) -> Iterator[Flowable]:
    if newest is None:
        return
    yield body(f"Collected {_when(newest['made_at'])}. How sure: {newest['sure']}.")
    for section in newest["sections"]:
        yield CondPageBreak(_ROOM)
        yield heading(section["label"])
        rows = [
            (fact["label"], shown(fact, pack.people), _how_sure(fact), fact["reason"])
            for fact in section["facts"]
        ]
        yield table(("", "", "How sure, and who says so", "Why"), rows, (3, 4, 3, 4))
    if newest["corrections"]:
        yield heading("What is known now and was not then")
        for one in newest["corrections"]:
            yield body(one)


def shown(fact: Mapping[str, Any], people: Mapping[str, str | None]) -> str:
    """A fact's value in words; what is one of several shows all of them."""
    if fact["sure"] == "cannot say":
        return "cannot say"
    if fact["alternatives"]:
        return "one of: " + "; ".join(_value(one, people) for one in fact["alternatives"])
    if fact["name"] == "completeness":
        found = fact["value"]
        missing = f"; missing: {', '.join(found['missing'])}" if found["missing"] else ""
        return f"{found['known']} of {found['of']}{missing}"
    told = _value(fact["value"], people)
    return f"{told} ({_number(fact['ref'])})" if fact["ref"].startswith("change:") else told


def _value(value: Any, people: Mapping[str, str | None] = MappingProxyType({})) -> str:
    if isinstance(value, Mapping):
        if set(value) == {"from", "to"}:
            return f"between {value['from']} and {value['to']}" if value["from"] else f"before {value['to']}"
        parts = (f"{name} {_value(part, people)}" for name, part in value.items() if part not in ("", None))
        return ", ".join(parts) or "none"
    if isinstance(value, list):
        return "; ".join(_value(part, people) for part in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value in people:
        return f"{people[value] or ERASED} ({value})"
    return "none" if value is None else str(value)


def _how_sure(fact: Mapping[str, Any]) -> str:
    """The value's own words say it already where nothing can be said; then only who does not say it."""
    sure = "" if fact["sure"] == "cannot say" else fact["sure"]
    return ", ".join(filter(None, (sure, fact["source"])))


def _splits(pack: PackInput) -> Iterator[Flowable]:
    spans = pack.splits.get("spans", [])
    if not spans:
        return
    yield CondPageBreak(_ROOM)
    yield heading("Which deployment was to get which share of the requests")
    yield table(
        ("From", "Until", "Live traffic, %", "Mirrored, %"),
        [
            (_when(one["since"]), _when(one["until"]), _value(one["traffic"]), _value(one["mirror_traffic"]))
            for one in spans
        ],
        (3, 3, 4, 2),
    )
    yield small("Between these stretches the split was being changed, or nobody read it.")


def _charts(pack: PackInput) -> Iterator[Flowable]:
    for chart in pack.charts:
        yield CondPageBreak(HEIGHT)
        yield Spacer(0, 8)
        yield picture(chart)
        yield small(in_words(chart))


def _changes(pack: PackInput) -> Iterator[Flowable]:
    for number, change in sorted(pack.changes.items()):
        yield CondPageBreak(_ROOM)
        yield heading(f"CR-{number}: {change['kind']}, {change['state']}")
        newest = change["revisions"][-1]
        rows = [
            ("Asked for", f"{_when(change['created_at'])} by {_who(pack, change['author'])}"),
            ("Before", _value(newest["base"].get("split"))),
            ("Steps", "; then ".join(_value(step["split"]) for step in newest["plan"])),
            ("Started, ended", f"{_when(change['started_at'])}, {_when(change['ended_at'])}"),
            ("Seal of its content", newest["content_hash"]),
        ]
        rows += [
            ("Approved" if one["approved"] else "Rejected", f"{_when(one['at'])} by {_who(pack, one['by'])}")
            for one in change["decisions"]
        ]
        yield table((), rows, (1, 3))
        yield from _gates(change)


def _gates(change: Mapping[str, Any]) -> Iterator[Flowable]:
    """What each gate said last in each step; the file has every measurement."""
    last = {(one["step"], one["gate"]): one for one in change["measurements"]}
    if last:
        rows = [
            (str(one["step"] + 1), one["gate"], one["outcome"], _when(one["until"]), one["reason"])
            for _, one in sorted(last.items())
        ]
        yield Spacer(0, 4)
        yield table(("Step", "Gate", "Said last", "Of minutes until", "Reason"), rows, (1, 3, 2, 3, 5))


def _history(pack: PackInput) -> Iterator[Flowable]:
    yield CondPageBreak(_ROOM)
    yield heading("What happened to the case")
    notes: dict[int, list[str]] = {}
    for note in pack.case["notes"]:
        if note["kind"] != "question":
            label = "Claimant: " if note["kind"] == "claimant" else ""
            notes.setdefault(note["version"], []).append(label + (note["text"] or ERASED))
    rows = [
        (
            _when(one["at"]),
            one["kind"],
            _who(pack, one["by"]),
            " ".join(notes.get(one["version"], [])) or str(one["data"].get("outcome", "")),
            str(one["entry"] or "none"),
        )
        for one in pack.case["moves"]
    ]
    yield table(("When", "What", "Who", "Words", "Ledger entry"), rows, (3, 2, 2, 5, 1))


def _ledger(pack: PackInput) -> Iterator[Flowable]:
    part = pack.ledger
    yield CondPageBreak(_ROOM)
    yield heading("The ledger")
    proven = len({one.seq for one in part.proofs})
    yield body(
        f"Entries of the ledger {pack.origin} in this pack: {len(part.entries)}, of which {proven} are proven to be in "
        f"a signed checkpoint. Checkpoints in this pack: {len(part.checkpoints)}. The newest:"
    )
    if not part.checkpoints:
        yield body("None: nothing outside the portal's database vouches for these entries.")
    rows = [(str(size), part.checkpoints[size].splitlines()[2]) for size in sorted(part.checkpoints)[-3:]]
    if rows:
        yield table(("Entries", "Root of the tree"), rows, (1, 5))


def _not_kept(pack: PackInput) -> Iterator[Flowable]:
    yield CondPageBreak(_ROOM)
    yield heading("What is not here, and why")
    yield table(("What", "Why"), [(one.what, one.why) for one in pack.not_kept], (1, 3))


def _files(hashes: Mapping[str, str]) -> Iterator[Flowable]:
    yield CondPageBreak(200)
    yield heading("Files, and how to check them")
    yield body(
        "Get verify_evidence.py and the public key from somewhere else than this pack, and run: python3 "
        "verify_evidence.py PACK.zip --key PUBLIC.pem. It needs neither the portal nor the network."
    )
    rows = [(path, digest) for path, digest in sorted(hashes.items())]
    yield table(("File", "SHA-256"), rows, (2, 5))
    yield small(
        "Letters that this document's font lacks are written without their marks, or by number; case.json has them "
        "as they are. This file's own hash stands in manifest.json."
    )


def _who(pack: PackInput, ref: str | None) -> str:
    """A name with its id; the portal's own processes have no other name."""
    if not ref:
        return "nobody"
    if ref not in pack.people:
        return ref
    return f"{pack.people[ref] or ERASED} ({ref})"


def _when(text: str | None) -> str:
    """To the second, as people read it; the files have it whole."""
    return text[:19].replace("T", " ") if text else "never"


def _number(ref: str) -> str:
    return f"CR-{ref.partition(':')[2]}"
