"""Records of requests through the API's door: new ones, and words of a second source about the same requests.

A real web process and PostgreSQL; one sender after the other sends batches of 5,000. The yardstick is COPY alone of the
same rows, ready-made, into a table without an index.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench import stage
from bench.figures import Figure

BATCH = 5000
SLUG, NAME = "mlw-bench", "checkout-risk"
_COLUMNS = (
    "endpoint_id, key, day, at, request_id, client_id, deployment, status, duration_ms, confidence, origin"
)


def measure(batches: float = 12) -> list[Figure]:
    stage.prepare()
    from tests.support import processes

    with stage.database() as database, tempfile.TemporaryDirectory() as folder:
        token = _sender()
        told = processes.environment(database)
        with processes.web(told, Path(folder)) as (url, _):
            address = f"{url}/api/v1/workspaces/{SLUG}/endpoints/{NAME}/predictions"
            requests = [_requests(number) for number in range(int(batches))]
            new = [_sent(address, token, "caller", _words(some, "caller"), "new") for some in requests]
            merged = [_sent(address, token, "model", _words(some, "model"), "merged") for some in requests]
        copied = [_copied(some) for some in requests]
    yardstick = statistics.median(copied)
    return [
        Figure(
            name="new records through the API, a second",
            value=statistics.median(new),
            bar=5000,
            unit="/s",
            yardstick=yardstick,
            more_is_better=True,
        ),
        Figure(
            name="words merged into them, a second",
            value=statistics.median(merged),
            bar=5000,
            unit="/s",
            yardstick=yardstick,
            more_is_better=True,
        ),
    ]


def _sender() -> str:
    """The token of somebody who may send for the endpoint."""
    from tests.support.people import make_endpoint, make_person, make_workspace, token_for

    workspace = make_workspace(SLUG)
    make_endpoint(workspace, NAME)
    return token_for(make_person("sender", {SLUG: ["operator"]}), "predictions")


def _requests(batch: int) -> list[tuple[str, str, datetime]]:
    """Ids and times of a batch: 5,000 requests of the last minutes."""
    from endpoints.dispatch import db_now

    chance, now = random.Random(batch), db_now()
    return [
        (
            str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            f"order-{chance.getrandbits(64):x}",
            now - timedelta(seconds=600 * chance.random()),
        )
        for _ in range(BATCH)
    ]


def _words(requests: Sequence[tuple[str, str, datetime]], source: str) -> bytes:
    """What one source says of them, as it is sent."""
    chance = random.Random(source)
    own: dict[str, Any] = (
        {"model_version": "triage:7", "model_status": 200, "high_risk": False}
        if source == "model"
        else {"client_id": "", "status": 200, "app_version": "shop-4.2"}
    )
    items = []
    for request_id, client_id, at in requests:
        item = {"at": at.isoformat(), "request_id": request_id, "deployment": "blue", **own}
        item |= {"duration_ms": round(200 * chance.random(), 2), "confidence": round(chance.random(), 4)}
        items.append(item | ({"client_id": client_id} if "client_id" in own else {}))
    return json.dumps({"records": items}).encode()


def _sent(address: str, token: str, source: str, body: bytes, expected: str) -> float:
    """Records a second of one batch, from the first byte sent to the last one answered."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}?source={source}", body, headers, method="POST")
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            taken = json.load(answer)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{error.status}: {error.read()[:500]!r}") from error
    spent = time.perf_counter() - began
    if taken[expected] != BATCH:
        raise RuntimeError(f"{taken}: not all {BATCH} were {expected}")
    return BATCH / spent


def _copied(requests: Sequence[tuple[str, str, datetime]]) -> float:
    """The same rows, ready-made, by COPY alone."""
    from django.db import connection, transaction

    lines = "".join(
        f"1\tr:{request_id}\t{at:%Y-%m-%d}\t{at.isoformat()}\t{request_id}\t{client_id}\tblue\t200\t81.5\t0.62\t"
        '{"*":"caller"}\n'
        for request_id, client_id, at in requests
    ).encode()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE yardstick ON COMMIT DROP AS TABLE challenges_prediction WITH NO DATA"
        )
        with _timed() as spent, cursor.copy(f"COPY yardstick ({_COLUMNS}) FROM STDIN") as copy:
            copy.write(lines)
    return BATCH / spent[0]


@contextmanager
def _timed() -> Iterator[list[float]]:
    began, spent = time.perf_counter(), list[float]()
    yield spent
    spent.append(time.perf_counter() - began)
