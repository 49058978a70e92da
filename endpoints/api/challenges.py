"""Challenge cases: the queue, raising one, working on it, deciding it. Rules and locks are the room's."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from rest_framework.response import Response

from endpoints.access import selectors as access
from endpoints.access.policies import Action
from endpoints.access.services import About
from endpoints.api import headers
from endpoints.api.challenge_inputs import (
    AssignmentIn,
    CaseCommentIn,
    CaseIn,
    CasesQuery,
    ChoiceIn,
    ConfirmationIn,
    LinkIn,
    ReasonedIn,
    VerdictIn,
    VersionIn,
)
from endpoints.api.challenge_shapes import CaseListOut, CaseOut, EvidenceBytesOut, PackOut, detail, items
from endpoints.api.headers import IDEMPOTENCY_KEY
from endpoints.api.operation import Call, operation
from endpoints.api.paging import page
from endpoints.api.rules import narrowed_to, on_object
from endpoints.api.view import ApiView
from endpoints.challenges import services
from endpoints.challenges.selectors.case_rows import CaseRow
from endpoints.challenges.selectors.cases import case_page, case_row
from endpoints.challenges.selectors.evidence import evidence_bytes
from endpoints.challenges.selectors.queue import QueueFilters, Tab, queue
from endpoints.core.errors import Invalid
from endpoints.core.ids import ref
from endpoints.dispatch import db_now
from endpoints.inventory.selectors import endpoint_id_by_name

_NO_NAME = "Name the workspace too: endpoints of one name exist in several."


class Cases(ApiView):
    """`/challenges`."""

    @operation(
        narrowed_to(Action.PREDICTIONS_VIEW),
        name="challenges_list",
        summary="List challenge cases",
        query=CasesQuery,
        answers={200: CaseListOut},
        problems=(404,),
    )
    def get(self, call: Call) -> Response:
        """Cases that the caller may see: open ones by when they press, closed ones and all newest first."""
        query = call.query
        found = queue(
            call.principal,
            tab=Tab(query["tab"]),
            filters=_filters(call),
            after=query.get("after"),
            limit=query["limit"],
        )
        return Response(page(call.request, items(found.rows, db_now()), after=found.next))

    @operation(
        on_object(Action.CASE_WORK),
        name="challenges_raise",
        summary="Raise a challenge case",
        body=CaseIn,
        headers=(IDEMPOTENCY_KEY,),
        answers={201: CaseOut},
        problems=(409,),
        example={
            "workspace": "mlw-prod-weu",
            "question": "Why was facility 8841 marked urgent?",
            "asked_id": "6f1e0c52-9a1b-4a55-9a0e-3f0a2f7c11b7",
            "reference": "F-8841",
        },
    )
    def post(self, call: Call) -> Response:
        """What is on record is collected as evidence at once. Of several records none is guessed: see `candidates`.

        Sent again with the same Idempotency-Key it answers with the case that it made the first time.
        """
        body, workspace = call.body, access.workspace_by_slug(call.principal, call.body["workspace"])
        call.about = About(ref("workspace", workspace.id), workspace.id)
        endpoint_id = endpoint_id_by_name(workspace.id, body["endpoint"]) if body["endpoint"] else None
        number = services.raise_case(
            principal=call.principal,
            workspace_id=workspace.id,
            challenge=services.Challenge(
                question=body["question"],
                asked_id=body["asked_id"],
                endpoint_id=endpoint_id,
                asked_at=body.get("asked_at"),
                reference=body["reference"],
                claimant=body["claimant"],
            ),
            via="api",
            idempotency_key=headers.idempotency_key(call.request),
        )
        answer = shown(call, number, status=201)
        answer["Location"] = f"/api/v1/challenges/{number}"
        return answer


class Case(ApiView):
    """`/challenges/{number}`."""

    @operation(
        on_object(Action.PREDICTIONS_VIEW),
        name="challenges_get",
        summary="One challenge case",
        answers={200: CaseOut},
    )
    def get(self, call: Call, number: int) -> Response:
        """All that a decision stands on. That it was read goes on record, once an hour."""
        row = about(call, number)
        services.note_read(
            principal=call.principal,
            subject=ref("case", row.id),
            workspace_id=row.workspace_id,
            endpoint_id=row.endpoint_id,
        )
        return shown(call, number)


class Choice(ApiView):
    """`/challenges/{number}/record`."""

    @operation(
        on_object(Action.CASE_WORK),
        name="challenges_choose",
        summary="Choose the record that a case is about",
        body=ChoiceIn,
        answers={200: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """One of the `candidates`. Evidence is collected for it."""
        row, body = about(call, number), call.body
        services.choose_record(
            principal=call.principal,
            case_id=number,
            endpoint_id=endpoint_id_by_name(row.workspace_id, body["endpoint"]),
            day=body["day"],
            key=body["record"],
            seen_version=body["version"],
        )
        return shown(call, number)


class Collection(ApiView):
    """`/challenges/{number}/evidence`."""

    @operation(
        on_object(Action.CASE_WORK),
        name="challenges_collect",
        summary="Collect evidence again",
        body=VersionIn,
        answers={201: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """What is known now, beside what was collected before, which stays."""
        about(call, number)
        services.collect_evidence(principal=call.principal, case_id=number, seen_version=call.body["version"])
        return shown(call, number, status=201)


class EvidenceBytes(ApiView):
    """`/challenges/{number}/evidence/{evidence}`."""

    @operation(
        on_object(Action.PREDICTIONS_VIEW),
        name="challenges_evidence",
        summary="One evidence of a case",
        answers={200: EvidenceBytesOut},
    )
    def get(self, call: Call, number: int, evidence: int) -> Response:
        """The stored bytes, as text, with the hash of what is stored now; the ledger has the one of then."""
        row = about(call, number)
        body = evidence_bytes(row.id, evidence)
        services.note_read(
            principal=call.principal,
            subject=ref("case", row.id),
            workspace_id=row.workspace_id,
            endpoint_id=row.endpoint_id,
        )
        told = {"number": evidence, "sha256": sha256(body).hexdigest(), "document": body.decode()}
        return Response(dict(EvidenceBytesOut(told).data))


class Assignment(ApiView):
    """`/challenges/{number}/assignment`."""

    @operation(
        on_object(Action.CASE_WORK),
        name="challenges_assign",
        summary="Assign a case",
        body=AssignmentIn,
        answers={200: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """To a supervisor of its workspace, or to nobody."""
        about(call, number)
        who = call.body["to"]
        services.assign(
            principal=call.principal, case_id=number, user_id=int(who.partition(":")[2]) if who else None
        )
        return shown(call, number)


class CaseComments(ApiView):
    """`/challenges/{number}/comments`."""

    @operation(
        on_object(Action.CASE_WORK),
        name="challenges_comment",
        summary="Comment on a case",
        body=CaseCommentIn,
        answers={201: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Words beside the case, open or closed."""
        about(call, number)
        services.comment(principal=call.principal, case_id=number, text=call.body["comment"])
        return shown(call, number, status=201)


