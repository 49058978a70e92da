"""An endpoint against the YAML files of a repository: pasted or sent, held against what is live, and not kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase

from endpoints.access.policies import Action
from endpoints.access.rows import WorkspaceRow
from endpoints.inventory import selectors as inventory
from endpoints.inventory.declared import Comparison, Outcome
from endpoints.inventory.selectors.declared import MOST_FILES, compared
from endpoints.inventory.yamlfile import MOST_BYTES
from endpoints.web.pages import PageRequest, on_workspace, page, render
from endpoints.web.states import Sign
from endpoints.web.wording import plural

SIGNS = {
    Outcome.SAME: Sign("quiet", "Same"),
    Outcome.DIFFERS: Sign("warn", "Differs"),
    Outcome.UNKNOWN: Sign("unknown", "Cannot tell"),
}
PASTED = "pasted text"
_MOST_MIB = MOST_FILES * MOST_BYTES / 1024**2
_NOTHING = f"Paste a file, or choose some, of {_MOST_MIB:g} MiB together at most. Nothing was compared."


@page(on_workspace(Action.VIEW), "GET", "POST")
def compare(request: PageRequest, *, workspace: WorkspaceRow, name: str) -> HttpResponseBase:
    """The form, and what came of it. Nothing is stored, and nothing is sent to Azure."""
    shown = inventory.endpoint_page(workspace.id, name)
    context: dict[str, Any] = {
        "shown": shown,
        "workspace": workspace,
        "errors": {},
        "text": "",
        "found": None,
        "signs": SIGNS,
        "most_kib": MOST_BYTES // 1024,
        "most_files": MOST_FILES,
    }
    if request.method == "GET":
        return render(request, "endpoint/compare.html", context, section="fleet")
    context["text"] = request.POST.get("text", "")
    files, errors = _sent(request)
    if errors:
        context["errors"] = errors
        return render(request, "endpoint/compare.html", context, section="fleet", status=422)
    context["found"] = compared(shown, files)
    context["summary"] = summary(context["found"])
    return render(request, "endpoint/compare.html", context, section="fleet")


def summary(found: tuple[Comparison, ...]) -> str:
    """`1 field differs, 3 can't be told, 12 are the same, in 2 documents.`"""
    outcomes = [line.outcome for one in found for line in one.lines]
    differs, unknown, same = (outcomes.count(one) for one in (Outcome.DIFFERS, Outcome.UNKNOWN, Outcome.SAME))
    said = (
        f"{plural(differs, 'field differs', 'fields differ')}, {unknown} can't be told, {same} are the same"
    )
    return f"{said}, in {plural(len(found), 'document')}."


def _sent(request: PageRequest) -> tuple[list[tuple[str, str]], dict[str, list[str]]]:
    """Files and pasted text by name. What is too large or no text is an error: half an answer would mislead."""
    files: list[tuple[str, str]] = []
    sent = request.FILES.getlist("files")
    if len(sent) > MOST_FILES:
        return [], {
            "files": [f"At most {MOST_FILES} files at once; these are {len(sent)}. Nothing was compared."]
        }
    for one in sent:
        name, data = str(one.name or "file.yml")[:120], one.read()
        if len(data) > MOST_BYTES:
            return [], {"files": [f"{name} is larger than {MOST_BYTES // 1024} KiB. Nothing was compared."]}
        try:
            files.append((name, data.decode("utf-8-sig")))
        except UnicodeDecodeError:
            return [], {"files": [f"{name} is no text in UTF-8. Nothing was compared."]}
    text = request.POST.get("text", "")
    if len(text.encode()) > MOST_BYTES:
        return [], {"text": [f"The text is larger than {MOST_BYTES // 1024} KiB. Nothing was compared."]}
    if text.strip():
        files.append((PASTED, text))
    return files, {} if files else {"text": [_NOTHING]}
