"""Database work of an asynchronous reading: in the thread that called it, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async

P = ParamSpec("P")
T = TypeVar("T")


async def in_database(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run with the connection of the thread that began the reading."""
    call: Any = sync_to_async(work, thread_sensitive=True)
    result: T = await call(*args, **kwargs)
    return result
