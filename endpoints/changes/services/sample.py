"""Set an endpoint's sample request: a body that somebody made up, and where the key to get in is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from django.db import transaction

from endpoints.access.policies import Action, Principal, require
from endpoints.audit.services import record
from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.places import secret_address
from endpoints.changes.models import Sample
from endpoints.changes.schema import problems
from endpoints.changes.services.people import person_id, visible_endpoint, workspace_slug
from endpoints.core.errors import Invalid
from endpoints.core.ids import ref
from endpoints.dispatch import after_commit, db_now
from endpoints.inventory.connection import cloud_settings
from endpoints.inventory.selectors import EndpointFacts, endpoint_facts

PROBE_ENDPOINT = "changes.probe_endpoint"
MOST_BYTES = 64 * 1024
LONGEST_URI = 300


def set_sample(
    *,
    principal: Principal,
    endpoint_id: int,
    body: str,
    synthetic: bool = False,
    secret_uri: str = "",
    answer_schema: Mapping[str, Any] | None = None,
) -> int:
    """The new sample's number; its deployments are asked at once. A body of "" ends the probing.

    `synthetic`: the person's word that the body holds nobody's data. The key itself is never taken or kept.
    """
    endpoint = endpoint_facts(endpoint_id)
    visible_endpoint(principal, endpoint)
    slug = workspace_slug(endpoint.workspace_id)
    require(principal, Action.PROBE_SET, workspace_id=endpoint.workspace_id, own=True, workspace=slug)
    text, uri, shape = body.strip(), secret_uri.strip(), dict(answer_schema or {})
    found = {
        "body": _body_problems(text),
        "synthetic": [] if synthetic or not text else ["Say that it is made up. Nothing was stored."],
        "secret_uri": _uri_problems(uri),
        "answer_schema": problems(shape),
    }
    if any(found.values()):
        raise Invalid({name: told for name, told in found.items() if told})
    return _set(principal, endpoint, text, uri if text else "", shape if text else {})


@transaction.atomic
def _set(principal: Principal, endpoint: EndpointFacts, body: str, uri: str, shape: dict[str, Any]) -> int:
    made = Sample.objects.create(
        endpoint_id=endpoint.id,
        body=body,
        secret_uri=uri,
        answer_schema=shape,
        set_by_id=person_id(principal),
        at=db_now(),
    )
    if body:
        after_commit(PROBE_ENDPOINT, endpoint.id)
    record(
        actor=principal.actor,
        action="sample.set" if body else "sample.ended",
        subject=ref("endpoint", endpoint.id),
        workspace_id=endpoint.workspace_id,
        endpoint=ref("endpoint", endpoint.id),
        after={
            "sample": made.pk,
            "sha256": sha256(body.encode()).hexdigest(),
            "bytes": len(body.encode()),
            "secret_uri": uri,
            "answer_schema": shape,
        }
        if body
        else {"sample": made.pk},
    )
    return made.pk


def _body_problems(body: str) -> list[str]:
    if not body:
        return []
    if len(body.encode()) > MOST_BYTES:
        return [
            f"At most {MOST_BYTES // 1024} KiB; this is {len(body.encode()) / 1024:,.0f}. Nothing was stored."
        ]
    try:
        json.loads(body)
    except (ValueError, RecursionError) as error:
        return [f"This is no JSON: {str(error)[:200]}. Nothing was stored."]
    return []


def _uri_problems(uri: str) -> list[str]:
    if not uri:
        return []
    if len(uri) > LONGEST_URI:
        return [f"At most {LONGEST_URI} characters. Nothing was stored."]
    cloud = cloud_settings()
    if not cloud.key_vault_suffix:  # told by the cloud's own document when it is read for a call
        return (
            []
            if uri.startswith("https://")
            else ["This is no https address of a secret. Nothing was stored."]
        )
    try:
        secret_address(cloud, uri)
    except Malformed:
        return ["This is no address of a secret in a vault of this cloud. Nothing was stored."]
    return []
