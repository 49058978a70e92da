"""Two who speak of the same requests at the same time make one record of each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

from endpoints.challenges.models import Prediction
from endpoints.challenges.recorded import Record, Source
from endpoints.challenges.services import take
from tests.challenges.recording import ago, guid, said
from tests.support.databases import Database
from tests.support.people import make_endpoint, make_workspace


def test_two_sources__at_the_same_time__make_one_record_of_each_request(committed_db: Database) -> None:
    endpoint = make_endpoint(make_workspace("mlw-prod-weu"))
    at, start = ago(minutes=5), Barrier(3)

    def speak(source: Source) -> int:
        words: list[Record] = [
            said(endpoint.pk, at, request_id=guid(number), deployment="blue", confidence=0.5)
            for number in range(200)
        ]
        start.wait(timeout=20)
        try:
            return take(words, source=source).new
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        new = list(pool.map(speak, Source))
    assert sum(new) == 200
    rows = Prediction.objects.all()
    assert len(rows) == 200
    assert all(row.log_known_at and row.caller_known_at and row.model_known_at for row in rows)
