"""Refusals as ARM words them: `{"error": {"code", "message", "details", "additionalInfo"}}`."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.values import Json


class ArmError(Exception):
    """Ends a request with a status and ARM's error body. Nothing was applied."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> Json:
        return error_body(self.code, self.message)


def error_body(code: str, message: str) -> Json:
    return {"error": {"code": code, "message": message, "details": [], "additionalInfo": []}}


def not_found(resource_id: str) -> ArmError:
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{_short(resource_id)}' under resource group '{_group(resource_id)}' was not found.",
    )


def bad_request(message: str, code: str = "BadArgument") -> ArmError:
    return ArmError(400, code, message)


def _short(resource_id: str) -> str:
    return resource_id.partition("/providers/")[2] or resource_id


def _group(resource_id: str) -> str:
    parts = resource_id.split("/")
    return parts[4] if len(parts) > 4 else ""
