"""An address that the API does not have is answered as the API answers: by a problem document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from endpoints.api.view import ApiView, SignedIn
from endpoints.core.errors import NotFound


@extend_schema(exclude=True)
class Unknown(ApiView):
    """Everything else under `/api/v1/`."""

    permission_classes = (SignedIn,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Only who is signed in learns what addresses there are."""
        super().initial(request, *args, **kwargs)
        raise NotFound("There is no such address.")

    def get(self, request: Request, **kwargs: Any) -> Response:
        """Never reached; named so that the address counts as one of this view's."""
        raise NotFound("There is no such address.")
