"""What a page refused stands in the ledger: who, on what, why."""

from __future__ import annotations

from endpoints.access.models import User
from endpoints.audit.models import Entry, Personal
from endpoints.changes.models import Change
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn, Stage


def last_refusal() -> tuple[Entry, str]:
    entry = Entry.objects.filter(action="order.refused").order_by("-seq").first()
    assert entry is not None
    return entry, Personal.objects.get(entry=entry, field="reason").text


def test_forged_approval_by_the_author__on_a_page__is_in_the_ledger_with_its_change(
    sign_in: SignIn, requester: User, asked: Stage
) -> None:
    change = Change.objects.get()
    answer = sign_in(requester).post(
        f"/changes/CR-{change.pk}/decide", {"decision": "approve", "seen": "0" * 64}
    )
    assert answer.status_code == 403
    entry, why = last_refusal()
    assert (entry.actor, entry.subject) == (f"user:{requester.pk}", f"change:{change.pk}")
    assert entry.workspace_id == change.workspace_id
    assert why in answer.content.decode().replace("&#39;", "'")


def test_rollback_without_the_role__on_a_page__is_in_the_ledger_with_its_endpoint(
    sign_in: SignIn, finops: User, workspace: object
) -> None:
    endpoint = make_endpoint(workspace)  # type: ignore[arg-type]
    answer = sign_in(finops).post(f"/w/mlw-prod-weu/e/{endpoint.name}/rollback", {"target": "x", "key": "y"})
    assert answer.status_code == 403
    entry, _ = last_refusal()
    assert (entry.actor, entry.subject) == (f"user:{finops.pk}", f"endpoint:{endpoint.pk}")


def test_looking_at_what_one_may_not_see__is_no_order_and_not_recorded(
    sign_in: SignIn, outsider: User, asked: Stage
) -> None:
    assert sign_in(outsider).get(f"/changes/CR-{Change.objects.get().pk}").status_code == 404
    assert not Entry.objects.filter(action="order.refused").exists()
