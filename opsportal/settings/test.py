"""For pytest. `tests/conftest.py` finds the database when tests start, so the URL here names none."""

from __future__ import annotations

from opsportal.config import Config, load
from opsportal.settings.base import *  # noqa: F403 - settings modules extend each other by name
from opsportal.settings.derived import derive

OPSPORTAL: Config = load(
    secret_key="tests-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",  # noqa: S106 - signs nothing that lasts
    allowed_hosts=["testserver", "localhost", "127.0.0.1"],
    database_url="postgresql://unset:unset@127.0.0.1:1/unset",
    broker_url="redis://127.0.0.1:1/0",
    # A pool would keep the connections of one test's database into the next test.
    database_pool_size=0,
    # A test's transaction stays open while the test thinks.
    idle_in_transaction_seconds=600,
    log_level="WARNING",
    log_format="console",
    poll_scale=0.02,
    # What a test measures must count at once.
    peak_seconds=0,
    scream_test_seconds=0,
)
globals().update(derive(OPSPORTAL))

# Argon2 is slow on purpose; hundreds of test sign-ins need not be.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
