"""A file of capacity on a server that waits for each piece: all of it comes, and nothing is read ahead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient

from endpoints.capacity.selectors import exports
from tests.capacity.ledgered import ledgered, yesterday
from tests.support.databases import Database
from tests.support.people import PASSWORD, make_endpoint, make_person, make_workspace, token_for

DEPLOYMENTS, DAYS = 81, 25
assert DEPLOYMENTS * DAYS > exports.PAGE


def _seed() -> str:
    workspace = make_workspace("mlw-prod-weu")
    endpoint = make_endpoint(workspace, deployments=[f"d{number}" for number in range(DEPLOYMENTS)])
    for back in range(DAYS):
        ledgered(*endpoint.deployments.all(), day=yesterday() - timedelta(days=back))
    token = token_for(make_person("fay", {workspace.slug: ["finops"]}), "read")
    connection.close()
    return token


@pytest.mark.asyncio
async def test_file__of_several_readings__comes_whole_piece_by_piece(committed_db: Database) -> None:
    token = await sync_to_async(_seed)()
    client = AsyncClient()
    await client.post("/login", {"username": "fay", "password": PASSWORD})
    for path, headers in (
        ("/capacity/export-focus.csv", {}),
        ("/capacity/export.csv?what=days", {}),
        ("/api/v1/capacity/export-focus.csv", {"Authorization": f"Bearer {token}"}),
    ):
        answer = await client.get(path, headers=headers)
        assert (answer.status_code, answer.is_async) == (200, True)
        text = b"".join([piece async for piece in answer.streaming_content]).decode()
        assert text.count("\r\n") == DEPLOYMENTS * DAYS + 1
