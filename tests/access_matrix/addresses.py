"""Every address that the project answers, with the methods that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.urls import URLPattern, URLResolver, get_resolver

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Address:
    """`route` has its parameters as `<name>`."""

    method: str
    route: str
    callback: Any

    @property
    def is_async(self) -> bool:
        return iscoroutinefunction(self.callback)

    @property
    def row(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def parameters(self) -> list[str]:
        return _PARAMETER.findall(self.route)

    def path(self, values: dict[str, Any]) -> str:
        return _PARAMETER.sub(lambda found: str(values[found[1]]), self.route)


def addresses() -> list[Address]:
    """All of them, edges' and the project's own, in the order in which Django looks."""
    return list(_walk(get_resolver().url_patterns, "/"))


def _walk(patterns: Iterable[URLPattern | URLResolver], prefix: str) -> Iterator[Address]:
    for pattern in patterns:
        route = prefix + _plain(pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield from (Address(method, route, pattern.callback) for method in _methods(pattern.callback))


def _plain(pattern: URLPattern | URLResolver) -> str:
    """`<slug:ws>` becomes `<ws>`; a regular expression, the API's last resort, becomes one unknown word."""
    text = str(pattern.pattern)
    return "no-such-address" if text.startswith("^") else _PARAMETER.sub(r"<\1>", text)


def _methods(view: Any) -> list[str]:
    """What a page says of itself, what an API view has methods for, and GET for all else."""
    taken = getattr(view, "methods", None)
    if taken is None:
        kind = getattr(view, "view_class", None) or getattr(view, "cls", None)
        names = getattr(kind, "http_method_names", ()) if hasattr(view, "cls") else ("get",)
        taken = {name.upper() for name in names if hasattr(kind, name)} or {"GET"}
    return [method for method in _METHODS if method in taken]
