"""Asking deployments directly: what counts, what is kept, and what checks say by it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from endpoints.audit.models import Entry
from endpoints.azure_gateway.errors import Forbidden, Unreachable
from endpoints.azure_gateway.records import EntraCredential, KeyFrom, ProbeAnswer
from endpoints.changes.models import Change, Check, Probe, Sample
from endpoints.changes.probing import ANSWERS, FRESH, SAME_SHAPE, Direct, Probed, checks, judge
from endpoints.changes.schema import shape_of
from endpoints.changes.selectors import newest_probes, probes, sample_of
from endpoints.changes.services import probe_now, set_sample
from endpoints.changes.services.probe import probe_deployments, probe_endpoint
from endpoints.changes.services.recheck import due_changes, due_endpoints, recheck
from endpoints.changes.services.sample import MOST_BYTES
from endpoints.changes.verdict import Outcome
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint
from tests.changes.desk import HALF, history, ledger
from tests.support.people import make_person, principal

BODY = '{"input_data": [[1, 2]]}'
SHAPE = shape_of({"score": 1})
URI = "https://kv.vault.azure.net/secrets/checkout-key"


def answer(status=200, body=b'{"score": 0.4}', deployment="", error="", **more):
    return ProbeAnswer(
        **{
            "status": status,
            "seconds": 0.08,
            "deployment": deployment,
            "request_id": "r",
            "body": body,
            "truncated": False,
            "error": error,
        }
        | more
    )


class Scoring:
    """Answers each deployment with what it was given; `asked` is what was sent."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    @asynccontextmanager
    async def connect(self, settings, *, clock):
        yield self

    async def probe(self, scoring_uri, deployment, body, *, credential):
        self.asked.append((scoring_uri, deployment, body, credential))
        told = self.answers.get(deployment, answer())
        if isinstance(told, Exception):
            raise told
        return told


def sample(desk, **more):
    return set_sample(
        **{
            "principal": principal(desk.operator),
            "endpoint_id": desk.endpoint_id,
            "body": BODY,
            "synthetic": True,
        }
        | more
    )


def ask(desk, **answers):
    """Every deployment, by an endpoint that takes the portal's own identity."""
    Endpoint.objects.filter(pk=desk.endpoint_id).update(auth_mode="AADToken", scoring_uri="https://x/score")
    scoring = Scoring(**answers)
    probe_endpoint(endpoint_id=desk.endpoint_id, connecting=scoring.connect)
    return scoring


def verdicts(desk, change_id):
    """The newest kept checks, by name."""
    return {row.name: row for row in Check.objects.filter(change_id=change_id).order_by("pk")}


def judged(**changes):
    told = {
        "status": 200,
        "seconds": 0.08,
        "answered": "green",
        "body": b"{}",
        "truncated": False,
        "error": "",
    }
    return judge("green", **(told | changes))


@pytest.mark.parametrize(
    ("changes", "outcome", "words"),
    [
        ({}, Outcome.PASS, "200 in 80 ms"),
        ({"answered": ""}, Outcome.PASS, "200"),
        ({"answered": "GREEN"}, Outcome.PASS, "200"),
        ({"answered": "blue"}, Outcome.FAIL, "blue answered in its place"),
        ({"body": b"hello"}, Outcome.PASS, "no JSON"),
        ({"body": b"[" * 100_000}, Outcome.PASS, "no JSON"),
        ({"truncated": True}, Outcome.PASS, "too long"),
        ({"status": 424, "error": "Its model answered 500."}, Outcome.FAIL, "model answered 500"),
        ({"status": 404}, Outcome.FAIL, "404"),
        ({"status": 400}, Outcome.FAIL, "400"),
        ({"status": 401}, Outcome.INCONCLUSIVE, "Not possible"),
        ({"status": 403}, Outcome.INCONCLUSIVE, "Not possible"),
        ({"status": 429}, Outcome.INCONCLUSIVE, "too busy"),
    ],
)
def test_judge__an_answer__by_what_it_says(changes, outcome, words):
    found = judged(**changes)
    assert found.outcome is outcome
    assert words in found.reason.replace("\u00a0", " ")


def probed(outcome=Outcome.PASS, age=5.0, shape=SHAPE):
    return Probed(outcome, "It answered.", age, shape)


def told(steps=1, **changes):
    """Both checks' outcomes and words."""
    direct = Direct(
        **{
            "sampled": True,
            "candidates": ["green"],
            "stables": ["blue"],
            "probes": {"green": probed(), "blue": probed()},
        }
        | changes
    )
    return {verdict.name: verdict for verdict in checks(direct, steps=steps)}


def test_checks__both_answer_alike__pass():
    found = told()
    assert [verdict.outcome for verdict in found.values()] == [Outcome.PASS, Outcome.PASS]


