"""What an ordered fault does to the points of a series: gaps, doubles, disorder, values that are none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from emulator.faults import Fault
from emulator.monitor.parts import Values
from emulator.monitor.text import Writer

_FIGURE = re.compile(r'(":)(-?\d[\d.e+-]*)')


def concerns(fault: Fault, metric: str) -> bool:
    wanted = str(fault.options["metric"] or "")
    return wanted == "" or wanted.lower() == metric.lower()


def spoilt(writer: Writer, columns: Mapping[str, Values], form: str, faults: Sequence[Fault]) -> str:
    """The points with every fault's blemish, in the order in which the faults were ordered."""
    points = list(zip(writer.stamps, writer.each(columns, form), strict=True))
    for fault in faults:
        points = _KINDS[fault.kind](points, fault)
    return "[" + ",".join(text for _, text in points) + "]"


Points = list[tuple[str, str]]


def _gap(points: Points, fault: Fault) -> Points:
    """Without the points, or with time stamps alone."""
    if not fault.options["listed"]:
        return [point for point in points if not _within(point[0], fault)]
    return [
        (stamp, f'{{"timeStamp":"{stamp}"}}' if _within(stamp, fault) else text) for stamp, text in points
    ]


def _duplicates(points: Points, fault: Fault) -> Points:
    """Every n-th point twice, the second time with another value if so ordered."""
    found: Points = []
    for i, (stamp, text) in enumerate(points):
        found.append((stamp, text))
        if _is_hit(i, stamp, fault):
            found.append((stamp, _FIGURE.sub(r"\g<1>9\g<2>", text) if fault.options["differs"] else text))
    return found


def _disorder(points: Points, fault: Fault) -> Points:
    """Every n-th point after its successor."""
    found = list(points)
    for i in range(len(found) - 1):
        if _is_hit(i, found[i][0], fault):
            found[i], found[i + 1] = found[i + 1], found[i]
    return found


def _values(points: Points, fault: Fault) -> Points:
    """Every n-th value replaced by some JSON text."""
    text = str(fault.options["value"])
    return [
        (stamp, _FIGURE.sub(lambda found: found[1] + text, point) if _is_hit(i, stamp, fault) else point)
        for i, (stamp, point) in enumerate(points)
    ]


def _is_hit(i: int, stamp: str, fault: Fault) -> bool:
    return i % int(fault.options["every"]) == 0 and _within(stamp, fault)


def _within(stamp: str, fault: Fault) -> bool:
    """`since` and `until` as `2026-11-25T10:00:00Z`, the form of the time stamps themselves."""
    since, until = fault.options["since"], fault.options["until"]
    return (since is None or stamp >= since) and (until is None or stamp < until)


_KINDS = {
    "no_metrics": lambda points, _fault: points,
    "metric_gap": _gap,
    "metric_duplicates": _duplicates,
    "metric_disorder": _disorder,
    "metric_values": _values,
}
