"""After-commit hints and the database's own clock. No models: the rows that matter belong to the rooms."""

from endpoints.dispatch.database import db_now
from endpoints.dispatch.hints import after_commit, notify

__all__ = ["after_commit", "db_now", "notify"]