def test_checks__without_a_sample__are_left_out_of_one_step_and_told_to_a_plan():
    assert told(sampled=False, probes={}) == {}
    (only,) = told(steps=2, sampled=False, probes={}).values()
    assert (only.name, only.outcome, only.acceptable) == (ANSWERS, Outcome.INCONCLUSIVE, True)


@pytest.mark.parametrize(
    ("green", "outcome", "blocks", "words"),
    [
        (None, Outcome.INCONCLUSIVE, False, "being probed"),
        (probed(age=FRESH.total_seconds() + 60), Outcome.INCONCLUSIVE, False, "too long ago"),
        (probed(Outcome.FAIL), Outcome.FAIL, True, "green"),
        (probed(Outcome.ERROR), Outcome.ERROR, False, "green"),
        (probed(Outcome.INCONCLUSIVE), Outcome.INCONCLUSIVE, False, "green"),
    ],
)
def test_check_answers__what_is_not_known__is_no_pass_and_what_failed_blocks(green, outcome, blocks, words):
    found = told(probes={"blue": probed()} | ({"green": green} if green else {}))[ANSWERS]
    assert (found.outcome, found.blocks) == (outcome, blocks)
    assert found.needs_acceptance is not blocks
    assert words in found.reason


@pytest.mark.parametrize(
    ("green", "outcome", "words"),
    [
        (shape_of({"score": "1"}), Outcome.FAIL, "is string, not number"),
        (shape_of({}), Outcome.FAIL, "has no score"),
        (shape_of({"score": 1, "more": 2}), Outcome.WARN, "green's answer.more"),
        ({}, Outcome.INCONCLUSIVE, "not known"),
    ],
)
def test_check_shape__against_the_stable__fails_on_what_is_lost_and_warns_of_what_is_new(
    green, outcome, words
):
    found = told(probes={"green": probed(shape=green), "blue": probed()})[SAME_SHAPE]
    assert found.outcome is outcome
    assert words in found.reason


def test_check_shape__told_with_the_sample__comes_before_the_stables():
    found = told(wanted=shape_of({"score": 1, "label": ""}))[SAME_SHAPE]
    assert found.outcome is Outcome.FAIL
    assert "by the shape set with the sample" in found.reason


def test_check_shape__nobody_to_compare_with__is_inconclusive():
    assert told(stables=[], probes={"green": probed()})[SAME_SHAPE].outcome is Outcome.INCONCLUSIVE
    assert told(probes={"green": probed()})[SAME_SHAPE].outcome is Outcome.INCONCLUSIVE


def test_set_sample__made_up__is_kept_and_told_to_the_ledger_without_its_body(desk):
    number = sample(desk, answer_schema={"type": "object"})
    found = sample_of(desk.endpoint_id)
    assert (found.id, found.body, found.secret_uri) == (number, BODY, "")
    entry = Entry.objects.filter(action="sample.set").get()
    assert b"input_data" not in bytes(entry.body)
    assert entry.after is not None and entry.after["bytes"] == len(BODY)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"body": "{"}, "body"),
        ({"body": json.dumps("x" * MOST_BYTES)}, "body"),
        ({"body": "[" * 30_000}, "body"),
        ({"synthetic": False}, "synthetic"),
        ({"secret_uri": "https://evil.example/secrets/key"}, "secret_uri"),
        ({"secret_uri": "http://kv.vault.azure.net/secrets/key"}, "secret_uri"),
        ({"answer_schema": {"type": "date"}}, "answer_schema"),
    ],
)
def test_set_sample__that_can_not_be_used__is_refused_and_nothing_is_stored(desk, wrong, field):
    with pytest.raises(Invalid) as error:
        sample(desk, **wrong)
    assert list(error.value.fields) == [field]
    assert not Sample.objects.exists()


def test_set_sample__by_somebody_without_the_role__is_refused(desk, supervisor, workspace):
    with pytest.raises(Refused):
        sample(desk, principal=principal(supervisor))
    with pytest.raises(NotFound):
        sample(desk, principal=principal(make_person("olga")))


def test_set_sample__empty__ends_the_probing(desk):
    sample(desk)
    sample(desk, body="", synthetic=False)
    assert sample_of(desk.endpoint_id) is None
    assert ask(desk).asked == []
    with pytest.raises(Conflict):
        probe_now(principal=principal(desk.operator), endpoint_id=desk.endpoint_id)


def test_probe__of_every_deployment__keeps_outcome_time_and_shape_and_no_answer(desk):
    number = sample(desk)
    scoring = ask(desk, green=answer(status=424, error="Its model answered 500."))
    assert [(one[0], one[1], one[2]) for one in scoring.asked] == [
        ("https://x/score", name, BODY.encode()) for name in ("blue", "green")
    ]
    assert all(isinstance(one[3], EntraCredential) for one in scoring.asked)
    found = newest_probes(desk.endpoint_id)
    assert (found["blue"].outcome, found["blue"].status, found["blue"].shape) == (Outcome.PASS, 200, SHAPE)
    assert found["green"].outcome is Outcome.FAIL
    assert set(Probe.objects.values_list("sample", flat=True)) == {number}
    assert Entry.objects.filter(action="probe.made").count() == 2


