"""docs/reference/api.md tells of every operation, in the words of the code."""

from __future__ import annotations

import re

import pytest

from endpoints.api.operation import Operation
from endpoints.api.rules import Rule, Scope
from opsportal.embedded.fingerprint import ROOT
from tests.access_matrix.addresses import Address, addresses

PAGE = (ROOT / "docs" / "reference" / "api.md").read_text()
PREFIX = "/api/v1"


def described(address: Address) -> Operation | None:
    view = getattr(address.callback, "cls", None)
    return getattr(getattr(view, address.method.lower(), None), "operation", None)


OPERATIONS: dict[str, Operation] = {
    f"{address.method} {address.route.removeprefix(PREFIX)}": found
    for address in addresses()
    if address.route.startswith(PREFIX) and (found := described(address))
}
ENDS = {
    Scope.SIGNED_IN: "narrowed to it",
    Scope.INSTALLATION: "whole installation",
    Scope.WORKSPACE: "the workspace",
    Scope.OBJECT: "the object",
}


def row(name: str, told: Operation) -> str:
    limit = "" if told.is_throttled else " Not limited."
    return f"| `{name}` | {told.summary}.{limit} | {permission(told.rule)} |"


def permission(rule: Rule) -> str:
    if rule.action is None:
        return "signed in"
    then = f", then `{rule.then}`" if rule.then else ""
    return f"`{rule.action}`{then}: {ENDS[rule.scope]}"


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation__of_the_api__is_documented_with_its_permission(name):
    assert row(name, OPERATIONS[name]) in PAGE.splitlines(), row(name, OPERATIONS[name])


def test_page__names_no_operation_that_is_gone():
    named = [
        line.split("`")[1] for line in PAGE.splitlines() if line.startswith(("| `GET", "| `P", "| `DEL"))
    ]
    assert sorted(named) == sorted(OPERATIONS)


def test_page__tells_of_every_kind_of_problem():
    source = (ROOT / "endpoints" / "api" / "errors.py").read_text()
    kinds = set(re.findall(r'(?:\(|\d, )"([a-z-]+)", "[A-Z]', source))
    assert len(kinds) >= 12
    assert [kind for kind in sorted(kinds) if f"| `{kind}` |" not in PAGE] == []
