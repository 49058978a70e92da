"""What the executor writes down, and that it may only do so under lease, epoch, generation and goal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from endpoints.access.models import User
from endpoints.audit.models import Entry
from endpoints.azure_gateway.records import Accepted
from endpoints.changes.decide import AttemptOutcome, Split, Wait
from endpoints.changes.executor import attempts, heartbeat, jobs, outcomes
from endpoints.changes.executor.attempts import Refusal
from endpoints.changes.executor.jobs import Fenced, Job
from endpoints.changes.executor.lease import Held, Taken, acquire, release, renew
from endpoints.changes.models import Attempt, Change, Executor, Lease
from endpoints.changes.plan import Base, put_split
from endpoints.changes.selectors import executor_state
from endpoints.changes.services.revise import add_revision
from endpoints.dispatch import db_now
from endpoints.inventory.models import ExpectedWrite
from tests.changes.desk import ALL_BLUE, ALL_GREEN, HALF, Desk, history, ledger

ME, OTHER = "host-1-a", "host-2-b"
LONG_AGO = timedelta(hours=1)


def answer(status: int = 201) -> Accepted:
    now = datetime.now(UTC)
    return Accepted(
        status=status,
        operation_uri="https://arm/op/1",
        azure_request_id="azure-1",
        correlation_id="",
        client_request_id="",
        retry_after=None,
        request_began=now,
        response_ended=now,
    )


def job_of(desk: Desk, holder: str = ME) -> Job:
    held = acquire(desk.endpoint_id, holder)
    assert isinstance(held, Held)
    job = jobs.load_job(desk.endpoint_id, holder, held.epoch)
    assert job is not None
    return job


def expire_lease() -> None:
    Lease.objects.update(expires_at=db_now() - timedelta(seconds=1))


@pytest.fixture
def started(desk: Desk) -> int:
    return desk.started()


def test_lease__free__is_taken_under_a_new_epoch_and_kept_by_its_holder(desk, started):
    assert acquire(desk.endpoint_id, ME) == Held(1)
    assert acquire(desk.endpoint_id, ME) == Held(1)


def test_lease__of_somebody_who_lives__is_not_taken(desk, started):
    acquire(desk.endpoint_id, OTHER)
    found = acquire(desk.endpoint_id, ME)
    assert isinstance(found, Taken)
    assert found.free_at == Lease.objects.get().expires_at


def test_lease__run_out__is_taken_over_at_once_under_the_next_epoch(desk, started):
    acquire(desk.endpoint_id, OTHER)
    expire_lease()
    assert acquire(desk.endpoint_id, ME) == Held(2)


def test_lease__run_out_in_mid_call__is_taken_over_only_after_the_calls_bound(desk, started):
    attempts.open_attempt(job_of(desk, OTHER))
    expire_lease()
    bound = timedelta(seconds=settings.OPSPORTAL.in_flight_bound_seconds)
    assert acquire(desk.endpoint_id, ME) == Taken(Lease.objects.get().expires_at + bound)
    Lease.objects.update(expires_at=db_now() - bound)
    assert acquire(desk.endpoint_id, ME) == Held(2)


def test_lease__given_back__is_free_and_by_others_is_not_given_back(desk, started):
    acquire(desk.endpoint_id, OTHER)
    release(desk.endpoint_id, ME)
    assert isinstance(acquire(desk.endpoint_id, ME), Taken)
    release(desk.endpoint_id, OTHER)
    assert acquire(desk.endpoint_id, ME) == Held(2)


def test_lease__renewed__lasts_longer_unless_it_ran_out_or_is_anothers(desk, started):
    acquire(desk.endpoint_id, OTHER)
    Lease.objects.update(expires_at=db_now() + timedelta(seconds=0.5))
    soon = Lease.objects.get().expires_at
    renew([desk.endpoint_id], ME)
    assert Lease.objects.get().expires_at == soon
    renew([desk.endpoint_id], OTHER)
    assert Lease.objects.get().expires_at > soon
    expire_lease()
    renew([desk.endpoint_id], OTHER)
    assert Lease.objects.get().expires_at < db_now()


def test_job__loaded_by_somebody_without_the_lease__is_fenced(desk, started):
    acquire(desk.endpoint_id, OTHER)
    with pytest.raises(Fenced):
        jobs.load_job(desk.endpoint_id, ME, 1)


def test_job__nothing_at_work__is_none(desk):
    desk.approved()
    acquire(desk.endpoint_id, ME)
    assert jobs.load_job(desk.endpoint_id, ME, 1) is None


def test_job__of_a_change__knows_base_and_target(desk, started):
    facts = job_of(desk).facts
    assert (facts.before, facts.target) == (Split.of(ALL_BLUE), Split.of(HALF))
    assert facts.last is None


def test_job__of_a_rollback__has_no_base_and_sees_the_rival_call(desk, started):
    attempts.open_attempt(job_of(desk))
    desk.roll_back()
    facts = job_of(desk).facts
    assert facts.before is None
    assert facts.last is None
    assert facts.rival_sent_at == Attempt.objects.get().sent_at


def test_job__rival_call_was_answered_or_is_past_its_bound__is_not_seen(desk, started):
    attempts.open_attempt(job_of(desk))
    desk.roll_back()
    Attempt.objects.update(outcome=AttemptOutcome.REFUSED)
    assert job_of(desk).facts.rival_sent_at is None
    Attempt.objects.update(outcome=AttemptOutcome.UNKNOWN, sent_at=db_now() - LONG_AGO)
    assert job_of(desk).facts.rival_sent_at is None


BREACHES = {
    "another epoch": lambda desk: Lease.objects.update(epoch=9),
    "another holder": lambda desk: Lease.objects.update(holder=OTHER),
    "a lease that ran out": lambda desk: expire_lease(),
    "a rollback": lambda desk: desk.roll_back(),
    "another goal": lambda desk: Lease.objects.update(goal=None),
    "a move": lambda desk: Change.objects.update(state="verifying"),
    "an end": lambda desk: Change.objects.update(state="failed", ended_at=db_now()),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_intent__after_a_breach_of_the_fence__is_not_written(desk, started, breach):
    job = job_of(desk)
    BREACHES[breach](desk)
    with pytest.raises(Fenced):
        attempts.open_attempt(job)
    assert not Attempt.objects.exists()
    assert not ExpectedWrite.objects.exists()


@pytest.mark.parametrize(
    "write",
    [
        lambda job: outcomes.accept_unanswered(job, "shown"),
        lambda job: outcomes.confirm(job, "azure-1"),
        outcomes.step_done,
        lambda job: outcomes.again(job, "once more"),
        lambda job: outcomes.drifted(job, Split.of(ALL_GREEN)),
        lambda job: outcomes.failed(job, "no"),
        lambda job: outcomes.note_operation(job, ""),
    ],
)
def test_outcome__after_a_rollback__is_not_written(desk, started, write):
    job = job_of(desk)
    desk.roll_back()
    before = (Entry.objects.count(), list(Change.objects.values_list("pk", "state", "version")))
    with pytest.raises(Fenced):
        write(job)
    assert (Entry.objects.count(), list(Change.objects.values_list("pk", "state", "version"))) == before


def test_intent__in_force__is_stamped_with_its_fence_and_announced_to_the_mirror(desk, started):
    job = job_of(desk)
    sent = attempts.open_attempt(job)
    attempt = Attempt.objects.get()
    assert (attempt.epoch, attempt.generation, attempt.outcome) == (job.epoch, job.generation, "")
    assert attempt.intended["split"] == HALF
    assert ExpectedWrite.objects.get(pk=sent.expected_id).cause == f"change:{started}"
    assert ledger(started)[-1] == "change.call.intended"


def test_answer__call_taken__moves_on_to_verifying(desk, started):
    job = job_of(desk)
    outcomes.accepted(job, attempts.open_attempt(job), answer())
    assert Attempt.objects.get().outcome == "accepted"
    assert history(started)[-1] == "verifying"


def test_answer__goal_is_another_by_now__is_kept_and_moves_nothing(desk, started):
    job = job_of(desk)
    sent = attempts.open_attempt(job)
    desk.roll_back()
    outcomes.accepted(job, sent, answer())
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.status, attempt.operation_uri) == ("accepted", 201, "https://arm/op/1")
    assert desk.state(started) == "superseded"


def test_answer__comes_after_the_call_was_judged__does_not_change_the_judgement(desk, started):
    job = job_of(desk)
    sent = attempts.open_attempt(job)
    outcomes.accept_unanswered(job, "shown")
    outcomes.refused(job, sent, Refusal(unknown=True, status=None, text="too late"), fatal="")
    assert Attempt.objects.get().outcome == "adopted"
    assert Attempt.objects.get().error == "too late"


def test_refusal__for_now__waits_longer_each_time_and_takes_the_announcement_back(desk, started):
    pauses = []
    for _ in range(3):
        job = job_of(desk)
        outcomes.refused(job, attempts.open_attempt(job), Refusal(False, 409, "busy\x00"), fatal="")
        newest = attempts.newest(job)
        pauses.append((newest.retry_at - newest.ended_at).total_seconds())
    assert pauses == sorted(pauses)
    assert pauses[2] > 3 * pauses[0]
    assert not ExpectedWrite.objects.filter(cancelled_at=None).exists()
    assert desk.state(started) == "applying"


def test_refusal__for_good__fails_the_change_with_the_reason(desk, started):
    job = job_of(desk)
    outcomes.refused(job, attempts.open_attempt(job), Refusal(False, 400, "no"), fatal="Azure refused: no")
    assert desk.change(started).waiting_for == "Azure refused: no"
    assert history(started)[-1] == "failed"
    assert Lease.objects.get().goal_id is None


def test_refusal__for_good_of_a_call_whose_goal_is_another_by_now__fails_nobody(desk, started):
    job = job_of(desk)
    sent = attempts.open_attempt(job)
    rollback_id = desk.roll_back().change_id
    outcomes.refused(job, sent, Refusal(False, 400, "no"), fatal="Azure refused: no")
    assert desk.state(rollback_id) == "applying"
    assert desk.state(started) == "superseded"


def test_adoption__of_several_unanswered_calls__explains_one_and_leaves_the_newer_open(desk, started):
    for _ in range(2):
        job = job_of(desk)
        outcomes.refused(job, attempts.open_attempt(job), Refusal(True, 503, "?"), fatal="")
    outcomes.accept_unanswered(job_of(desk), "shown")
    assert [one.outcome for one in Attempt.objects.order_by("pk")] == ["adopted", "unknown"]


def test_adoption__where_an_older_call_was_taken__leaves_the_newer_open(desk, started):
    """Its answer came after another process had taken over and called again."""
    first = attempts.open_attempt(job_of(desk))
    job = job_of(desk)
    outcomes.refused(job, attempts.open_attempt(job), Refusal(True, None, "?"), fatal="")
    Attempt.objects.filter(pk=first.attempt_id).update(outcome=AttemptOutcome.ACCEPTED)
    outcomes.accept_unanswered(job_of(desk), "shown")
    assert [one.outcome for one in Attempt.objects.order_by("pk")] == ["accepted", "unknown"]
    assert history(started)[-1] == "verifying"


def test_end__of_whatever_kind__takes_every_announcement_back(desk, started):
    job = job_of(desk)
    outcomes.accepted(job, attempts.open_attempt(job), answer())
    outcomes.step_done(job_of(desk))
    assert desk.state(started) == "succeeded"
    assert not ExpectedWrite.objects.filter(cancelled_at=None, matched_at=None).exists()


def test_steps__in_order__the_second_begins_from_the_first_and_ends_the_change(desk):
    change_id = desk.started()
    change = desk.change(change_id)
    change.revision = 2
    base = job_of(desk).facts.before
    steps = (put_split(HALF, {}), put_split(ALL_GREEN, {}))
    add_revision(
        change=change, editor_id=change.author_id, steps=steps, base=Base(base.live, base.mirror, "s")
    )
    Change.objects.filter(pk=change_id).update(revision=2)
    for expected in (Split.of(HALF), Split.of(ALL_GREEN)):
        job = job_of(desk)
        assert job.facts.target == expected
        assert job.facts.last is None
        outcomes.accepted(job, attempts.open_attempt(job), answer())
        outcomes.confirm(job_of(desk), "azure-1")
        outcomes.step_done(job_of(desk))
    assert history(change_id)[-5:] == ["applying", "verifying", "applying", "verifying", "succeeded"]
    assert [one.outcome for one in Attempt.objects.order_by("pk")] == ["confirmed", "confirmed"]


def test_wait__on_the_page__says_why_and_never_touches_an_ended_change(desk, started):
    job = job_of(desk)
    outcomes.waiting(job, Wait(db_now(), "Azure is busy.", "look"))
    assert (desk.change(started).waiting_for, desk.change(started).attention) == ("Azure is busy.", "look")
    desk.roll_back()
    outcomes.waiting(job, Wait(db_now(), "Something else."))
    assert desk.change(started).waiting_for == ""


def test_confirmation__after_a_wait__clears_what_was_waited_for(desk, started):
    job = job_of(desk)
    outcomes.waiting(job, Wait(db_now(), "Azure is busy.", "look"))
    outcomes.confirm(job, "azure-1")
    assert (desk.change(started).waiting_for, desk.change(started).attention) == ("", "")
    assert ledger(started)[-1] == "change.confirmed"


def test_stumbling__five_times_in_a_row__sets_aside_for_a_while_and_comes_back(desk, started):
    for _ in range(jobs.POISON):
        assert [one.change_id for one in jobs.due()] == [started]
        outcomes.stumbled(desk.endpoint_id, "ValueError: odd\x00.")
    assert jobs.due() == []
    assert "ValueError: odd." in desk.change(started).attention
    Change.objects.update(next_check_at=db_now())
    assert [one.change_id for one in jobs.due()] == [started]
    outcomes.recovered(job_of(desk))
    assert desk.change(started).failures == 0


def test_stumbling__set_aside__does_not_keep_anybody_from_rolling_back(desk, started):
    for _ in range(jobs.POISON):
        outcomes.stumbled(desk.endpoint_id, "ValueError.")
    rollback_id = desk.roll_back().change_id
    assert [one.change_id for one in jobs.due()] == [rollback_id]


def test_heartbeat__of_an_executor__is_what_pages_see(db):
    assert not executor_state().alive
    heartbeat.beat(ME)
    assert executor_state().alive
    Executor.objects.update(beat_at=db_now() - timedelta(seconds=16))
    assert not executor_state().alive


def test_heartbeat__of_one_long_dead__is_forgotten(db):
    heartbeat.beat(OTHER)
    Executor.objects.update(beat_at=db_now() - timedelta(hours=2))
    heartbeat.beat(ME)
    assert [one.name for one in Executor.objects.all()] == [ME]


def test_call__made_by_the_executor__is_on_record_on_behalf_of_who_started_it(desk, started):
    attempts.open_attempt(job_of(desk))
    entry = Entry.objects.order_by("seq").last()
    assert entry.actor == "system:executor"
    assert f"user:{User.objects.get(pk=desk.operator.pk).pk}" in bytes(entry.body).decode()
