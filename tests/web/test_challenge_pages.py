"""The supervisor's way: paste an id, raise a case, decide it, by forms alone."""

from __future__ import annotations

import re
from datetime import timedelta

from django.http import HttpResponse
from django.test import Client

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.challenges import services
from endpoints.challenges.lifecycle import State
from endpoints.challenges.models import Case, Evidence, LegalHold, Link, Policy
from endpoints.inventory.models import Endpoint
from tests.challenges.cases import (
    QUESTION,
    REASON,
    decide,
    endpoint,
    grown_older,
    raised,
    record,
    second,
    two_people,
)
from tests.challenges.recording import ago, guid
from tests.support.people import make_person, principal
from tests.web.conftest import SignIn
from tests.web.reading import read, words

__all__ = ["endpoint", "second"]
NEW = "/challenges/new"


def main(answer: HttpResponse) -> str:
    return words(read(answer.content).one("main").text)


def address(case: Case, what: str = "") -> str:
    return f"/challenges/CH-{case.pk}{what}"


def seen(client: Client, case: Case) -> str:
    """The version that a form of the page sends."""
    found = re.search(r'name="seen" value="(\d+)"', client.get(address(case)).content.decode())
    assert found is not None
    return found[1]


def test_challenge__from_a_pasted_id_to_a_verdict__takes_two_forms(
    sign_in: SignIn, supervisor: User, endpoint: Endpoint
) -> None:
    asked, client = record(endpoint, confidence=0.62), sign_in(supervisor)
    page = read(client.get(f"{NEW}?cid={asked}").content)
    assert "One record" in words(page.one("main").text)
    form = {one.attributes["name"]: one.attributes["value"] for one in page.all("input", type="hidden")}
    answer = client.post(NEW, form | {"question": QUESTION, "reference": "F-8841"})
    case = Case.objects.get()
    assert answer["Location"] == address(case)
    said = main(client.get(address(case)))
    for text in (
        f"“{QUESTION}”", "blue answered, with", "certain", "1 What answered", "2 Traffic then", "3 Health then",
        "4 What is not here", "not stored", "Same-day answer", "of 8 h", "F-8841",
    ):  # fmt: skip
        assert text in said, text
    sent = {"do": "decide", "seen": seen(client, case), "outcome": "overturned", "reason": REASON}
    assert client.post(address(case, "/verdict"), sent)["Location"] == address(case)
    said = main(client.get(address(case)))
    assert "Closed: overturned" in said
    assert f"“{REASON}”" in said
    assert "overturned, on evidence no. 1" in said


def test_challenge__sent_twice_by_a_double_click__is_one_case(
    sign_in: SignIn, supervisor: User, endpoint: Endpoint
) -> None:
    asked, client = record(endpoint), sign_in(supervisor)
    page = read(client.get(f"{NEW}?cid={asked}").content)
    form = {one.attributes["name"]: one.attributes["value"] for one in page.all("input", type="hidden")}
    places = [client.post(NEW, form | {"question": QUESTION})["Location"] for _ in range(2)]
    assert places[0] == places[1]
    assert Case.objects.count() == 1


def test_challenge__of_an_id_that_two_records_have__is_chosen_on_its_page(
    sign_in: SignIn, supervisor: User, endpoint: Endpoint
) -> None:
    for number in (1, 2):
        record(endpoint, number, ago(hours=number), client_id="retried")
    client = sign_in(supervisor)
    page = read(client.get(f"{NEW}?cid=retried").content)
    assert len(page.all("input", type="radio", name="record")) == 3
    assert client.post(NEW, {"cid": "retried", "question": QUESTION, "record": ""}).status_code == 302
    case = Case.objects.get()
    assert case.key == ""
    page = read(client.get(address(case)).content)
    assert "nothing is guessed" in words(page.one("main").text)
    value = page.all("input", type="radio", name="record")[1].attributes["value"]
    wrong = client.post(
        address(case, "/work"), {"do": "choose", "record": "1|x|y", "seen": str(case.version)}
    )
    assert wrong.status_code == 422
    sent = {"do": "choose", "record": value, "seen": str(case.version)}
    assert client.post(address(case, "/work"), sent).status_code == 302
    case.refresh_from_db()
    assert case.key == f"r:{guid(2)}"


