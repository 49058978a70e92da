"""The demo on one machine: plain HTTP on loopback, everything else as in production."""

from __future__ import annotations

from opsportal.config import Config, load
from opsportal.settings.base import *  # noqa: F403 - settings modules extend each other by name
from opsportal.settings.derived import derive

OPSPORTAL: Config = load()
globals().update(derive(OPSPORTAL))

SESSION_COOKIE_NAME = "opsportal_session"
CSRF_COOKIE_NAME = "opsportal_csrf"
