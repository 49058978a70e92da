"""Any principal that could ever be built."""

from __future__ import annotations

from hypothesis import strategies as st

from endpoints.access.matrix import Scope
from endpoints.access.principals import Principal
from endpoints.access.roles import INSTALLATION_ROLES, WORKSPACE_ROLES, Role

WORKSPACES = (1, 2, 3)

workspace_roles = st.frozensets(st.sampled_from(sorted(WORKSPACE_ROLES)), max_size=6)
scopes = st.frozensets(st.sampled_from(sorted(Scope)))


@st.composite
def principals(draw: st.DrawFn, *, tokens: bool | None = None) -> Principal:
    is_token = draw(st.booleans()) if tokens is None else tokens
    return Principal(
        user_id=7,
        ref="user:7",
        kind=draw(st.sampled_from(["person", "service"])),
        roles=draw(st.dictionaries(st.sampled_from(WORKSPACES), workspace_roles)),
        installation=draw(st.frozensets(st.sampled_from(sorted(INSTALLATION_ROLES)))),
        scopes=draw(scopes) if is_token else None,
        token_workspaces=draw(st.none() | st.frozensets(st.sampled_from(WORKSPACES))) if is_token else None,
        auth="token:3" if is_token else "session",
        fresh_self_grants=draw(
            st.frozensets(st.tuples(st.sampled_from(WORKSPACES), st.sampled_from(sorted(Role))), max_size=3)
        ),
        held_back=draw(st.sampled_from(["", "Somebody else set your password."])),
        same_person=frozenset({7}),
    )