def test_challenge__of_an_id_without_record__says_so_and_can_be_raised_by_endpoint_and_time(
    sign_in: SignIn, supervisor: User, endpoint: Endpoint
) -> None:
    client = sign_in(supervisor)
    assert "No record for this id" in main(client.get(f"{NEW}?cid=lost"))
    typed = {"cid": "lost", "question": QUESTION}
    answer = client.post(NEW, typed)
    assert answer.status_code == 422
    assert "Choose the workspace" in main(answer)
    answer = client.post(NEW, typed | {"ws": "mlw-prod-weu", "endpoint": "no-such", "question": ""})
    assert answer.status_code == 422
    assert read(answer.content).one("input", name="endpoint").attributes["value"] == "no-such"
    sent = typed | {
        "ws": "mlw-prod-weu",
        "endpoint": "checkout-risk",
        "asked_at": f"{ago(minutes=1):%Y-%m-%dT%H:%M}",
    }
    assert client.post(NEW, sent).status_code == 302
    said = main(client.get(address(Case.objects.get())))
    assert "it does not say what this request got" in said


def test_case__decided_after_something_happened__shows_what_is_new_and_keeps_what_was_typed(
    sign_in: SignIn, supervisor: User, second: User, endpoint: Endpoint
) -> None:
    case, client = raised(supervisor, endpoint, record(endpoint)), sign_in(supervisor)
    old = seen(client, case)
    services.comment(principal=principal(second), case_id=case.pk, text="A second picture came in.")
    sent = {"do": "decide", "seen": old, "outcome": "stands", "reason": REASON}
    answer = client.post(address(case, "/verdict"), sent)
    assert answer.status_code == 409
    page = read(answer.content)
    assert "New since you opened it" in words(page.one("main").text)
    assert "A second picture came in." in words(page.one("main").text)
    assert page.one("textarea", id="f-reason").text.strip() == REASON
    assert "checked" in page.one("input", name="outcome", value="stands").attributes
    case.refresh_from_db()
    assert case.state == State.OPEN


def test_case__under_two_roles__is_confirmed_by_another_person_and_says_why_not_by_oneself(
    sign_in: SignIn, supervisor: User, second: User, admin: User, workspace: Workspace, endpoint: Endpoint
) -> None:
    two_people(admin, workspace)
    case = decide(supervisor, raised(supervisor, endpoint, record(endpoint)))
    mine, theirs = sign_in(supervisor), sign_in(second)
    assert "You decided this case, so somebody else has to confirm it." in main(mine.get(address(case)))
    sent = {"do": "confirm", "seen": str(case.version), "reason": ""}
    assert mine.post(address(case, "/verdict"), sent).status_code == 403
    assert "Challenges 1" in words(read(theirs.get("/challenges").content).one("nav", aria_label="Main").text)
    back = theirs.post(address(case, "/verdict"), sent | {"do": "send_back"})
    assert back.status_code == 422
    assert theirs.post(address(case, "/verdict"), sent).status_code == 302
    case.refresh_from_db()
    assert case.state == State.CLOSED


