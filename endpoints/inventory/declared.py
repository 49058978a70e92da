"""What YAML files of a repository say of an endpoint, held against what is live: same, different, or cannot tell. Pure.

Only what a file says is compared. What it leaves to be filled in, builds from local files, or names by a moving label
is unknown, and so is what Azure does not report: neither is a difference, and neither is a pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from endpoints.core import traffic
from endpoints.inventory import azml, yamlfile
from endpoints.inventory.assets import short
from endpoints.inventory.yamlfile import Read

_ENDPOINT_KEYS = frozenset({"auth_mode", "traffic", "mirror_traffic", "public_network_access", "compute"})
_DEPLOYMENT_KEYS = frozenset(
    {"endpoint_name", "model", "environment", "code_configuration", "instance_type", "instance_count"}
)
# Said of a file, not of what it makes.
_NOT_STATE = frozenset({"$schema", "name", "type", "id", "location", "provisioning_state", "scoring_uri"})
_WITHOUT_CASE = frozenset(
    {"auth_mode", "public_network_access", "egress_public_network_access", "instance_type", "endpoint_name"}
)
_LONGEST = 300


class Outcome(StrEnum):
    SAME = "same"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Declared:
    """One document. `kind` is "endpoint", "deployment" or "" for neither; `name` is "" where it says none of use.

    `fields` are its leaves by dotted key; `unknown` says of some of them why they can't be compared.
    """

    file: str
    kind: str
    name: str
    fields: Mapping[str, Any]
    unknown: Mapping[str, str]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One field, as declared and as live in text. `reason`: why it can't be told, or how it was compared."""

    field: str
    declared: str
    live: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One document against what is live. `lines` is empty where there was nothing to compare with: see `problems`."""

    file: str
    kind: str
    name: str
    lines: tuple[Line, ...]
    problems: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst: a difference, else what can't be told. A file of which nothing was compared is unknown."""
        found = {line.outcome for line in self.lines}
        if Outcome.DIFFERS in found:
            return Outcome.DIFFERS
        return Outcome.UNKNOWN if Outcome.UNKNOWN in found or not found else Outcome.SAME


def declarations(file: str, text: str) -> list[Declared]:
    """Every document of a file; one that can't be read at all comes back with its problems alone."""
    found = yamlfile.read(text)
    if not found.documents:
        nothing = found.problems or ("It is empty.",)
        return [Declared(file, "", "", {}, {}, nothing)]
    return [_declared(file, document, found) for document in found.documents]


def compare(
    declared: Declared,
    endpoint: str,
    states: Sequence[Mapping[str, Any]],
    *,
    name: str = "",
) -> Comparison:
    """Hold a document against a live state; none in `states`: nothing is known to be live. `name`: the deployment's."""
    named = name or declared.name
    if not states:
        return Comparison(
            file=declared.file, kind=declared.kind, name=named, lines=(), problems=declared.problems
        )
    state = states[0]
    body = (
        azml.endpoint(endpoint, state)
        if declared.kind == "endpoint"
        else azml.deployment(endpoint, named, state)
    )
    live = _flat(body.values)
    names = state.get("environment_variable_names") or ()
    if names:
        live["environment_variables"] = sorted(names)
    lines = [
        _line(key, value, live.get(key), declared.unknown.get(key, ""))
        for key, value in declared.fields.items()
    ]
    return Comparison(declared.file, declared.kind, named, tuple(lines), declared.problems)


def _declared(file: str, document: Any, found: Read) -> Declared:
    if not isinstance(document, Mapping):
        return Declared(
            file, "", "", {}, {}, (*found.problems, "It is a list or a text, not an endpoint or deployment.")
        )
    data = {str(key): value for key, value in document.items()}
    kind, problems = _kind(data), list(found.problems)
    if not kind:
        problems.append("It is neither an online endpoint's file nor a deployment's.")
        return Declared(file, "", "", {}, {}, tuple(problems))
    name, unfilled = data.get("name"), found.placeholder_in(data.get("name"))
    if unfilled:
        problems.append(f"Its name is to be filled in: {found.original(str(name))}.")
    elif not isinstance(name, str | int) or name == "":
        problems.append("It has no name.")
    fields, unknown = _fields(data, found)
    usable = "" if unfilled or not isinstance(name, str | int) else str(name)
    return Declared(file, kind, usable, fields, unknown, tuple(problems))


def _kind(data: Mapping[str, Any]) -> str:
    """By its schema's address, whatever its version or host; else by keys that only one of the two has."""
    schema = str(data.get("$schema") or "").lower()
    if "batch" in schema:
        return ""
    for kind in ("deployment", "endpoint"):
        if f"online{kind}" in schema:
            return kind
    if data.keys() & _DEPLOYMENT_KEYS:
        return "deployment"
    return "endpoint" if data.keys() & _ENDPOINT_KEYS else ""


