"""The bridge from the event loop to the ORM: short synchronous units in threads that hold no connection between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar

from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")

_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="executor-db")


async def in_database(unit: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run one unit of ORM work; its connection goes back to the pool when it ends."""
    context = copy_context()
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, lambda: context.run(_unit, unit, args, kwargs))


def _unit(unit: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return unit(*args, **kwargs)
    finally:
        connections.close_all()