def test_case__worked_on__is_assigned_commented_linked_and_collected_again(
    sign_in: SignIn, supervisor: User, second: User, endpoint: Endpoint
) -> None:
    one, two = (raised(supervisor, endpoint, record(endpoint, number)) for number in range(2))
    client, work = sign_in(supervisor), address(one, "/work")
    assert client.post(work, {"do": "assign", "assigned_to": second.pk}).status_code == 302
    assert client.post(work, {"do": "comment", "comment": "<b>Look</b>"}).status_code == 302
    assert client.post(work, {"do": "link", "other": f"ch-{two.pk}", "why": "same person"}).status_code == 302
    assert client.post(work, {"do": "collect", "seen": seen(client, one)}).status_code == 302
    said = main(client.get(address(one)))
    for text in (
        "Assigned to Saul",
        "“<b>Look</b>”",
        "same person",
        "It says the same as evidence no. 1",
        "2 challenged",
    ):
        assert text in said, text
    assert Evidence.objects.filter(case=one).count() == 2
    assert Link.objects.count() == 1
    for wrong in (
        {"do": "link", "other": "x", "why": "y"},
        {"do": "assign", "assigned_to": "x"},
        {"do": "comment"},
        {},
    ):
        assert client.post(work, wrong).status_code == 422


def test_evidence__taken_as_a_file__is_the_bytes_of_the_recorded_hash(
    sign_in: SignIn, supervisor: User, endpoint: Endpoint
) -> None:
    case, client = raised(supervisor, endpoint, record(endpoint)), sign_in(supervisor)
    answer = client.get(address(case, "/evidence/1.json"))
    assert answer.content == bytes(Evidence.objects.get(case=case).document)
    assert client.get(address(case, "/evidence/2.json")).status_code == 404
    read_once = Entry.objects.filter(action="evidence.read", subject=f"case:{case.pk}")
    assert read_once.count() == 1
    assert read_once.get().actor == f"user:{supervisor.pk}"


def test_evidence__altered_in_the_database__is_not_shown_as_if_nothing_were(
    sign_in: SignIn, supervisor: User, endpoint: Endpoint
) -> None:
    case = raised(supervisor, endpoint, record(endpoint))
    whole = Evidence.objects.get(case=case)
    forged = bytes(whole.document).replace(b"certain", b"certain  ")
    Evidence.objects.create(
        case=case,
        number=2,
        document=forged,
        sha256=whole.sha256,
        collected_by="user:1",
        collected_at=whole.collected_at,
    )
    page = sign_in(supervisor).get(address(case))
    assert page.status_code == 200
    assert "Do not rely on them" in main(page)


def test_hold_and_erasure__by_forms_of_two_people(
    sign_in: SignIn, supervisor: User, second: User, endpoint: Endpoint
) -> None:
    case = decide(supervisor, raised(supervisor, endpoint, record(endpoint), claimant="D. Lund"))
    mine, theirs, hold = sign_in(supervisor), sign_in(second), address(case, "/hold")
    asked = {"do": "ask", "since": "2026-11-01T00:00", "until": "2026-11-02T00:00", "reason": "A court"}
    assert mine.post(hold, asked | {"since": "x"}).status_code == 422
    assert mine.post(hold, asked).status_code == 302
    number = LegalHold.objects.get().pk
    assert mine.post(hold, {"do": "agree", "hold": number}).status_code == 403
    assert theirs.post(hold, {"do": "agree", "hold": number}).status_code == 302
    assert "In force" in main(mine.get(address(case)))
    erase = address(case, "/erase")
    assert mine.post(erase, {"do": "ask", "reason": "Art. 17"}).status_code == 409
    assert theirs.post(hold, {"do": "end", "hold": number, "reason": "Settled"}).status_code == 302
    assert mine.post(erase, {"do": "ask", "reason": "Art. 17"}).status_code == 302
    assert mine.post(erase, {"do": "agree"}).status_code == 403
    assert "Waits for a second person" in main(theirs.get("/challenges/erasures"))
    assert theirs.post(erase, {"do": "agree"}).status_code == 302
    said = main(mine.get(address(case)))
    assert "“[erased]”" in said
    assert "D. Lund" not in said
    assert "Erased" in main(theirs.get("/challenges/erasures"))