class Links(ApiView):
    """`/challenges/{number}/links`."""

    @operation(
        on_object(Action.CASE_WORK),
        name="challenges_link",
        summary="Link two cases",
        body=LinkIn,
        answers={201: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Two cases of one workspace that concern each other."""
        about(call, number)
        services.link(
            principal=call.principal, case_id=number, other_id=call.body["other"], why=call.body["why"]
        )
        return shown(call, number, status=201)


class Verdict(ApiView):
    """`/challenges/{number}/decision`."""

    @operation(
        on_object(Action.CASE_DECIDE),
        name="challenges_decide",
        summary="Decide a case",
        body=VerdictIn,
        answers={200: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Closes the case, or where `two_roles` is asked for, waits for another person. Persons only."""
        about(call, number)
        services.decide(
            principal=call.principal,
            case_id=number,
            seen_version=call.body["version"],
            outcome=call.body["outcome"],
            reason=call.body["reason"],
        )
        return shown(call, number)


class Confirmation(ApiView):
    """`/challenges/{number}/confirmation`."""

    @operation(
        on_object(Action.CASE_DECIDE),
        name="challenges_confirm",
        summary="Confirm a decision",
        body=ConfirmationIn,
        answers={200: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Closes the case. Whoever decided it is refused, from whatever account."""
        about(call, number)
        services.confirm(
            principal=call.principal,
            case_id=number,
            seen_version=call.body["version"],
            comment=call.body["comment"],
        )
        return shown(call, number)


class SendingBack(ApiView):
    """`/challenges/{number}/sending-back`."""

    @operation(
        on_object(Action.CASE_DECIDE),
        name="challenges_send_back",
        summary="Send a decision back",
        body=ReasonedIn,
        answers={200: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Not confirmed: the case is open again."""
        about(call, number)
        services.send_back(
            principal=call.principal,
            case_id=number,
            seen_version=call.body["version"],
            reason=call.body["reason"],
        )
        return shown(call, number)


class Reopening(ApiView):
    """`/challenges/{number}/reopening`."""

    @operation(
        on_object(Action.CASE_WORK),
        name="challenges_reopen",
        summary="Open a closed case again",
        body=ReasonedIn,
        answers={200: CaseOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """Its decision stays on record and does not count any more."""
        about(call, number)
        services.reopen(
            principal=call.principal,
            case_id=number,
            seen_version=call.body["version"],
            reason=call.body["reason"],
        )
        return shown(call, number)


class Pack(ApiView):
    """`/challenges/{number}/pack`."""

    @operation(
        on_object(Action.PACK_EXPORT),
        name="challenges_pack",
        summary="Make an evidence pack",
        answers={200: PackOut},
        problems=(409,),
    )
    def post(self, call: Call, number: int) -> Response:
        """A ZIP that convinces who trusts nobody here. That it was taken goes on record."""
        about(call, number)
        made = services.evidence_pack(number, actor=call.principal)
        told = {"filename": made.filename, "sha256": made.sha256, "zip_base64": b64encode(made.data).decode()}
        return Response(dict(PackOut(told).data))


def about(call: Call, number: int) -> CaseRow:
    """The case that the call is about from now on: what a refusal goes on record for."""
    row = case_row(call.principal, number)
    endpoint = ref("endpoint", row.endpoint_id) if row.endpoint_id is not None else ""
    call.about = About(ref("case", row.id), row.workspace_id, endpoint)
    return row


def shown(call: Call, number: int, *, status: int = 200) -> Response:
    """The case as it is by now."""
    return Response(detail(case_page(call.principal, number)), status=status)


def _filters(call: Call) -> QueueFilters:
    query = call.query
    slug, name = query.get("workspace"), query.get("endpoint")
    if slug is None and name is not None:
        raise Invalid({"endpoint": [_NO_NAME]})
    workspace_id = access.workspace_by_slug(call.principal, slug).id if slug is not None else None
    return QueueFilters(
        workspace_id=workspace_id,
        endpoint_id=endpoint_id_by_name(workspace_id, name) if workspace_id is not None and name else None,
        model=query.get("model", ""),
        reference=query.get("reference", ""),
        asked_id=query.get("id", ""),
    )
