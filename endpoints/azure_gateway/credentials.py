"""Tokens: which credential, and one cache of tokens for the process.

A token lives for an hour or more, an event loop in a worker for seconds: without the cache each job would
import azure-identity and ask for a token of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from endpoints.azure_gateway.settings import CredentialKind, GatewaySettings

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenCredential
    from azure.core.credentials_async import AsyncTokenCredential

# Renew this many seconds before the end, so that no token ends on its way to Azure.
_MARGIN = 300.0


@dataclass(frozen=True, slots=True)
class TokenKey:
    """Whose token, and for what."""

    kind: str
    authority: str
    tenant_id: str
    client_id: str
    scope: str


class TokenCache:
    """Tokens by key, for all threads and event loops of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[TokenKey, tuple[str, int]] = {}

    def get(self, key: TokenKey) -> tuple[str, int] | None:
        """Token and end (epoch seconds) if it has more than the margin left."""
        with self._lock:
            found = self._tokens.get(key)
        return found if found and found[1] - time.time() > _MARGIN else None

    def put(self, key: TokenKey, token: str, expires_on: int) -> None:
        with self._lock:
            self._tokens[key] = (token, expires_on)

    def forget(self, key: TokenKey) -> None:
        with self._lock:
            self._tokens.pop(key, None)


PROCESS_TOKENS = TokenCache()


class CachedCredential:
    """An async credential that asks the real one, opened on first use, only when the process has no token."""

    def __init__(self, settings: GatewaySettings, cache: TokenCache) -> None:
        self._settings = settings
        self._cache = cache
        self._inner: AsyncTokenCredential | None = None
        self._stack = AsyncExitStack()

    async def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        from azure.core.credentials import AccessTokenInfo

        token, expires_on = await self._token(*scopes, **(options or {}))
        return AccessTokenInfo(token, expires_on)

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        from azure.core.credentials import AccessToken

        return AccessToken(*await self._token(*scopes, **kwargs))

    def forget(self, scope: str) -> None:
        """Azure refused the token: the next call asks for another."""
        self._cache.forget(token_key(self._settings, scope))

    async def close(self) -> None:
        await self._stack.aclose()

    async def __aenter__(self) -> CachedCredential:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _token(self, *scopes: str, **kwargs: Any) -> tuple[str, int]:
        key = token_key(self._settings, scopes[0])
        if kwargs.get("claims"):
            self._cache.forget(key)  # Azure wants a newer one than the one it has just refused
        found = self._cache.get(key)
        if found is None:
            issued = await (await self._opened()).get_token(*scopes, **kwargs)
            found = issued.token, issued.expires_on
            self._cache.put(key, *found)
        return found

    async def _opened(self) -> AsyncTokenCredential:
        if self._inner is None:
            opened: AsyncTokenCredential = _build(self._settings, _async_classes())
            self._inner = await self._stack.enter_async_context(opened)
        return self._inner


def sync_credential(settings: GatewaySettings, cache: TokenCache = PROCESS_TOKENS) -> TokenCredential:
    """The same identity for the SDK's synchronous clients, with the same cache."""
    return _SyncCached(settings, cache)


class _SyncCached:
    def __init__(self, settings: GatewaySettings, cache: TokenCache) -> None:
        self._settings = settings
        self._cache = cache

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        from azure.core.credentials import AccessToken

        key = token_key(self._settings, scopes[0])
        found = self._cache.get(key)
        if found is None:
            with _build(self._settings, _sync_classes()) as inner:
                issued = inner.get_token(*scopes)
            found = issued.token, issued.expires_on
            self._cache.put(key, *found)
        return AccessToken(*found)


def token_key(settings: GatewaySettings, scope: str) -> TokenKey:
    """Under which key the process keeps the token of these settings for a scope."""
    return TokenKey(
        kind=settings.credential,
        authority=settings.cloud.authority,
        tenant_id=settings.tenant_id,
        client_id=settings.client_id,
        scope=scope,
    )


def _async_classes() -> Any:
    from azure.identity import aio

    return aio


def _sync_classes() -> Any:
    import azure.identity

    return azure.identity


def _build(settings: GatewaySettings, classes: Any) -> Any:
    options: dict[str, Any] = {}
    if settings.cloud.ca_bundle:
        options["connection_verify"] = settings.cloud.ca_bundle
    if settings.credential is CredentialKind.MANAGED_IDENTITY:
        # Speaks to the machine it runs on, not to the cloud's authority.
        return classes.ManagedIdentityCredential(client_id=settings.client_id or None, **options)
    options["authority"] = settings.cloud.authority
    if settings.cloud.ca_bundle:
        # A cloud with a certificate of its own is unknown to the public directory of authorities.
        options["disable_instance_discovery"] = True
    return _REMOTE[settings.credential](settings, classes, options)


def _workload(settings: GatewaySettings, classes: Any, options: dict[str, Any]) -> Any:
    return classes.WorkloadIdentityCredential(
        client_id=settings.client_id or None, tenant_id=settings.tenant_id or None, **options
    )


def _environment(settings: GatewaySettings, classes: Any, options: dict[str, Any]) -> Any:
    return classes.EnvironmentCredential(**options)


def _default(settings: GatewaySettings, classes: Any, options: dict[str, Any]) -> Any:
    return classes.DefaultAzureCredential(
        managed_identity_client_id=settings.client_id or None,
        workload_identity_client_id=settings.client_id or None,
        **options,
    )


_REMOTE: dict[CredentialKind, Callable[[GatewaySettings, Any, dict[str, Any]], Any]] = {
    CredentialKind.WORKLOAD_IDENTITY: _workload,
    CredentialKind.ENVIRONMENT: _environment,
    CredentialKind.DEFAULT: _default,
}
