"""Who the caller is, what they may do where, and their own API tokens."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from endpoints.access import selectors as access
from endpoints.access import services
from endpoints.access.matrix import Scope
from endpoints.access.policies import Action
from endpoints.access.roles import Role
from endpoints.access.rows import TokenRow
from endpoints.api.fields import StrictBody, Text, Whole
from endpoints.api.operation import Call, operation
from endpoints.api.rules import SIGNED_IN, on_installation
from endpoints.api.shapes import Shape, shape_names
from endpoints.api.view import ApiView
from endpoints.core.errors import NotFound


class MeOut(Shape):
    """The caller. `scopes` null: a session, which has all powers of its person."""

    ref = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    auth = serializers.CharField(help_text="`session`, or the token's ref.")
    installation_roles = serializers.ListField(child=serializers.ChoiceField(choices=list(Role)))
    workspace_roles = serializers.DictField(
        child=serializers.ListField(child=serializers.ChoiceField(choices=list(Role))),
        help_text="Roles by the workspace's short name.",
    )
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=list(Scope)), allow_null=True)
    held_back = serializers.CharField(help_text="Why the caller can't approve for now; empty when they can.")


class TokenOut(Shape):
    """A token without its secret. No `workspaces`: all that the owner may see."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=list(Scope)))
    workspaces = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class TokenListOut(Shape):
    """One's own tokens, newest first."""

    items = TokenOut(many=True)


class NewTokenOut(TokenOut):
    """A token that was just made."""

    secret = serializers.CharField(help_text="Shown in this answer alone; nobody can read it again.")


class TokenIn(StrictBody):
    """A token to be made."""

    name = Text(max_length=80, help_text="What will use it.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=list(Scope)), min_length=1, max_length=len(Scope)
    )
    days = Whole(min_value=1, max_value=90)
    workspaces = serializers.ListField(
        child=Text(max_length=63),
        required=False,
        default=list,
        max_length=100,
        help_text="Short names; none: all that you may see.",
    )


class Me(ApiView):
    """`/me`."""

    @operation(SIGNED_IN, name="me", summary="Who I am", answers={200: MeOut})
    def get(self, call: Call) -> Response:
        """The caller with roles and, for a token, scopes: what the portal takes this call for."""
        me = call.principal
        slugs = {row.id: row.slug for row in access.workspaces(me)}
        fields: dict[str, Any] = {
            "ref": me.ref,
            "name": me.display_name,
            "kind": me.kind,
            "auth": me.auth,
            "installation_roles": sorted(me.installation),
            "workspace_roles": {slugs[w]: sorted(roles) for w, roles in me.roles.items() if w in slugs},
            "scopes": None if me.scopes is None else sorted(me.scopes),
            "held_back": me.held_back,
        }
        return Response(MeOut(fields).data)


class Tokens(ApiView):
    """`/tokens`."""

    @operation(
        on_installation(Action.OWN_TOKENS),
        name="tokens_list",
        summary="My API tokens",
        answers={200: TokenListOut},
    )
    def get(self, call: Call) -> Response:
        """One's own tokens, without secrets. A token can't list tokens. Not paged: they are few."""
        slugs = _slugs(call)
        return Response({"items": [_shown(row, slugs) for row in access.own_tokens(call.principal)]})

    @operation(
        on_installation(Action.OWN_TOKENS),
        name="tokens_create",
        summary="Make an API token",
        body=TokenIn,
        answers={201: NewTokenOut},
        problems=(404,),
        example={"name": "nightly report", "scopes": ["read"], "days": 30, "workspaces": ["mlw-prod-weu"]},
    )
    def post(self, call: Call) -> Response:
        """The answer holds the secret, once. A token never does more than its owner may at the moment of use."""
        numbers = [access.workspace_by_slug(call.principal, slug).id for slug in call.body["workspaces"]]
        row, secret = services.create_token(
            principal=call.principal,
            name=call.body["name"],
            scopes=call.body["scopes"],
            days=call.body["days"],
            workspace_ids=numbers,
        )
        return Response(_shown(row, _slugs(call)) | {"secret": secret}, status=201)


class Token(ApiView):
    """`/tokens/{token_id}`."""

    @operation(
        on_installation(Action.OWN_TOKENS),
        name="tokens_revoke",
        summary="Revoke a token",
        answers={204: None},
        problems=(404, 409),
    )
    def delete(self, call: Call, token_id: int) -> Response:
        """At once and for good. Administrators may revoke anybody's."""
        services.revoke_token(principal=call.principal, token_id=token_id)
        return Response(status=204)


def _slugs(call: Call) -> dict[int, str]:
    return {row.id: row.slug for row in access.workspaces(call.principal)}


def _shown(row: TokenRow, slugs: dict[int, str]) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in shape_names(TokenOut) - {"workspaces"}}
    places = [slugs.get(number) or _former(number) for number in row.workspaces]
    return dict(TokenOut(fields | {"workspaces": places}).data)


def _former(number: int) -> str:
    """A workspace on which the owner has no role any more: the token is bound to it nevertheless."""
    try:
        return access.workspace(number).slug
    except NotFound:
        return f"workspace:{number}"
