"""One request to one deployment of an endpoint, to see whether and how fast it answers.

Whatever status comes back is an answer; only what brings none raises. The SDK's `invoke()` is not used: it
leaves its header to every later call of the process, and gives the body without saying who answered.
"""

from __future__ import annotations

import re

from endpoints.azure_gateway import failures, places, vault
from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.records import EntraCredential, KeyFrom, ProbeAnswer
from endpoints.azure_gateway.settings import CloudSettings
from endpoints.azure_gateway.wire import MOST_BYTES, Answer, Wire

_DEPLOYMENT = "azureml-model-deployment"
_MODEL_STATUS = "ms-azureml-model-error-statuscode"
_MODEL_REASON = "ms-azureml-model-error-reason"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
# What a header can hold; anything else in it would end up in an error's text.
_KEY = re.compile(r"[!-~]{1,8192}")


async def probe(
    wire: Wire,
    cloud: CloudSettings,
    scoring_uri: str,
    deployment: str,
    body: bytes,
    *,
    credential: EntraCredential | KeyFrom,
) -> ProbeAnswer:
    """Send a JSON body to one deployment, past the split: one with no traffic, or mirrored traffic, answers too."""
    address = places.scoring_address(cloud, scoring_uri)
    if not _NAME.fullmatch(deployment):
        raise ValueError(f"{deployment!r} is not the name of a deployment.")
    key = await _key(wire, cloud, credential) if isinstance(credential, KeyFrom) else ""
    answer = await wire.probe(
        places.origin(address), address, body, headers={_DEPLOYMENT: deployment}, key=key
    )
    return _read(answer)


async def _key(wire: Wire, cloud: CloudSettings, credential: KeyFrom) -> str:
    key = (await vault.read_secret(wire, cloud, credential.secret_uri)).value.strip()
    if not _KEY.fullmatch(key):
        raise Malformed(
            credential.secret_uri, "the secret can't be an endpoint's key; nothing was sent with it"
        )
    return key


def _read(answer: Answer) -> ProbeAnswer:
    return ProbeAnswer(
        status=answer.status,
        seconds=(answer.response_ended - answer.request_began).total_seconds(),
        deployment=answer.headers.get(_DEPLOYMENT, ""),
        request_id=answer.headers.get("x-request-id", ""),
        body=answer.content[:MOST_BYTES],
        truncated=len(answer.content) > MOST_BYTES,
        error=_error(answer),
    )


def _error(answer: Answer) -> str:
    """What went wrong, for people. 424 is how Azure passes on that the model's own container failed."""
    if 200 <= answer.status < 300:
        return ""
    said = f"The endpoint answered {answer.status}"
    if model := answer.headers.get(_MODEL_STATUS, ""):
        said += f", its model {model}"
    text = answer.headers.get(_MODEL_REASON, "") or failures.error_of(answer.content[:MOST_BYTES])[1]
    return failures.cut(f"{said}: {text}" if text else f"{said}.")
