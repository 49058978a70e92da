"""Who asks: one account with its powers at this moment, as plain data for `policies` to judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from endpoints.access.roles import Role
from endpoints.audit.actors import ANONYMOUS as ANONYMOUS_ACTOR
from endpoints.audit.actors import Actor

Kind = Literal["person", "service", "anonymous"]


@dataclass(frozen=True, slots=True)
class Principal:
    """`roles` by workspace id; `installation` roles hold everywhere. `scopes` are a token's; None: a session.

    `fresh_self_grants` are roles (None: the installation) that the account gave itself less than a day ago.
    `same_person` holds the ids of all accounts that the human behind this one can act as, this one included.
    `held_back` says why the account can't approve for now (somebody else set its password today).
    """

    user_id: int | None
    ref: str
    kind: Kind
    roles: Mapping[int, frozenset[Role]] = field(default_factory=dict)
    installation: frozenset[Role] = frozenset()
    scopes: frozenset[str] | None = None
    token_workspaces: frozenset[int] | None = None
    auth: str = "session"
    display_name: str = ""
    time_zone: str = "UTC"
    shortcuts_enabled: bool = True
    fresh_self_grants: frozenset[tuple[int | None, Role]] = frozenset()
    held_back: str = ""
    same_person: frozenset[int] = frozenset()
    ip: str = ""

    @property
    def is_anonymous(self) -> bool:
        return self.user_id is None

    @property
    def is_token(self) -> bool:
        return self.scopes is not None

    @property
    def actor(self) -> Actor:
        """This principal as the ledger names it."""
        return Actor(self.ref, self.auth, ip=self.ip)

    def roles_on(self, workspace_id: int) -> frozenset[Role]:
        """The roles that count on one workspace."""
        return self.roles.get(workspace_id, frozenset()) | self.installation

    def is_any_of(self, user_ids: Iterable[int | None]) -> bool:
        """Whether one of these accounts belongs to the same human: for `own` and `involved`."""
        mine = self.same_person | {self.user_id}
        return any(user_id is not None and user_id in mine for user_id in user_ids)


ANONYMOUS = Principal(
    user_id=None,
    ref=ANONYMOUS_ACTOR.ref,
    kind="anonymous",
    auth=ANONYMOUS_ACTOR.auth,
    shortcuts_enabled=False,
)
