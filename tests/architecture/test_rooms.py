"""The house's rules that import-linter can't see."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps

from opsportal.embedded.fingerprint import ROOT
from opsportal.grants import APPEND_ONLY_TABLES
from tests.architecture import house

# What a room may not know: the way people reach it.
HTTP = ("django.http", "django.shortcuts", "django.urls", "django.template", "django.views", "django.forms")
# Columns that would hold what must never be stored.
SECRET_COLUMN = re.compile(
    r"(primary|secondary|access|scoring|account|api)_?key|connection_?string|client_?secret"
)


def _told(problems: list[str]) -> str:
    return "\n".join(problems)


def test_imports__everywhere__keep_the_contracts() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room__in_the_folder__has_its_place_in_the_layers() -> None:
    folders = {path.name for path in (ROOT / "endpoints").iterdir() if (path / "__init__.py").exists()}
    assert folders == set(house.ranks())


def test_foreign_keys__of_every_model__point_down_or_sideways_in_the_room() -> None:
    ranks = house.ranks()
    upward = [
        f"{model._meta.label}.{field.name} points up to {field.related_model._meta.label}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and field.related_model
        if model._meta.app_label in ranks and field.related_model._meta.app_label in ranks
        if model._meta.app_label != field.related_model._meta.app_label
        if ranks[model._meta.app_label] <= ranks[field.related_model._meta.app_label]
    ]
    assert not upward, _told(upward)


def test_the_ledger__whatever_it_is_about__has_no_foreign_key_into_another_room() -> None:
    outward = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_app_config("audit").get_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and field.related_model._meta.app_label != "audit"
    ]
    assert not outward, _told(outward)


def test_imports__hidden_from_the_linter_by_type_checking__look_down_too() -> None:
    ranks = house.ranks()
    upward = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, tree in house.parsed(house.sources("endpoints"))
        if path.parent != ROOT / "endpoints"
        for name in house.imported(tree)
        if name.startswith("endpoints.") and (other := name.split(".")[1]) in ranks
        if other != house.room_of(path) and ranks[other] >= ranks[house.room_of(path)]
    ]
    assert not upward, _told(upward)


@pytest.mark.parametrize("room", house.rooms())
def test_a_room__whatever_it_does__knows_nothing_of_http(room: str) -> None:
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, tree in house.parsed(house.sources(f"endpoints/{room}"))
        for name in house.imported(tree)
        if name.startswith(HTTP)
    ]
    assert not found, _told(found)


def test_the_code__in_every_kind_of_run__takes_the_same_branches() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in house.parsed(house.sources("endpoints", "opsportal"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "DEBUG"
    ]
    assert not found, _told(found)


def test_the_code__to_tell_another_room__uses_rows_instead_of_signals() -> None:
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, tree in house.parsed(house.sources("endpoints", "opsportal"))
        for name in house.imported(tree)
        if name.startswith(
            ("django.db.models.signals", "django.dispatch", "django.contrib.contenttypes.fields")
        )
    ]
    assert not found, _told(found)


def test_services__reading_the_clock__are_asked_for_no_naive_time() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in house.parsed(house.sources("endpoints"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"utcnow", "utcfromtimestamp"}
    ]
    assert not found, _told(found)


def test_columns__of_every_table__hold_no_key_of_azure() -> None:
    found = [
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_fields
        # A primary key of several columns is a field without one of its own.
        if field.column is not None and SECRET_COLUMN.search(field.column)
    ]
    assert not found, _told(found)


def test_history__of_every_room__is_named_as_it_is_in_the_database() -> None:
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert set(APPEND_ONLY_TABLES) <= tables
