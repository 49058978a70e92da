"""What a scenario tells beside its fleet: quota, prices that are not known or differ, vaults, who writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from emulator.compute import sizes
from emulator.compute.quota import Limit
from emulator.fold import Who
from emulator.reading import ScenarioError, listed, mapping, parts
from emulator.values import Json
from emulator.vault.secrets import Secret, Vault, Vaults
from emulator.writers import writer

_SECRET_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")


def quotas(value: Any, subscriptions: Json) -> tuple[Limit, ...]:
    return tuple(_quota(item, i, subscriptions) for i, item in enumerate(listed(value, "quotas"), 1))


def unpriced(value: Any) -> frozenset[str]:
    """Names of sizes, in lower case."""
    told = [str(name) for name in listed(value, "unpriced")]
    unknown = [name for name in told if sizes.find(name) is None]
    if unknown:
        raise ScenarioError(f"unpriced: there is no size {', '.join(unknown)}.")
    return frozenset(name.lower() for name in told)


def retail(value: Any) -> dict[str, float]:
    """By how much the retail list is dearer than the list of sizes: a factor by lower-case size."""
    found = {}
    for name, factor in mapping(value, "retail").items():
        if sizes.find(str(name)) is None:
            raise ScenarioError(f"retail: there is no size {name!r}.")
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or factor < 0:
            raise ScenarioError(f"retail: {name} has a factor of 0 or more, not {factor!r}.")
        found[str(name).lower()] = float(factor)
    return found


def writers(value: Any) -> dict[str, Who]:
    """Who writes in this world, by the name that `by` and `shifted_by` use."""
    found = {}
    for name, item in mapping(value, "writers").items():
        where = f"writer {name}"
        part = parts(mapping(item, where), where, upn=None, app_id=None, object_id=None)
        if part["upn"] is not None and part["app_id"] is not None:
            raise ScenarioError(f"{where}: a person has an upn, an application an app_id, nobody both.")
        found[str(name)] = writer(str(name), **part)
    return found


def vaults(value: Any, subscriptions: Json, endpoints: Mapping[str, str]) -> Vaults:
    """Vaults and their secrets; `endpoints` are ARM ids by `workspace/endpoint`."""
    found = []
    for name, item in mapping(value, "vaults").items():
        where = f"vault {name}"
        part = parts(mapping(item, where), where, subscription=..., group=..., secrets={})
        subscription = subscriptions.get(part["subscription"], part["subscription"])
        told = mapping(part["secrets"], f"secrets of {where}")
        secrets = [_secret(str(key), secret, where, endpoints) for key, secret in told.items()]
        group = f"/subscriptions/{subscription}/resourceGroups/{part['group']}"
        found.append(
            Vault(
                str(name),
                f"{group}/providers/Microsoft.KeyVault/vaults/{name}",
                {secret.name.lower(): secret for secret in secrets},
            )
        )
    return Vaults(tuple(found))


def _secret(name: str, value: Any, vault: str, endpoints: Mapping[str, str]) -> Secret:
    where = f"secret {name} of {vault}"
    if _SECRET_NAME.fullmatch(name) is None:
        raise ScenarioError(f"{where}: a name has letters, digits and dashes.")
    told = mapping(value, where)
    part = parts(told, where, value=None, key_of=None, which="Primary", enabled=True)
    if (part["value"] is None) == (part["key_of"] is None):
        raise ScenarioError(f"{where}: either value or key_of.")
    if part["key_of"] is not None and part["key_of"] not in endpoints:
        raise ScenarioError(f"{where}: there is no endpoint {part['key_of']!r} (workspace/endpoint).")
    if part["which"] not in {"Primary", "Secondary"}:
        raise ScenarioError(f"{where}: which is Primary or Secondary.")
    if not isinstance(part["enabled"], bool):
        raise ScenarioError(f"{where}: enabled is true or false.")
    return Secret(
        name=name,
        value=None if part["value"] is None else str(part["value"]),
        key_of=endpoints.get(part["key_of"]),
        which=part["which"],
        enabled=part["enabled"],
    )


def _quota(value: Any, number: int, subscriptions: Json) -> Limit:
    where = f"quota {number}"
    part = parts(mapping(value, where), where, family=..., limit=..., subscription=None, region=None)
    known = sizes.families()
    if str(part["family"]).lower() not in {family.lower() for family in known}:
        raise ScenarioError(f"{where}: there is no family {part['family']!r}; known: {', '.join(known)}.")
    cores = part["limit"]
    if isinstance(cores, bool) or not isinstance(cores, int) or cores < 0:
        raise ScenarioError(f"{where}: limit is a whole number of cores, not {cores!r}.")
    named, region = part["subscription"], part["region"]
    return Limit(
        family=str(part["family"]),
        cores=cores,
        subscription=None if named is None else str(subscriptions.get(named, named)).lower(),
        region=None if region is None else sizes.region_key(str(region)),
    )
