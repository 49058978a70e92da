"""Microsoft.Authorization/permissions: what the caller may do at a scope."""

from __future__ import annotations

from emulator import permissions
from emulator.arm.call import Call, Reply, reply
from emulator.arm.routes import ANY_SCOPE, Route, Table, at
from emulator.cloud import Cloud


def list_permissions(_cloud: Cloud, call: Call) -> Reply:
    return reply(permissions.listed(call.identity, call.scope))


ROUTES: Table = {at("GET", ANY_SCOPE, "permissions"): Route(list_permissions, None)}