def test_probe__with_a_secret_named__gets_in_by_it(desk):
    sample(desk, secret_uri=URI)
    Endpoint.objects.update(auth_mode="Key", scoring_uri="https://x/score")
    scoring = Scoring()
    probe_endpoint(endpoint_id=desk.endpoint_id, connecting=scoring.connect)
    assert {one[3] for one in scoring.asked} == {KeyFrom(URI)}


@pytest.mark.parametrize(
    ("error", "outcome", "words"),
    [
        (Forbidden("The identity lacks a role."), Outcome.INCONCLUSIVE, "Not possible"),
        (Unreachable("Nobody answers."), Outcome.ERROR, "could not be asked"),
    ],
)
def test_probe__without_an_answer__is_neither_a_pass_nor_a_failure(desk, error, outcome, words):
    sample(desk)
    ask(desk, green=error)
    found = newest_probes(desk.endpoint_id)["green"]
    assert found.outcome is outcome
    assert words in found.reason


@pytest.mark.parametrize(("auth_mode", "uri"), [("Key", "https://x/score"), ("AADToken", "")])
def test_probe__that_is_not_possible__sends_nothing_and_says_why(desk, auth_mode, uri):
    sample(desk)
    Endpoint.objects.update(auth_mode=auth_mode, scoring_uri=uri)
    scoring = Scoring()
    probe_endpoint(endpoint_id=desk.endpoint_id, connecting=scoring.connect)
    assert scoring.asked == []
    assert newest_probes(desk.endpoint_id)["blue"].reason.startswith("Not possible")


def test_probes__newest_first__page(desk):
    sample(desk)
    ask(desk)
    ask(desk)
    first = probes(desk.endpoint_id, limit=3)
    rest = probes(desk.endpoint_id, limit=3, before=first.next_before)
    assert [len(first.rows), len(rest.rows), rest.next_before] == [3, 1, None]
    assert first.rows[0].id > first.rows[-1].id > rest.rows[0].id


def test_request__with_a_sample__is_told_that_it_is_being_probed_and_judged_again(desk):
    sample(desk)
    change_id = desk.request(HALF)
    assert desk.state(change_id) == "in_review"
    assert "being probed" in verdicts(desk, change_id)[ANSWERS].reason
    ask(desk, green=answer(status=424, error="Its model answered 500."))
    recheck(change_id=change_id)
    assert desk.state(change_id) == "check_failed"
    assert verdicts(desk, change_id)[ANSWERS].outcome == "fail"
    ask(desk)
    recheck(change_id=change_id)
    assert desk.state(change_id) == "in_review"
    assert verdicts(desk, change_id)[SAME_SHAPE].outcome == "pass"
    assert history(change_id)[-2:] == ["checking", "in_review"]
    assert "change.check_failed" in ledger(change_id)


def test_request__answers_to_an_earlier_sample__do_not_count(desk):
    sample(desk)
    ask(desk)
    sample(desk, body='{"other": 1}')
    change_id = desk.request(HALF)
    assert "being probed" in verdicts(desk, change_id)[ANSWERS].reason


def test_recheck__of_an_approved_change__keeps_the_approval_and_only_tells(desk):
    sample(desk)
    ask(desk)
    change_id = desk.approved()
    ask(desk, green=answer(status=424))
    recheck(change_id=change_id)
    assert desk.state(change_id) == "approved"
    assert verdicts(desk, change_id)[ANSWERS].outcome == "fail"
    with pytest.raises(Conflict, match=ANSWERS):
        desk.start(change_id)


def test_due__changes_that_wait__are_asked_again_and_endpoints_twice_a_day(desk):
    assert (due_changes(), due_endpoints()) == ([], [])
    sample(desk)
    change_id = desk.request(HALF)
    assert (due_changes(), due_endpoints()) == ([change_id], [desk.endpoint_id])
    scoring = Scoring()
    probe_deployments(
        endpoint_id=desk.endpoint_id,
        deployments=["blue", "green"],
        change_id=change_id,
        connecting=scoring.connect,
    )
    assert (due_changes(), due_endpoints()) == ([], [])
    later = db_now() + timedelta(minutes=30)
    assert (due_changes(now=later), due_endpoints(now=later)) == ([change_id], [])
    assert due_endpoints(now=db_now() + timedelta(hours=13)) == [desk.endpoint_id]
    Change.objects.update(state="withdrawn", ended_at=db_now())
    assert due_changes() == []
