"""The ASGI entry point: static files first, without a thread or a middleware stack, then Django."""

from __future__ import annotations

import os
import re

from django.conf import settings
from django.core.asgi import get_asgi_application
from servestatic import ServeStaticASGI  # type: ignore[import-untyped]  # ships no types

from endpoints.audit.privileges import check_at_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsportal.settings.production")

# The storage puts twelve hex digits of the content's hash into each name.
_HASHED_NAME = re.compile(r"\.[0-9a-f]{12}\.")

django_application = get_asgi_application()
check_at_start(strict=settings.OPSPORTAL.audit_strict)
application = ServeStaticASGI(
    django_application,
    root=str(settings.STATIC_ROOT),
    prefix=settings.STATIC_URL,
    immutable_file_test=lambda path, url: bool(_HASHED_NAME.search(url)),
)
