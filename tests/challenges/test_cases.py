"""Cases from the id to the verdict, through their services."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256

import pytest

from endpoints.access.models import User, Workspace
from endpoints.access.roles import Role
from endpoints.audit.models import Entry, Personal
from endpoints.challenges import services
from endpoints.challenges.lifecycle import Kind, Outcome, State
from endpoints.challenges.models import Case, Evidence, Move, Note
from endpoints.challenges.recorded import Source
from endpoints.challenges.selectors.cases import case_page, case_row
from endpoints.challenges.services import Challenge, take
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.holds.models import Protection
from endpoints.inventory.models import Endpoint
from endpoints.metrics.models import Keep
from tests.challenges.cases import QUESTION, REASON, decide, endpoint, raised, record, second, two_people
from tests.challenges.recording import ago, guid, said
from tests.support.people import make_endpoint, make_person, principal

__all__ = ["endpoint", "second"]
pytestmark = pytest.mark.django_db


def kinds(case: Case) -> list[str]:
    return list(Move.objects.filter(case=case).order_by("version").values_list("kind", flat=True))


def entries(case: Case) -> list[str]:
    found = Entry.objects.filter(subject=f"case:{case.pk}").order_by("seq")
    return list(found.values_list("action", flat=True))


def test_case__raised_with_an_id_that_one_record_has__is_about_it_with_its_evidence(
    supervisor: User, endpoint: Endpoint
) -> None:
    case = raised(supervisor, endpoint, record(endpoint), reference="F-8841", claimant="D. Lund")
    assert (case.state, case.key, case.endpoint_id) == (State.OPEN, f"r:{guid(1)}", endpoint.pk)
    assert kinds(case) == [Kind.RAISED, Kind.COLLECTED]
    evidence = Evidence.objects.get(case=case)
    assert evidence.sha256 == sha256(bytes(evidence.document)).hexdigest()
    collected = Entry.objects.get(subject=f"case:{case.pk}", action="case.evidence_collected")
    assert (collected.after["number"], collected.after["sha256"]) == (1, evidence.sha256)
    assert json.loads(bytes(evidence.document))["endpoint_id"] == endpoint.pk
    detail = case_page(principal(supervisor), case.pk)
    assert detail.question is not None
    assert detail.question.text == QUESTION
    assert detail.evidence is not None
    assert detail.evidence.is_whole
    answered = detail.evidence.passport.fact("deployment")
    assert answered is not None
    assert answered.value == "blue"


def test_case__while_open__keeps_the_minutes_and_protects_what_answered(
    supervisor: User, endpoint: Endpoint
) -> None:
    case = raised(supervisor, endpoint, record(endpoint))
    kept = Keep.objects.get(cause=f"case:{case.pk}")
    assert kept.until - kept.since == timedelta(hours=2)
    standing = Protection.objects.get(cause=f"case:{case.pk}")
    assert (standing.deployment, standing.ended_at) == ("blue", None)
    decide(supervisor, case)
    standing.refresh_from_db()
    assert standing.ended_at is not None
    services.reopen(
        principal=principal(supervisor), case_id=case.pk, seen_version=case.version, reason="New picture"
    )
    assert Protection.objects.filter(cause=f"case:{case.pk}", ended_at=None).count() == 1
    assert Keep.objects.filter(cause=f"case:{case.pk}").count() == 1


def test_case__whose_id_several_records_have__waits_for_a_choice(
    supervisor: User, endpoint: Endpoint
) -> None:
    for number in (1, 2):
        record(endpoint, number, ago(hours=number), client_id="retried")
    case = raised(supervisor, endpoint, "retried")
    assert (case.key, kinds(case)) == ("", [Kind.RAISED])
    me = principal(supervisor)
    detail = case_page(me, case.pk)
    assert detail.records is not None
    assert [row.request_id for row in detail.records.found] == [guid(1), guid(2)]
    chosen = detail.records.found[1]
    services.choose_record(
        principal=me, case_id=case.pk, endpoint_id=chosen.endpoint_id, day=chosen.day, key=chosen.key
    )
    case.refresh_from_db()
    assert (case.key, kinds(case)) == (chosen.key, [Kind.RAISED, Kind.CHOSEN, Kind.COLLECTED])
    assert case_page(me, case.pk).records is None


def test_case__without_a_record__says_what_was_in_force_when_endpoint_and_time_are_told(
    supervisor: User, endpoint: Endpoint
) -> None:
    case = raised(supervisor, endpoint, "lost-id", endpoint_id=endpoint.pk, asked_at=ago(seconds=1))
    assert (case.key, kinds(case)) == ("", [Kind.RAISED, Kind.COLLECTED])
    unknown = raised(supervisor, endpoint, "lost-id")
    assert kinds(unknown) == [Kind.RAISED]
    with pytest.raises(Conflict, match="nothing to collect"):
        services.collect_evidence(principal=principal(supervisor), case_id=unknown.pk)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"question": "  "}, "question"),
        ({"question": "x" * 2001}, "question"),
        ({"reference": "x" * 81}, "reference"),
        ({"claimant": "x" * 201}, "claimant"),
        ({"asked_id": ""}, "asked_id"),
        ({"asked_id": "x" * 201}, "asked_id"),
        ({"record": (1, ago, "r:none")}, "record"),
    ],
)
def test_case__that_can_not_be__is_refused_by_field_and_stores_nothing(
    supervisor: User, endpoint: Endpoint, more: dict[str, object], field: str
) -> None:
    told: dict[str, object] = {"question": QUESTION, "asked_id": "x"} | more
    if "record" in more:
        told["record"] = (endpoint.pk, ago(days=0).date(), "r:none")
    with pytest.raises(Invalid) as refused:
        services.raise_case(
            principal=principal(supervisor),
            workspace_id=endpoint.workspace_id,
            challenge=Challenge(**told),  # type: ignore[arg-type]
        )
    assert list(refused.value.fields) == [field]
    assert not Case.objects.exists()


def test_case__of_a_time_that_has_not_come_or_an_endpoint_elsewhere__is_refused(
    supervisor: User, endpoint: Endpoint, other_workspace: Workspace
) -> None:
    theirs = make_endpoint(other_workspace, "theirs")
    with pytest.raises(Invalid, match="not come"):
        raised(supervisor, endpoint, asked_at=ago(hours=-1))
    with pytest.raises(Invalid, match="no such endpoint"):
        raised(supervisor, endpoint, endpoint_id=theirs.pk)
    assert not Case.objects.exists()


def test_case__asked_twice_with_one_key__is_one(supervisor: User, endpoint: Endpoint) -> None:
    asked = record(endpoint)
    first = raised(supervisor, endpoint, asked, idempotency_key="k")
    assert raised(supervisor, endpoint, asked, idempotency_key="k") == first
    with pytest.raises(Conflict, match="another case"):
        raised(supervisor, endpoint, asked, idempotency_key="k", question="Another one?")
    assert Case.objects.count() == 1


def test_case__by_who_may_not__is_refused_and_for_strangers_it_is_not_there(
    supervisor: User, reviewer: User, finops: User, outsider: User, endpoint: Endpoint
) -> None:
    with pytest.raises(Refused, match="supervisor"):
        raised(reviewer, endpoint, record(endpoint))
    case = raised(supervisor, endpoint, guid(1))
    with pytest.raises(Refused, match="supervisor"):
        services.comment(principal=principal(reviewer), case_id=case.pk, text="x")
    with pytest.raises(Refused):
        case_row(principal(finops), case.pk)
    for stranger in (outsider,):
        with pytest.raises(NotFound, match="or not for you"):
            case_page(principal(stranger), case.pk)
        with pytest.raises(NotFound, match="or not for you"):
            services.comment(principal=principal(stranger), case_id=case.pk, text="x")


def test_evidence__collected_again__stands_beside_the_first_with_what_is_different(
    supervisor: User, endpoint: Endpoint
) -> None:
    asked = record(endpoint, at=ago(seconds=1))
    case, me = raised(supervisor, endpoint, asked), principal(supervisor)
    take(
        [said(endpoint.pk, ago(seconds=1), request_id=asked, confidence=0.62, app_version="3.2")],
        source=Source.CALLER,
    )
    assert services.collect_evidence(principal=me, case_id=case.pk) == 2
    detail = case_page(me, case.pk)
    assert (detail.evidence and detail.evidence.number, detail.earlier and detail.earlier.number) == (2, 1)
    changed = {one.after.name for one in detail.changed if one.after is not None}
    assert {"confidence", "app_version"} <= changed
    assert "deployment" not in changed


def test_decision__by_one_person__closes_the_case_with_reason_and_evidence_on_record(
    supervisor: User, endpoint: Endpoint
) -> None:
    case = decide(supervisor, raised(supervisor, endpoint, record(endpoint)))
    assert (case.state, case.outcome, case.next_due_at) == (State.CLOSED, Outcome.OVERTURNED, None)
    assert case.closed_at is not None
    entry = Entry.objects.get(subject=f"case:{case.pk}", action="case.decided")
    assert (entry.after["outcome"], entry.after["evidence"]) == ("overturned", 1)
    assert entry.after["sha256"] == Evidence.objects.get(case=case).sha256
    assert Personal.objects.get(entry_id=entry.seq, field="reason").text == REASON
    assert REASON not in bytes(entry.body).decode()
    assert Note.objects.get(case=case, kind="reason").text == REASON


@pytest.mark.parametrize(
    ("outcome", "reason", "field"), [("maybe", REASON, "outcome"), ("stands", " ", "reason")]
)
def test_decision__without_outcome_or_reason__is_refused(
    supervisor: User, endpoint: Endpoint, outcome: str, reason: str, field: str
) -> None:
    case = raised(supervisor, endpoint, record(endpoint))
    with pytest.raises(Invalid) as refused:
        services.decide(
            principal=principal(supervisor),
            case_id=case.pk,
            seen_version=case.version,
            outcome=outcome,
            reason=reason,
        )
    assert list(refused.value.fields) == [field]
    case.refresh_from_db()
    assert case.state == State.OPEN


def test_decision__on_a_case_to_which_something_happened_since__stores_nothing(
    supervisor: User, endpoint: Endpoint
) -> None:
    case, me = raised(supervisor, endpoint, record(endpoint)), principal(supervisor)
    services.comment(principal=me, case_id=case.pk, text="Wait for the second picture.")
    with pytest.raises(Conflict, match="Something happened"):
        services.decide(
            principal=me, case_id=case.pk, seen_version=case.version, outcome="stands", reason=REASON
        )
    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.OPEN, "")


def test_decision__where_two_are_asked_for__counts_once_another_person_confirmed(
    supervisor: User, second: User, admin: User, workspace: Workspace, endpoint: Endpoint
) -> None:
    two_people(admin, workspace)
    case = decide(supervisor, raised(supervisor, endpoint, record(endpoint)))
    assert (case.state, case.closed_at) == (State.DECIDED, None)
    with pytest.raises(Refused, match="somebody else has to confirm"):
        services.confirm(principal=principal(supervisor), case_id=case.pk, seen_version=case.version)
    assert Protection.objects.filter(cause=f"case:{case.pk}", ended_at=None).exists()
    services.confirm(principal=principal(second), case_id=case.pk, seen_version=case.version, comment="Yes.")
    case.refresh_from_db()
    assert (case.state, case.confirmed_by) == (State.CLOSED, f"user:{second.pk}")
    assert not Protection.objects.filter(cause=f"case:{case.pk}", ended_at=None).exists()
    assert entries(case)[-2:] == ["case.decided", "case.confirmed"]


def test_decision__by_a_second_account_of_the_same_person__is_not_confirmed(
    supervisor: User, second: User, admin: User, workspace: Workspace, endpoint: Endpoint
) -> None:
    two_people(admin, workspace)
    case = decide(supervisor, raised(supervisor, endpoint, record(endpoint)))
    User.objects.filter(pk=second.pk).update(second_account_of=supervisor)
    with pytest.raises(Refused, match="somebody else has to confirm"):
        services.confirm(principal=principal(second), case_id=case.pk, seen_version=case.version)
    with pytest.raises(Refused, match="somebody else has to confirm"):
        services.send_back(
            principal=principal(second), case_id=case.pk, seen_version=case.version, reason="No."
        )


def test_decision__sent_back__does_not_count_and_the_case_is_open_again(
    supervisor: User, second: User, admin: User, workspace: Workspace, endpoint: Endpoint
) -> None:
    two_people(admin, workspace)
    case = decide(supervisor, raised(supervisor, endpoint, record(endpoint)))
    with pytest.raises(Invalid):
        services.send_back(principal=principal(second), case_id=case.pk, seen_version=case.version, reason="")
    services.send_back(
        principal=principal(second), case_id=case.pk, seen_version=case.version, reason="Look at green too."
    )
    case.refresh_from_db()
    assert (case.state, case.outcome, case.decided_by) == (State.OPEN, "", "")
    with pytest.raises(Conflict, match="is open by now"):
        services.confirm(principal=principal(second), case_id=case.pk, seen_version=case.version)


def test_service_account__that_may_work_on_cases__decides_none(
    supervisor: User, workspace: Workspace, endpoint: Endpoint
) -> None:
    robot = make_person("claims", {workspace.slug: [Role.SUPERVISOR]}, kind=User.Kind.SERVICE)
    case = raised(robot, endpoint, record(endpoint), via="api")
    with pytest.raises(Refused, match="needs a person"):
        decide(robot, case)


def test_case__closed__takes_comments_and_nothing_that_would_change_what_was_decided_on(
    supervisor: User, endpoint: Endpoint
) -> None:
    case, me = decide(supervisor, raised(supervisor, endpoint, record(endpoint))), principal(supervisor)
    services.comment(principal=me, case_id=case.pk, text="The claimant was told.")
    with pytest.raises(Conflict, match="closed by now"):
        services.collect_evidence(principal=me, case_id=case.pk)
    with pytest.raises(Conflict, match="closed by now"):
        services.assign(principal=me, case_id=case.pk, user_id=supervisor.pk)
    with pytest.raises(Conflict, match="closed by now"):
        decide(supervisor, case)
    case.refresh_from_db()
    services.reopen(principal=me, case_id=case.pk, seen_version=case.version, reason="A second picture.")
    case.refresh_from_db()
    assert (case.state, case.outcome, case.closed_at) == (State.OPEN, "", None)
    assert case.next_due_at is not None
    decided = Move.objects.get(case=case, kind=Kind.DECIDED)
    assert decided.data["outcome"] == "overturned"


def test_case__assigned__goes_to_who_works_on_cases_there_only(
    supervisor: User, second: User, reviewer: User, outsider: User, endpoint: Endpoint
) -> None:
    case, me = raised(supervisor, endpoint, record(endpoint)), principal(supervisor)
    for nobody in (reviewer.pk, outsider.pk, 10**9):
        with pytest.raises(Invalid):
            services.assign(principal=me, case_id=case.pk, user_id=nobody)
    services.assign(principal=me, case_id=case.pk, user_id=second.pk)
    services.assign(principal=me, case_id=case.pk, user_id=second.pk)
    case.refresh_from_db()
    assert case.assigned_to_id == second.pk
    assert kinds(case).count(Kind.ASSIGNED) == 1
    services.assign(principal=me, case_id=case.pk, user_id=None)
    case.refresh_from_db()
    assert case.assigned_to_id is None


def test_evidence__looked_at__goes_on_record_once_an_hour(supervisor: User, endpoint: Endpoint) -> None:
    case, me = raised(supervisor, endpoint, record(endpoint)), principal(supervisor)
    for _ in range(3):
        services.note_read(
            principal=me, subject=f"case:{case.pk}", workspace_id=case.workspace_id, endpoint_id=endpoint.pk
        )
    assert entries(case).count("evidence.read") == 1


def test_texts__of_a_case__stand_in_notes_and_nowhere_else(supervisor: User, endpoint: Endpoint) -> None:
    case = raised(supervisor, endpoint, record(endpoint), claimant="D. Lund", reference="F-1")
    services.comment(principal=principal(supervisor), case_id=case.pk, text="D. Lund called.")
    decide(supervisor, case)
    bodies = [bytes(one.body).decode() for one in Entry.objects.filter(subject=f"case:{case.pk}")]
    moves = json.dumps(list(Move.objects.filter(case=case).values_list("data", flat=True)))
    for words in (QUESTION, "D. Lund", REASON, "F-1"):
        assert not any(words in body for body in bodies)
        assert words not in moves
