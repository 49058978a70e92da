"""The one template engine: autoescaping Jinja2 in which a missing name is an error, not an empty string."""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages
from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment, StrictUndefined

from endpoints.web import bars, plots, wording


def environment(**options: Any) -> Environment:
    """Called by Django's Jinja2 backend with its own loader and `autoescape=True`."""
    own: dict[str, Any] = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    env = Environment(**(options | own))  # noqa: S701 - the backend passes autoescape=True, checked below
    if env.autoescape is not True:
        raise ValueError("Pages are rendered with autoescaping only.")
    env.filters.update(wording.FILTERS)
    env.globals.update(
        static=static,
        url=url,
        messages_of=get_messages,
        segments=bars.segments,
        other_zones=wording.other_zones,
        seconds_since=wording.seconds_since,
        plural=wording.plural,
        label_of=plots.label_of,
    )
    return env


def url(page: str, /, **kwargs: Any) -> str:
    """A page's address by its name in `web.urls`."""
    return reverse(f"web:{page}", kwargs=kwargs or None)
