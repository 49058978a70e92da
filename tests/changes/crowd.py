"""Many people at the same moment: each in a thread with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from endpoints.core.errors import OpsportalError


def together(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each act returned, or the refusal that it met. Anything else that went wrong is raised."""
    barrier = threading.Barrier(len(acts))

    def one(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait(30)
            return act()
        except OpsportalError as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(60) for future in [pool.submit(one, act) for act in acts]]


def refused(results: Sequence[Any]) -> list[OpsportalError]:
    return [result for result in results if isinstance(result, OpsportalError)]
