"""What the API takes about challenge cases."""

from __future__ import annotations

from rest_framework import serializers

from endpoints.api.fields import Flag, Number, StrictBody, Text, Whole
from endpoints.api.figures import Moment
from endpoints.api.paging import LARGEST_ID, PageQuery
from endpoints.challenges.lifecycle import Outcome
from endpoints.challenges.selectors.queue import Tab

_VERSION = "The case's `version` as you read it; another one is answered 409."


class CasesQuery(PageQuery):
    """Query of the queue."""

    tab = serializers.ChoiceField(
        choices=list(Tab), default=Tab.ALL, help_text="`mine`: assigned to the caller, or to be confirmed."
    )
    workspace = serializers.CharField(required=False, max_length=63)
    endpoint = serializers.CharField(required=False, max_length=255, help_text="Needs `workspace`.")
    model = serializers.CharField(required=False, max_length=300, help_text="`name:version` that answered.")
    reference = serializers.CharField(required=False, max_length=80)
    id = serializers.CharField(required=False, max_length=200, help_text="The request's id as it was given.")
    after = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, required=False, help_text="The page follows this case."
    )


class CaseIn(StrictBody):
    """What is challenged. The id is needed, or else endpoint and time."""

    workspace = Text(max_length=63)
    question = Text(max_length=2000)
    asked_id = Text(max_length=200, required=False, default="", allow_blank=True)
    endpoint = Text(max_length=255, required=False, default="", allow_blank=True)
    asked_at = Moment(required=False, help_text="When the request was made, as the claimant says.")
    reference = Text(
        max_length=80,
        required=False,
        default="",
        allow_blank=True,
        help_text="A file number of yours, no name.",
    )
    claimant = Text(
        max_length=200, required=False, default="", allow_blank=True, help_text="Can be erased later."
    )


class ChoiceIn(StrictBody):
    """One of the case's `candidates`."""

    endpoint = Text(max_length=255)
    day = serializers.DateField()
    record = Text(max_length=300)
    version = Whole(min_value=1, help_text=_VERSION)


class VersionIn(StrictBody):
    """The case as the caller saw it."""

    version = Whole(min_value=1, help_text=_VERSION)


class AssignmentIn(StrictBody):
    """Whose case it is; null: nobody's."""

    to = serializers.RegexField(r"^user:[1-9][0-9]{0,17}$", allow_null=True)


class CaseCommentIn(StrictBody):
    """Words beside the case."""

    comment = Text(max_length=2000)


class LinkIn(StrictBody):
    """Another case of the workspace, and what the two have to do with each other."""

    other = Whole(min_value=1, max_value=LARGEST_ID)
    why = Text(max_length=120)


class VerdictIn(VersionIn):
    """The decision."""

    outcome = serializers.ChoiceField(choices=list(Outcome))
    reason = Text(max_length=2000)


class ConfirmationIn(VersionIn):
    """On somebody else's decision."""

    comment = Text(max_length=2000, required=False, default="", allow_blank=True)


class ReasonedIn(VersionIn):
    """Why it is sent back, or opened again."""

    reason = Text(max_length=2000)


class LegalHoldIn(StrictBody):
    """The time whose records must not be dropped, and why. No names."""

    since = Moment()
    until = Moment()
    reason = Text(max_length=2000)


class WhyIn(StrictBody):
    """Why; no names."""

    reason = Text(max_length=2000)


class PolicyClockIn(StrictBody):
    """A clock: hours or days, one of them."""

    name = Text(max_length=60)
    hours = Number(required=False)
    days = Number(required=False)
    source = Text(max_length=120, help_text="Where it comes from: a house rule, or the law that sets it.")  # type: ignore[assignment]  # the field of this name
    target = Flag(help_text="true: the house's own aim; false: a deadline of law.")


class PolicyIn(StrictBody):
    """How cases are dealt with from now on; all of it."""

    clocks = PolicyClockIn(many=True)
    two_roles = Flag()
    band = Number(allow_null=True, help_text="Confidence below it wants review; null: none.")
