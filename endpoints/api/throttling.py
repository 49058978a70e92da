"""The rate of `access.rate` for operations that change something; rollbacks are not limited."""

from __future__ import annotations

from typing import cast

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from endpoints.access.policies import Principal
from endpoints.access.rate import seconds_to_wait


class MutationRate(BaseThrottle):
    """One rate for all operations together."""

    def __init__(self) -> None:
        self._wait = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        self._wait = seconds_to_wait(cast(Principal, request.user))
        return self._wait <= 0

    def wait(self) -> float | None:
        return self._wait