def test_queue__shows_clocks_and_filters_and_exports(
    sign_in: SignIn, supervisor: User, endpoint: Endpoint
) -> None:
    one, two = (
        raised(supervisor, endpoint, record(endpoint, number), reference=f"F-{number}") for number in range(2)
    )
    grown_older(two, timedelta(hours=9))
    client = sign_in(supervisor)
    said = main(client.get("/challenges"))
    assert said.index(f"CH-{two.pk}") < said.index(f"CH-{one.pk}")
    assert "Open, over its time" in said
    assert "9 h of 8 h" in said
    said = main(client.get("/challenges?state=due"))
    assert (f"CH-{two.pk}" in said, f"CH-{one.pk}" in said) == (True, False)
    said = main(client.get("/challenges?state=open&reference=F-0"))
    assert (f"CH-{two.pk}" in said, f"CH-{one.pk}" in said) == (False, True)
    assert "No case matches" in main(client.get("/challenges?state=open&model=none:1"))
    assert client.get("/challenges?state=open&format=json").json()["count"] == 2
    assert client.get("/challenges?state=open&format=csv").content.count(b"\r\n") == 3


def test_queue__longer_than_a_page__goes_on_by_key(
    sign_in: SignIn, supervisor: User, endpoint: Endpoint
) -> None:
    record(endpoint)
    for _ in range(51):
        raised(supervisor, endpoint, "lost")
    client = sign_in(supervisor)
    page = read(client.get("/challenges?state=open").content)
    assert len(page.all("a", data_row_link="")) == 50
    following = page.one("a", rel="next").attributes["href"]
    assert len(read(client.get(following).content).all("a", data_row_link="")) == 1


def test_case__of_another_workspace_or_without_the_power__is_not_there_or_refused(
    sign_in: SignIn, supervisor: User, reviewer: User, finops: User, outsider: User, endpoint: Endpoint
) -> None:
    case = raised(supervisor, endpoint, record(endpoint))
    assert sign_in(outsider).get(address(case)).status_code == 404
    assert sign_in(finops).get(address(case)).status_code == 403
    page = read(sign_in(reviewer).get(address(case)).content)
    assert page.all("form", aria_label="Your verdict") == []
    assert "Needs the role supervisor" in words(page.one("main").text)
    assert page.all("a", href="/challenges") != []
    assert "Challenges" not in words(
        read(sign_in(finops).get("/fleet").content).one("nav", aria_label="Main").text
    )


def test_case__searched_by_its_number__is_found(
    sign_in: SignIn, supervisor: User, endpoint: Endpoint
) -> None:
    case = raised(supervisor, endpoint, record(endpoint))
    assert sign_in(supervisor).get(f"/search?q=ch-{case.pk}")["Location"] == address(case)


def test_policy__set_by_an_administrator__is_in_force_and_mistakes_are_named(
    sign_in: SignIn, admin: User, supervisor: User, workspace: Workspace
) -> None:
    client, here = sign_in(admin), "/settings/challenge-policy/mlw-prod-weu"
    page = read(client.get(here).content)
    assert page.one("input", name="name-1").attributes["value"] == "Same-day answer"
    sent = {
        "do": "set", "name-1": "Quick", "length-1": "4,5", "unit-1": "hours", "source-1": "our word", "name-2": "Law",
        "length-2": "28", "unit-2": "days", "source-2": "GDPR Art. 12(3)", "law-2": "on", "two_roles": "on",
        "band": "0.7",
    }  # fmt: skip
    for wrong in ({"length-1": "soon"}, {"name-2": ""}, {"band": "7"}, {"band": "x"}, {"unit-1": "years"}):
        answer = client.post(here, sent | wrong)
        assert answer.status_code == 422, wrong
        assert not Policy.objects.exists()
    assert client.post(here, sent)["Location"] == here
    said = main(client.get(here))
    assert "Quick: 4 h 30 m (our word, our own aim)" in said
    assert "Law: 28 d (GDPR Art. 12(3), deadline of law)" in said
    assert "One person decides, another one confirms." in said
    assert client.post(here, sent).status_code == 409
    theirs = sign_in(supervisor)
    assert theirs.get(here).status_code == 200
    assert theirs.post(here, sent | {"band": "0.6"}).status_code == 403
    assert sign_in(make_person("nobody", {})).get(here).status_code == 404