def _fields(data: Mapping[str, Any], found: Read) -> tuple[dict[str, Any], dict[str, str]]:
    """Leaves to compare, and why some can't be."""
    fields: dict[str, Any] = {}
    unknown: dict[str, str] = {}
    for key, value in _flat({k: v for k, v in data.items() if k not in _NOT_STATE}).items():
        if key == "environment_variables":
            fields[key] = sorted(str(one) for one in value) if isinstance(value, Mapping) else value
            continue
        if unfilled := found.placeholder_in(value):
            fields[key], unknown[key] = _original(value, found), f"It is to be filled in: {unfilled}."
            continue
        fields[key] = value
        if reason := _not_told(key, value):
            unknown[key] = reason
    return fields, unknown


def _not_told(key: str, value: Any) -> str:
    """Why a value says nothing of what became of it in Azure; "" when it says enough."""
    if key in ("model", "environment"):
        if isinstance(value, Mapping):
            return "" if value.get("version") and value.get("name") else _INLINE
        if not isinstance(value, str):
            return "It is no reference to an asset."
        if "@" in value or "/labels/" in value:
            return "It names a label, which moves: the file does not say which version."
        return "" if _version(value) else "It names no version."
    if key == "code_configuration.code":
        remote = isinstance(value, str) and value.startswith(("azureml:", "/subscriptions/"))
        return "" if remote else _INLINE
    if key in ("traffic", "mirror_traffic") and not _is_split(value):
        return "It is no split of whole percents."
    return ""


_INLINE = "It is made from files of the repository; which version that became the file does not say."


def _line(key: str, declared: Any, live: Any, unknown: str) -> Line:
    shown, live_shown = _shown(key, declared), _shown(key, live)
    if unknown:
        return Line(key, shown, live_shown, Outcome.UNKNOWN, unknown)
    if live is None and not _is_empty(declared):
        if key in ("traffic", "mirror_traffic", "tags", "environment_variables", "description"):
            return Line(key, shown, "none", Outcome.DIFFERS)
        return Line(key, shown, "not reported", Outcome.UNKNOWN, "Azure does not report it.")
    same = (_is_empty(declared) and _is_empty(live)) or _plain(key, declared) == _plain(key, live)
    reason = ""
    if key == "environment_variables":
        reason = "Only the names: values are not kept."
    elif key in ("model", "environment") and same:
        reason = "By name and version."
    return Line(key, shown, live_shown, Outcome.SAME if same else Outcome.DIFFERS, reason)


def _plain(key: str, value: Any) -> Any:
    """Equal for what Azure takes for equal."""
    if key in ("traffic", "mirror_traffic"):
        return traffic.normalise(value) if _is_split(value) else value
    if key in ("model", "environment"):
        return _version(value).lower()
    if key in ("code_configuration.code", "compute"):
        return str(value).removeprefix("azureml:").rstrip("/").lower().rpartition("/")[2]
    if key == "identity.user_assigned_identities":
        return sorted(_assigned(value))
    if key.startswith(("tags", "properties")) and isinstance(value, Mapping):
        return {str(name): str(one) for name, one in value.items()}
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return float(value)
    text = str(value)
    if key in _WITHOUT_CASE:
        return text.lower().replace("_", "")
    if text.lower() in ("true", "false"):
        return text.lower()
    return _number(text) if not key.startswith("description") else text


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _assigned(value: Any) -> Iterable[str]:
    for one in value if isinstance(value, list) else []:
        yield str(one.get("resource_id") if isinstance(one, Mapping) else one).lower()


def _version(value: Any) -> str:
    """`risk:7`; "" where no version is named."""
    if isinstance(value, Mapping):
        return f"{value.get('name')}:{value.get('version')}"
    told = short(str(value))
    return told if ":" in told.removeprefix("azureml:") and "/" not in told else ""


def _is_split(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(weight, int) and not isinstance(weight, bool) for weight in value.values()
    )


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == {} or value == []


# Compared as a whole: what is in them belongs together.
_WHOLE = frozenset(
    {"traffic", "mirror_traffic", "tags", "properties", "model", "environment", "environment_variables"}
)


def _flat(data: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Maps opened into dotted keys, lists and `_WHOLE` kept."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        key = f"{above}{name}"
        if isinstance(value, Mapping) and value and key not in _WHOLE:
            found |= _flat(value, f"{key}.")
        else:
            found[key] = value
    return found


def _original(value: Any, found: Read) -> Any:
    return found.original(
        value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    )


def _shown(key: str, value: Any) -> str:
    if value is None:
        return ""
    if key in ("traffic", "mirror_traffic") and _is_split(value):
        return traffic.describe(value)
    if isinstance(value, str):
        text = short(value) if key in ("model", "environment") else value
    elif key == "environment_variables" and isinstance(value, list):
        text = ", ".join(str(one) for one in value)
    else:
        text = json.dumps(value, default=str, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
