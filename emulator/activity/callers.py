"""How the activity log names who called: a person by user principal name, an application by its id. Pure."""

from __future__ import annotations

import re

from emulator.fold import Who
from emulator.values import Json, guid

_IN_BRACKETS = re.compile(r"\(([^)]+)\)")
_SCHEMA = "http://schemas.microsoft.com/identity/claims"
_XML = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"


def principal_name(name: str) -> str:
    """`az ml (M. Silva)` and `M. Silva` are m.silva@contoso.example: a person may write by any tool."""
    person = _IN_BRACKETS.search(name)
    words = re.findall(r"[\w-]+", person[1] if person is not None else name)
    return f"{'.'.join(words).lower()}@contoso.example"


def caller(who: Who, *, app_caller: str) -> str:
    if who.type == "User":
        return who.upn or principal_name(who.name)
    return app_id(who) if app_caller == "app_id" else who.id


def app_id(who: Who) -> str:
    return who.app_id or guid("app", who.name)


def address(who: Who) -> str:
    """An address out of the block for documentation, one for each caller."""
    return f"192.0.2.{1 + int(guid('address', who.id)[:2], 16) % 254}"


def claims(who: Who, *, tenant: str) -> Json:
    """What the token told of the caller, all of it text."""
    told = {
        "aud": "https://management.core.windows.net/",
        "iss": f"https://sts.windows.net/{tenant}/",
        f"{_SCHEMA}/tenantid": tenant,
        f"{_SCHEMA}/objectidentifier": who.id,
        "ipaddr": address(who),
        "ver": "1.0",
    }
    if who.type == "User":
        name = who.upn or principal_name(who.name)
        return {
            **told,
            "appid": who.app_id or _AZURE_CLI,
            f"{_XML}/upn": name,
            f"{_XML}/name": name,
            "name": who.name,
            f"{_SCHEMA}/scope": "user_impersonation",
        }
    return {**told, "appid": app_id(who), "appidacr": "2", "idtyp": "app"}


_AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The public client through which people write with `az`."""
