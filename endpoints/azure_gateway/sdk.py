"""What azure-ai-ml does better than plain calls: YAML of one entity, container logs, a connection test.

Its clients are synchronous, slow to import and keep global state, so each use runs in a thread with a
deadline. Never `invoke()` (it leaves a header behind for every later call of the process), never a write (it
repeats them and drops fields).
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from endpoints.azure_gateway import arm, failures
from endpoints.azure_gateway.credentials import PROCESS_TOKENS, TokenCache, sync_credential
from endpoints.azure_gateway.errors import CallIds, GatewayError, Malformed, Unreachable
from endpoints.azure_gateway.settings import CLOUDS, CloudSettings, GatewaySettings
from endpoints.core.ids import parse_workspace_id

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

T = TypeVar("T")

_HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class SdkConnection:
    """What the SDK saw when it opened a workspace."""

    workspace: str
    location: str
    endpoint_count: int


async def try_connection(
    settings: GatewaySettings, workspace_arm_id: str, *, tokens: TokenCache = PROCESS_TOKENS
) -> SdkConnection:
    """Open a workspace with the SDK and count its endpoints; GatewayError says what fails."""

    def look(client: MLClient) -> SdkConnection:
        workspace = client.workspaces.get(client.workspace_name)
        count = sum(1 for _ in client.online_endpoints.list())
        return SdkConnection(str(workspace.name), str(workspace.location), count)

    return await _in_thread(settings, workspace_arm_id, tokens, look)


async def endpoint_yaml(
    settings: GatewaySettings, endpoint_arm_id: str, *, tokens: TokenCache = PROCESS_TOKENS
) -> str:
    """The endpoint as `az ml online-endpoint show` would write it."""
    workspace, name = _split(arm.path("endpoint", endpoint_arm_id))

    def look(client: MLClient) -> str:
        return _yaml(client.online_endpoints.get(name))

    return await _in_thread(settings, workspace, tokens, look)


async def deployment_yaml(
    settings: GatewaySettings, deployment_arm_id: str, *, tokens: TokenCache = PROCESS_TOKENS
) -> str:
    """The deployment as YAML; the values of its environment variables are hidden."""
    endpoint, _, name = arm.path("deployment", deployment_arm_id).rpartition("/deployments/")
    workspace, endpoint_name = _split(endpoint)

    def look(client: MLClient) -> str:
        entity = client.online_deployments.get(name, endpoint_name)
        entity.environment_variables = dict.fromkeys(entity.environment_variables or {}, _HIDDEN)
        return _yaml(entity)

    return await _in_thread(settings, workspace, tokens, look)


async def deployment_logs(
    settings: GatewaySettings,
    deployment_arm_id: str,
    *,
    lines: int = 200,
    storage_initializer: bool = False,
    tokens: TokenCache = PROCESS_TOKENS,
) -> str:
    """The last lines that the container wrote; Azure gives no time range and no choice of instance."""
    endpoint, _, name = arm.path("deployment", deployment_arm_id).rpartition("/deployments/")
    workspace, endpoint_name = _split(endpoint)
    container = "storage-initializer" if storage_initializer else "inference-server"

    def look(client: MLClient) -> str:
        return str(client.online_deployments.get_logs(name, endpoint_name, lines, container_type=container))

    return await _in_thread(settings, workspace, tokens, look)


def open_client(
    settings: GatewaySettings, workspace_arm_id: str, *, tokens: TokenCache = PROCESS_TOKENS
) -> MLClient:
    """An MLClient for a workspace: our identity, cloud and deadlines, no repeats. Imports the SDK (1.5 s)."""
    from azure.ai.ml import MLClient

    workspace = parse_workspace_id(workspace_arm_id)
    name, options = _cloud_options(settings.cloud)
    if settings.cloud.ca_bundle:
        options["connection_verify"] = settings.cloud.ca_bundle
    return MLClient(
        sync_credential(settings, tokens),
        workspace.subscription,
        workspace.resource_group,
        workspace.name,
        cloud=name,
        show_progress=False,
        enable_telemetry=False,
        retry_total=0,
        connection_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        **options,
    )


def _cloud_options(cloud: CloudSettings) -> tuple[str, dict[str, Any]]:
    """The cloud's name and, for one that the SDK does not know, its description.

    The SDK keeps clouds in a global table in which the first definition of a name wins: the address in
    the name keeps two of them apart.
    """
    known = CLOUDS.get(cloud.name)
    if known and known.resource_manager == cloud.resource_manager:
        return cloud.name, {}
    metadata = {
        "azure_portal": cloud.portal,
        "resource_manager": cloud.resource_manager,
        "active_directory": cloud.authority,
        "aml_resource_id": cloud.studio,
        "storage_endpoint": cloud.storage_suffix,
        "registry_discovery_endpoint": cloud.registry_discovery,
    }
    return f"{cloud.name}@{urlsplit(cloud.resource_manager).netloc}", {"cloud_metadata": metadata}


async def _in_thread(
    settings: GatewaySettings, workspace_arm_id: str, tokens: TokenCache, look: Callable[[MLClient], T]
) -> T:
    def run() -> T:
        try:
            return look(open_client(settings, workspace_arm_id, tokens=tokens))
        except Exception as error:  # the SDK raises TypeErrors for documents it did not expect
            raise _translated(error, settings) from error

    try:
        async with asyncio.timeout(settings.deadline):
            return await asyncio.to_thread(run)
    except TimeoutError:
        # The thread ends by itself at the socket's own timeout.
        raise Unreachable(f"The SDK gave no answer within {settings.deadline:g} s.") from None


def _translated(error: Exception, settings: GatewaySettings) -> GatewayError:
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    if isinstance(error, GatewayError):
        return error
    response: Any = error.response if isinstance(error, HttpResponseError) else None
    if response is not None and not isinstance(error, ClientAuthenticationError):
        headers = dict(response.headers)
        ids = CallIds(azure_request_id=headers.get("x-ms-request-id", ""))
        return failures.from_answer(response.status_code, headers, response.body(), ids, write=False)
    if isinstance(error, AzureError):
        return failures.from_exception(error, CallIds(), write=False, deadline=settings.deadline)
    return Malformed("SDK", f"it could not understand Azure's answer ({type(error).__name__}: {error})")


def _split(endpoint_path: str) -> tuple[str, str]:
    """Workspace id and endpoint name."""
    workspace, _, name = endpoint_path.rsplit("/", 2)
    return workspace, name


def _yaml(entity: Any) -> str:
    import yaml

    target = io.StringIO()
    # A deployment writes itself to the file that it is given, an endpoint ignores it and returns a mapping.
    returned = entity.dump(target)
    if returned is None:
        return target.getvalue()
    return yaml.safe_dump(json.loads(json.dumps(returned)), sort_keys=False)
