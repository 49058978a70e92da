"""The release record with its files, and an endpoint held against the files of a repository."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.changes.models import Change
from endpoints.dispatch import db_now
from endpoints.inventory.yamlfile import MOST_BYTES
from tests.support.people import make_endpoint
from tests.web.conftest import SignIn, Stage
from tests.web.reading import Page, read, words

COMPARE = "/w/mlw-prod-weu/e/checkout-risk/compare"
BLUE = b"name: blue\nendpoint_name: checkout-risk\nmodel: azureml:risk:7\ninstance_count: 3\nmodel_mount_path: /x\n"


def text_of(page: Page) -> str:
    return words(page.one("main").text)


@pytest.fixture
def ended(started: Stage) -> Stage:
    """The change of the stage, as the executor leaves it; Azure was read after its write, and again."""
    for _ in range(2):
        make_endpoint(started.workspace, traffic={"green": 100})
    Change.objects.filter(pk=started.number).update(state="succeeded", ended_at=db_now())
    return started


def test_release__of_a_change_that_is_over__shows_files_versions_and_who_approved(
    sign_in: SignIn, ended: Stage, operator: User
) -> None:
    client = sign_in(operator)
    page = read(client.get(f"/changes/CR-{ended.number}/release").content)

    told = text_of(page)
    assert "Vera approved" in told
    assert "risk:8" in told
    assert '--traffic "blue=0 green=100"' in told
    links = [one.attributes["href"] for one in page.all("a", download="")]
    assert links == [
        f"/changes/CR-{ended.number}/release/{name}.yml" for name in ("endpoint", "blue", "green")
    ]
    file = client.get(links[0])
    assert file["Content-Disposition"] == f'attachment; filename="CR-{ended.number}-endpoint.yml"'
    assert "name: checkout-risk" in file.content.decode()


def test_release__is_linked_from_the_change_that_is_over(
    sign_in: SignIn, ended: Stage, operator: User
) -> None:
    page = read(sign_in(operator).get(f"/changes/CR-{ended.number}").content)
    assert page.all("a", href=f"/changes/CR-{ended.number}/release")


def test_release__of_a_file_that_is_none__is_not_found(sign_in: SignIn, ended: Stage, operator: User) -> None:
    answer = sign_in(operator).get(f"/changes/CR-{ended.number}/release/red.yml")
    assert answer.status_code == 404
    assert "has no file red.yml" in answer.content.decode()


def test_release__of_a_change_at_work__is_a_conflict(sign_in: SignIn, started: Stage, operator: User) -> None:
    answer = sign_in(operator).get(f"/changes/CR-{started.number}/release")
    assert answer.status_code == 409
    assert "it is not over" in answer.content.decode()


def test_compare__of_files_and_text__tells_field_by_field_and_stores_nothing(
    sign_in: SignIn, workspace: Workspace, requester: User
) -> None:
    make_endpoint(workspace)
    client = sign_in(requester)
    entries = Entry.objects.count()

    files = [SimpleUploadedFile("blue.yml", BLUE)]
    answer = client.post(COMPARE, {"files": files, "text": "name: {{NAME}}\nauth_mode: key\n"})

    page = read(answer.content)
    assert "1 field differs, 1 can't be told, 3 are the same, in 2 documents." in text_of(page)
    rows = [words(one.text) for one in page.all("tr")]
    assert "instance_count32Differs" in rows
    assert "model_mount_path/xnot reportedCannot tellAzure does not report it." in rows
    assert "Its name is to be filled in: {{NAME}}." in text_of(page)
    assert Entry.objects.count() == entries


def test_compare__of_another_endpoints_file__compares_nothing(
    sign_in: SignIn, workspace: Workspace, requester: User
) -> None:
    make_endpoint(workspace)
    page = read(sign_in(requester).post(COMPARE, {"text": "name: other\nauth_mode: key\n"}).content)
    assert "It is of other, another endpoint: nothing was compared." in text_of(page)
    assert "Cannot tell" in text_of(page)


def test_compare__of_a_file_without_a_name__goes_by_the_files_and_says_so(
    sign_in: SignIn, workspace: Workspace, requester: User
) -> None:
    make_endpoint(workspace)
    file = SimpleUploadedFile("blue-deployment.yml", b"endpoint_name: checkout-risk\ninstance_count: 2\n")
    page = read(sign_in(requester).post(COMPARE, {"files": [file]}).content)
    assert "It is taken for blue, by the file's name." in text_of(page)


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"text": "  "}, "Paste a file, or choose some"),
        ({"text": "x" * (MOST_BYTES + 1)}, "larger than 64 KiB"),
        ({"files": [SimpleUploadedFile("a.yml", b"\xff\xfe\x00")]}, "no text in UTF-8"),
        ({"files": [SimpleUploadedFile("a.yml", b"x" * (MOST_BYTES + 1))]}, "larger than 64 KiB"),
        ({"files": [SimpleUploadedFile(f"{n}.yml", b"a: b") for n in range(21)]}, "At most 20 files"),
        ({"files": [SimpleUploadedFile("a.yml", b"x" * 2_000_000)]}, "1.25 MiB together at most"),
    ],
)
def test_compare__of_what_can_not_be_taken__says_so_and_compares_nothing(
    sign_in: SignIn, workspace: Workspace, requester: User, sent: dict[str, object], says: str
) -> None:
    make_endpoint(workspace)
    answer = sign_in(requester).post(COMPARE, sent)
    assert answer.status_code == 422
    assert says in words(read(answer.content).one("main").text)


def test_a_file__sent_to_any_other_page__is_dropped(
    sign_in: SignIn, workspace: Workspace, requester: User
) -> None:
    make_endpoint(workspace)
    request = sign_in(requester).post(
        "/w/mlw-prod-weu/e/checkout-risk/budget", {"files": SimpleUploadedFile("a.yml", b"a: b")}
    ).wsgi_request  # fmt: skip
    assert not request.FILES


def test_compare__of_another_workspace__is_not_found(
    sign_in: SignIn, workspace: Workspace, outsider: User
) -> None:
    make_endpoint(workspace)
    assert sign_in(outsider).post(COMPARE, {"text": "name: x"}).status_code == 404
