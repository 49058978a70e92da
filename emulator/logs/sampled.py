"""Requests of the made-up load: of each minute and deployment as many as the scenario has logged.

They follow from the seed and agree with the metrics of their minute. Where no more are counted than are logged, every
one of them is here; else some of them are, as often in each way to end as chance has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from emulator.fold import Resource
from emulator.logs.requests import Request, line
from emulator.monitor import endpointscope
from emulator.monitor.counted import Outcome
from emulator.monitor.minutes import OK, THROTTLED, Minutes
from emulator.monitor.source import Source
from emulator.monitor.window import Window
from emulator.names import deployment_id
from emulator.values import chance, guid

_AGENT = "order-service/4.2"


def sampled(source: Source, endpoint: Resource, since: datetime, until: datetime) -> Iterator[Request]:
    """Requests in [since, until], in no order."""
    most = int(source.workload.load(endpoint.id).logged)
    if not most or since > until:
        return
    start = int(since.timestamp() // 60)
    now = source.control.clock().timestamp()
    window = Window(start, int(until.timestamp() // 60) - start + 1, now)
    subject = source.measured(endpoint, window).subject
    if not isinstance(subject, endpointscope.Endpoint):
        return
    for name, counted in subject.deployments.items():
        deployment = deployment_id(endpoint.id, name)
        # What was really sent has rows of its own.
        minutes = replace(counted, counted={})
        for request in _of(source, deployment, name, minutes, most):
            if since <= request.at <= until:
                yield request


def _of(source: Source, deployment: str, name: str, minutes: Minutes, most: int) -> Iterator[Request]:
    seed, outcomes = source.settings.seed, minutes.outcomes
    asset = str(minutes.body.get("model") or "")
    for i, total in enumerate(minutes.offered):
        number = min(total, most)
        if not number:
            continue
        minute = minutes.window.start + i
        ended = {outcome: counts[i] for outcome, counts in outcomes.items() if counts[i]}
        for place, outcome in enumerate(_picked(ended, number, total, (seed, deployment, minute))):
            dice = (seed, "logged", deployment.lower(), minute, place)
            second = 60 * minute + 60 * (place + chance("at", *dice)) / number
            yield _request(dice, datetime.fromtimestamp(second, UTC), name, asset, outcome, minutes, i)


def _picked(
    ended: Mapping[Outcome, int], number: int, total: int, dice: tuple[object, ...]
) -> Iterator[Outcome]:
    every = [(outcome, count) for outcome, count in sorted(ended.items(), key=str)]
    if number == total:
        for outcome, count in every:
            yield from [outcome] * count
        return
    for place in range(number):
        roll = total * chance("ended", *dice, place)
        for outcome, count in every:
            roll -= count
            if roll < 0:
                yield outcome
                break


def _request(
    dice: tuple[object, ...],
    at: datetime,
    name: str,
    asset: str,
    outcome: Outcome,
    minutes: Minutes,
    i: int,
) -> Request:
    request_id = guid("request", *dice)
    client_id = f"order-{guid('client', *dice)[:18]}"
    status, model_status = outcome
    took = minutes.model.latency_ms(chance("latency", *dice)) * minutes.strain[i]
    return Request(
        at=at,
        request_id=request_id,
        client_id=client_id,
        deployment=name,
        status=status,
        model_status=model_status,
        model_reason="" if status == 200 or model_status is None else "Exception in run()",
        sent_bytes=400 + int(1200 * chance("sent", *dice)),
        answered_bytes=60 + int(60 * chance("answered", *dice)),
        took_ms=0.0 if outcome == THROTTLED else took,
        user_agent=_AGENT,
        line=line(minutes.model, asset, request_id, client_id, *dice) if outcome == OK else None,
    )
