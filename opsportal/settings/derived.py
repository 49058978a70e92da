"""The Django settings that follow from the environment."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from opsportal import logs
from opsportal.config import Config


def derive(config: Config) -> dict[str, Any]:
    """Django's settings out of the portal's own, to be put beside those of `base`."""
    return {
        "SECRET_KEY": config.secret_key.get_secret_value(),
        "SECRET_KEY_FALLBACKS": [key.get_secret_value() for key in config.secret_key_fallbacks],
        "ALLOWED_HOSTS": config.allowed_hosts,
        "CSRF_TRUSTED_ORIGINS": [config.public_url.rstrip("/")] if config.public_url else [],
        "SECURE_PROXY_SSL_HEADER": (
            ("HTTP_X_FORWARDED_PROTO", "https") if config.trust_proxy_headers else None
        ),
        "DATABASES": {"default": database(config)},
        "CELERY_BROKER_URL": config.broker_url.get_secret_value(),
        "STATIC_ROOT": config.state_dir.resolve() / "staticfiles",
        "LOGGING": logs.configure(level=config.log_level, form=config.log_format),
    }


def database(config: Config) -> dict[str, Any]:
    """One PostgreSQL database, with a pool unless its size is 0 and limits that end forgotten work."""
    limits = {
        "statement_timeout": config.statement_timeout_seconds,
        "lock_timeout": config.lock_timeout_seconds,
        "idle_in_transaction_session_timeout": config.idle_in_transaction_seconds,
    }
    options = " ".join(f"-c {name}={round(seconds * 1000)}" for name, seconds in limits.items())
    settings = connection_settings(config.database_url.get_secret_value())
    settings["CONN_MAX_AGE"] = 0
    settings["CONN_HEALTH_CHECKS"] = True
    settings["OPTIONS"] |= {"options": f"-c timezone=UTC {options}"}
    if config.database_pool_size:
        settings["OPTIONS"]["pool"] = {"min_size": 1, "max_size": config.database_pool_size, "timeout": 5}
    return settings


def connection_settings(url: str) -> dict[str, Any]:
    """Django's way to name a database, out of a URL; the URL's query goes to libpq (sslmode and so on)."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": {"connect_timeout": 5, **dict(parse_qsl(parts.query))},
    }
