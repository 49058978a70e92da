"""Ask an endpoint's deployments directly: the sample request that somebody made up, and what each ask came to."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.changes.selectors import probes, sample_of
from endpoints.changes.services.probe import probe_now
from endpoints.changes.services.sample import MOST_BYTES, set_sample
from endpoints.core.errors import Conflict, Invalid
from endpoints.inventory import selectors as inventory
from endpoints.web.pages import PageRequest, on_workspace, page, render, to
from endpoints.web.states import OUTCOMES

FIELDS = ("body", "secret_uri", "answer_schema", "synthetic")
MOST_CHARACTERS = 2 * MOST_BYTES
Errors = dict[str, list[str]]


@page(on_workspace(Action.VIEW), "GET", "POST")
def probe(request: PageRequest, *, workspace: WorkspaceRow, name: str) -> HttpResponseBase:
    """The sample, the newest probes, and where the forms go."""
    endpoint_id = inventory.endpoint_id_by_name(workspace.id, name)
    if request.method == "GET":
        return _page(request, workspace, endpoint_id, name)
    typed = {field: request.POST.get(field, "")[:MOST_CHARACTERS] for field in FIELDS}
    try:
        said = _do(request, endpoint_id, typed)
    except Invalid as error:
        errors = error.fields or {"": [error.message]}
        return _page(request, workspace, endpoint_id, name, typed=typed, errors=errors, status=422)
    except Conflict as error:
        return _page(
            request, workspace, endpoint_id, name, typed=typed, errors={"": [error.message]}, status=409
        )
    messages.success(request, said)
    return to("probe", ws=workspace.slug, name=name)


def _do(request: PageRequest, endpoint_id: int, typed: dict[str, str]) -> str:
    me = request.principal
    match request.POST.get("do", ""):
        case "set":
            set_sample(
                principal=me,
                endpoint_id=endpoint_id,
                body=_needed(typed["body"]),
                synthetic=typed["synthetic"] == "yes",
                secret_uri=typed["secret_uri"],
                answer_schema=_schema(typed["answer_schema"]),
            )
            return "Set. Its deployments are being asked."
        case "end":
            set_sample(principal=me, endpoint_id=endpoint_id, body="")
            return "The probing has ended. What was found stays on record."
        case "probe":
            probe_now(principal=me, endpoint_id=endpoint_id)
            return "Asked for. The answers appear here as they come."
        case _:
            raise Invalid("The form did not say what to do. Nothing was stored.")


def _needed(body: str) -> str:
    if not body.strip():
        raise Invalid({"body": ["Give a request, or end the probing. Nothing was stored."]})
    return body


def _schema(text: str) -> dict[str, Any] | None:
    if not text.strip():
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Invalid({"answer_schema": ["This is no JSON object. Nothing was stored."]})
    return found


def _page(
    request: PageRequest,
    workspace: WorkspaceRow,
    endpoint_id: int,
    name: str,
    *,
    typed: dict[str, str] | None = None,
    errors: Errors | None = None,
    status: int = 200,
) -> HttpResponseBase:
    me, sample = request.principal, sample_of(endpoint_id)
    may = decide(me, Action.PROBE_SET, workspace_id=workspace.id, workspace=workspace.slug, own=True)
    before = request.GET.get("before", "")
    found = probes(endpoint_id, before=int(before) if _is_number(before) else None, limit=25)
    here = reverse("web:probe", kwargs={"ws": workspace.slug, "name": name})
    names = access.users_by_ids({sample.set_by_id} if sample else set())
    context = {
        "workspace": workspace,
        "name": name,
        "sample": sample,
        "set_by": names.get(sample.set_by_id, "unknown") if sample else "",
        "may": may,
        "typed": typed or _stored(sample),
        "errors": errors or {},
        "most_kib": MOST_BYTES // 1024,
        "probes": [(one, OUTCOMES[one.outcome], _shape(one.shape)) for one in found.rows],
        "pages": {
            "first": here if before else "",
            "next": f"{here}?before={found.next_before}" if found.next_before else "",
        },
    }
    return render(request, "endpoint/probe.html", context, section="fleet", status=status)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _stored(sample: Any) -> dict[str, str]:
    if sample is None:
        return dict.fromkeys(FIELDS, "")
    schema = json.dumps(sample.answer_schema, indent=1) if sample.answer_schema else ""
    return {
        "body": sample.body,
        "secret_uri": sample.secret_uri,
        "answer_schema": schema,
        "synthetic": "",
    }


def _shape(shape: Any) -> str:
    """What an answer is made of, on one line; the answer itself is never kept."""
    return json.dumps(shape, sort_keys=True)[:200] if shape else ""
