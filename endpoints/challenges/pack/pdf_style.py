"""How the readable part of a pack looks: one embedded font, few styles, tables. The same input, the same bytes.

The font that travels with the library has Latin letters; what it lacks is written without its marks or by number, and
the document says so: nothing is left out in silence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape

from reportlab.graphics.shapes import Drawing, Group, PolyLine, Rect, String  # type: ignore[import-untyped]
from reportlab.lib.colors import HexColor  # type: ignore[import-untyped]
from reportlab.lib.enums import TA_LEFT  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.platypus import Paragraph, Table, TableStyle  # type: ignore[import-untyped]

from endpoints.challenges.pack.charts import HEIGHT, INK, WIDTH, Stroke, drawn
from endpoints.challenges.pack.parts import Chart

FONT, BOLD = "Pack", "Pack-Bold"
PAGE_WIDTH = 482.0
_SHOWN_OTHERWISE = {"→": "->", "\u2009": " ", "\u202f": " ", "\u2011": "-", "✓": "yes"}
_LINE_COLOUR, _HEAD_COLOUR = HexColor("#C5CAD3"), HexColor("#E9ECF0")


@cache
def fonts() -> frozenset[int]:
    """Make the fonts known, and say which characters they have."""
    plain = TTFont(FONT, "Vera.ttf")
    pdfmetrics.registerFont(plain)
    pdfmetrics.registerFont(TTFont(BOLD, "VeraBd.ttf"))
    return frozenset(plain.face.charToGlyph)


def printable(text: str) -> str:
    """The text in characters that the font has."""
    known = fonts()
    return "".join(one if ord(one) in known or one == "\n" else _otherwise(one, known) for one in text)


def _otherwise(one: str, known: frozenset[int]) -> str:
    if one in _SHOWN_OTHERWISE:
        return _SHOWN_OTHERWISE[one]
    base = unicodedata.normalize("NFKD", one)[0]
    return base if base != one and ord(base) in known else f"[U+{ord(one):04X}]"


def _style(name: str, size: float, **more: object) -> ParagraphStyle:
    fonts()
    options = {"fontName": FONT, "fontSize": size, "leading": size * 1.35, "textColor": HexColor(INK)}
    return ParagraphStyle(name, **(options | {"alignment": TA_LEFT, "splitLongWords": True} | more))


def title(text: str) -> Paragraph:
    return _paragraph(text, _style("title", 18, fontName=BOLD, spaceAfter=6))


def heading(text: str) -> Paragraph:
    return _paragraph(text, _style("heading", 12, fontName=BOLD, spaceBefore=14, spaceAfter=5))


def body(text: str) -> Paragraph:
    return _paragraph(text, _style("body", 9, spaceAfter=4))


def strong(text: str) -> Paragraph:
    return _paragraph(text, _style("strong", 10.5, fontName=BOLD, spaceBefore=4, spaceAfter=6))


def small(text: str) -> Paragraph:
    return _paragraph(text, _style("small", 7.5))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[float]) -> Table:
    """A table whose head is repeated on each page; `widths` are shares of the page."""
    bold = _style("head", 7.5, fontName=BOLD)
    cells = [[_paragraph(text, bold) for text in head]] if head else []
    cells += [[small(text) for text in row] for row in rows]
    total = sum(widths)
    return Table(
        cells,
        colWidths=[PAGE_WIDTH * width / total for width in widths],
        repeatRows=1 if head else 0,
        hAlign="LEFT",
        style=TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE_COLOUR),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                *([("BACKGROUND", (0, 0), (-1, 0), _HEAD_COLOUR)] if head else []),
            ]
        ),
    )


def picture(chart: Chart) -> Drawing:
    """The chart as it stands in its SVG file."""
    scale = PAGE_WIDTH / WIDTH
    group = Group(Rect(0, 0, WIDTH, HEIGHT, fillColor=HexColor("#FFFFFF"), strokeColor=None))
    for one in drawn(chart):
        if isinstance(one, Stroke):
            flat = [number for x, y in one.points for number in (x, HEIGHT - y)]
            dashes = list(one.dashes) or None
            group.add(
                PolyLine(
                    flat, strokeColor=HexColor(one.colour), strokeWidth=one.width, strokeDashArray=dashes
                )
            )
        else:
            font = BOLD if one.is_bold else FONT
            group.add(
                String(
                    one.x,
                    HEIGHT - one.y,
                    printable(one.text),
                    fontName=font,
                    fontSize=one.size * 0.9,
                    textAnchor=one.anchor,
                    fillColor=HexColor(INK),
                )
            )
    group.scale(scale, scale)
    return Drawing(WIDTH * scale, HEIGHT * scale, group)


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(printable(text), quote=False).replace("\n", "<br/>"), style)
