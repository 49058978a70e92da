"""Behind HTTPS, for real people. Refuses to start on settings that are missing or weak."""

from __future__ import annotations

from opsportal.config import Config, load
from opsportal.settings.base import *  # noqa: F403 - settings modules extend each other by name
from opsportal.settings.derived import derive

OPSPORTAL: Config = load()
globals().update(derive(OPSPORTAL))

SECURE_SSL_REDIRECT = True
# Probes come from inside, by plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
