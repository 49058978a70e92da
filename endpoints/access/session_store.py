"""Sessions in the database, for keys that can be ours. For SESSION_ENGINE.

A cookie is anybody's text. PostgreSQL refuses some of it (a NUL, which a quoted cookie can spell), and none of
the rest can be a key: what Django did not make is no session, without asking the database.
"""

from __future__ import annotations

import re

from django.contrib.sessions.backends.db import SessionStore as Rows

_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(Rows):
    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and _KEY.fullmatch(key) is not None
