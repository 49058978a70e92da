"""What is at work now: every started change with its step, its bake, and what its gates say together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.changes.lifecycle import Kind
from endpoints.changes.selectors import Running, running
from endpoints.changes.verdict import Outcome
from endpoints.core import traffic
from endpoints.web.bars import order_of
from endpoints.web.names import change_number
from endpoints.web.pages import SIGNED_IN, PageRequest, is_partial, page, partial, render
from endpoints.web.rollout import baked_words, labels, sign_at
from endpoints.web.states import Sign

_GATES = {
    Outcome.PASS: Sign("quiet", "All within"),
    Outcome.FAIL: Sign("bad", "One is over"),
    Outcome.ERROR: Sign("unknown", "Cannot tell"),
    Outcome.INCONCLUSIVE: Sign("unknown", "Not enough data"),
    Outcome.WARN: Sign("warn", "Warning"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One change at work. `gates` None: it has none. `ordered` None: its step orders no split."""

    number: int
    href: str
    word: str
    sign: Sign
    endpoint: str
    workspace: str
    endpoint_href: str
    step: str
    ordered: traffic.Split | None
    order: list[str]
    baked: str
    share: float | None
    gates: Sign | None
    why: str
    started_at: datetime | None


@page(SIGNED_IN)
def rollouts(request: PageRequest) -> HttpResponseBase:
    """The list; its rows alone when htmx asks."""
    found = running(request.principal, before=change_number(request.GET.get("before", "")))
    here = reverse("web:rollouts")
    context = {
        "rows": [_line(one) for one in found.rows],
        "here": request.get_full_path(),
        "pages": {
            "first": here if request.GET.get("before") else "",
            "next": f"{here}?before={found.older}" if found.older else "",
        },
    }
    if is_partial(request):
        return partial(request, "partials/rollout_rows.html", context)
    return render(request, "rollouts.html", context, section="rollouts")


_WORDS = {Kind.ROLLBACK: "rollback", Kind.DRILL: "drill", Kind.CAPACITY: "capacity"}


def _line(one: Running) -> Line:
    row = one.row
    place = {"ws": row.workspace, "name": row.endpoint}
    return Line(
        number=row.id,
        href=reverse("web:live", kwargs={"number": row.id}),
        word=_WORDS.get(row.kind, ""),
        sign=sign_at(row, one.step, len(one.steps), one.bake, one.hold),
        endpoint=row.endpoint,
        workspace=row.workspace,
        endpoint_href=reverse("web:endpoint", kwargs=place),
        step=labels(one)[one.step],
        ordered=None if one.steps[one.step].verb != "put_split" else one.steps[one.step].split,
        order=order_of(row.before, row.after),
        baked=baked_words(one.bake),
        share=one.bake.share if one.bake and one.bake.wanted else None,
        gates=_gates(one),
        why=one.gates_reason if one.gates is not Outcome.PASS else "",
        started_at=row.started_at,
    )


def _gates(one: Running) -> Sign | None:
    if not one.has_gates:
        return None
    return _GATES[one.gates] if one.gates else Sign("waiting", "Not measured yet")
