"""Every way in. Rooms have no URLs; the two edges have all of them."""

from __future__ import annotations

from django.urls import include, path

from opsportal import exposition, health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", exposition.metrics, name="metrics"),
    path("api/v1/", include("endpoints.api.urls")),
    path("", include("endpoints.web.urls")),
]

handler400 = "endpoints.web.errors.bad_request"
handler403 = "endpoints.web.errors.forbidden"
handler404 = "endpoints.web.errors.not_found"
handler500 = "endpoints.web.errors.server_error"
