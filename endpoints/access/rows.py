"""What this room's selectors hand out: frozen rows, no model and no secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from endpoints.access.roles import Role


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    """A connected, or once connected, workspace."""

    id: int
    slug: str
    name: str
    arm_id: str
    subscription_id: str
    resource_group: str
    region: str
    environment: str
    connected_at: datetime
    disconnected_at: datetime | None

    @property
    def is_production(self) -> bool:
        return self.environment == "production"


@dataclass(frozen=True, slots=True)
class PersonRow:
    """An account as other people may see it."""

    id: int
    username: str
    display_name: str
    kind: str
    is_active: bool

    @property
    def ref(self) -> str:
        return f"user:{self.id}"


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A role of an account, now or once. No workspace: the whole installation."""

    id: int
    user_id: int
    user_name: str
    workspace_id: int | None
    workspace: str
    role: Role
    since: datetime
    until: datetime | None
    granted_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An API token without its secret."""

    id: int
    owner_id: int
    owner: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    workspaces: tuple[int, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
