"""Production settings with made-up but acceptable values: for `check --deploy`, `makemigrations` and mypy.

Connects to nothing. It sets the values before production reads them, so the real rules judge them.
"""

from __future__ import annotations

import os

_MADE_UP = {
    "SECRET_KEY": "only-for-static-checks-0123456789-abcdefghijklmnopqrstuvwxyz",
    "ALLOWED_HOSTS": "portal.invalid",
    "DATABASE_URL": "postgresql://nobody:nothing@database.invalid:5432/none",
    "BROKER_URL": "redis://:nothing@broker.invalid:6379/0",
}
os.environ.update(_MADE_UP)

from opsportal.settings.production import *  # noqa: E402, F403 - must come after the values
