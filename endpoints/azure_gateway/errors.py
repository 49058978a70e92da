"""What can go wrong with a call to Azure.

GatewayError
├── Unreachable       no answer: refused, reset, timed out, certificate not trusted
├── Throttled         429 or 529, or our own bucket is empty for longer than the caller waits; `retry_after` seconds
├── Busy              another operation holds the resource (409, or a refusal that says "Updating")
├── NotFoundInAzure   404
├── Forbidden         403; `action` and `scope` name what is missing, where Azure says it
├── Unauthenticated   401, or no token to be had
├── Rejected          Azure understood and refused: 400, 412, 422 and the other 4xx
├── ServerError       5xx
├── BatchRefused      metrics of many resources at once are not to be had here: read them one by one
├── LogsRefused       this cloud names no place where logs are queried; nothing was sent
├── LogMissing        a workspace has no such log: nothing of it ever came in
├── PricesRefused     this cloud names no retail price list; nothing was sent
├── DiscoveryRefused  Resource Graph is not to be had here: list workspaces instead
└── Malformed         an answer, or one item of it, that can't be understood; `item` names it

After a write, `applied_unknown` tells whether it may have taken effect: True means "read before you decide",
False means that Azure certainly did not apply it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallIds:
    """Under which ids a call is found again: ours, Azure's, and the one that joins an operation's calls."""

    client_request_id: str = ""
    azure_request_id: str = ""
    correlation_id: str = ""


class GatewayError(Exception):
    """A call to Azure that gave no usable answer. The text is for people."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        ids: CallIds | None = None,
        applied_unknown: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.ids = ids or CallIds()
        self.applied_unknown = applied_unknown

    @property
    def azure_request_id(self) -> str:
        return self.ids.azure_request_id

    @property
    def correlation_id(self) -> str:
        return self.ids.correlation_id

    @property
    def client_request_id(self) -> str:
        return self.ids.client_request_id


class Unreachable(GatewayError):
    """No answer came."""


class Throttled(GatewayError):
    """Too many calls. `retry_after` is in seconds, None when Azure gave none."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None,
        status: int | None = None,
        code: str = "",
        ids: CallIds | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, ids=ids)
        self.retry_after = retry_after


class Busy(GatewayError):
    """Another operation is in progress on the resource; nothing was applied."""


class NotFoundInAzure(GatewayError):
    """Azure has no such resource, or hides it from this identity."""


class Forbidden(GatewayError):
    """This identity lacks a role action. `action` and `scope` are "" when Azure did not name them."""

    def __init__(
        self,
        message: str,
        *,
        action: str = "",
        scope: str = "",
        status: int | None = 403,
        code: str = "",
        ids: CallIds | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, ids=ids)
        self.action = action
        self.scope = scope


class Unauthenticated(GatewayError):
    """Azure does not accept who we are, or nobody would give us a token."""


class Rejected(GatewayError):
    """Azure understood the request and refused it; nothing was applied."""


class ServerError(GatewayError):
    """Azure failed."""


class BatchRefused(GatewayError):
    """The data plane of metrics does not serve this identity, subscription, region or cloud."""


class LogsRefused(GatewayError):
    """This cloud names no place where logs are queried."""


class LogMissing(GatewayError):
    """The Log Analytics workspace knows no such table: nothing of that log ever came in."""


class PricesRefused(GatewayError):
    """This cloud names no retail price list."""


class DiscoveryRefused(GatewayError):
    """Resource Graph does not serve this identity, or not now."""


class Malformed(GatewayError):
    """An answer that makes no sense. `item` is the ARM id, list index or URL; `reason` says what is wrong."""

    def __init__(
        self, item: str, reason: str, *, status: int | None = None, ids: CallIds | None = None
    ) -> None:
        super().__init__(f"{item}: {reason}", status=status, ids=ids)
        self.item = item
        self.reason = reason
