"""The access matrix as a page of the documentation."""

from __future__ import annotations

from endpoints.access.matrix import TABLE, Place, Reach, Rule, Scope
from endpoints.access.roles import TITLES, Role

_HEAD = """# Access matrix

Made by `manage.py access_matrix` from the policy's own table (`endpoints/access/matrix.py`); a test keeps the two
equal. What is not listed is refused.

"""
_CELLS = {
    Reach.YES: "yes",
    Reach.OWN: "own",
    Reach.OTHERS: "yes, but not of one's own",
    Reach.UNINVOLVED: "yes, but not what one wrote or edited",
}
_TAIL = """
"own": only what the account, or another account of the same person, wrote or did.

Roles on a workspace count there only; roles on the installation (platform administrator, auditor) count
everywhere. A token needs the scope and its owner needs the role, at the moment of use; a token limited to
workspaces can do nothing that concerns the whole installation. Only persons approve; a role that somebody gave
themselves, and an account whose password somebody else set, do not approve for 24 hours.

Whoever may decide on latency budgets sets the first one of an endpoint, and a tighter one, by proposing it. A looser
one takes two persons: one proposes it and another one decides.

## Scopes of tokens

"""


def page() -> str:
    """The whole page as Markdown."""
    roles = list(Role)
    head = ["Action", "Asked of", *(_capital(TITLES[role]) for role in roles), "Token scope"]
    lines = [_line(head), _line(["---"] * len(head))]
    lines += [_line(_cells(rule, roles)) for rule in TABLE.values()]
    return _HEAD + "\n".join(lines) + "\n" + _TAIL + "\n".join(map(_scope_line, Scope)) + "\n"


def _cells(rule: Rule, roles: list[Role]) -> list[str]:
    everybody = "yes" if rule.everybody else "-"
    cells = [_CELLS[rule.roles[role]] if role in rule.roles else everybody for role in roles]
    place = "the workspace" if rule.place is not Place.INSTALLATION else "the installation"
    return [_capital(rule.says), place, *cells, f"`{rule.scope}`" if rule.scope else "never"]


def _scope_line(scope: Scope) -> str:
    allowed = [rule.says for rule in TABLE.values() if rule.scope is scope]
    return f"- `{scope}`: {'; '.join(allowed)}"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
