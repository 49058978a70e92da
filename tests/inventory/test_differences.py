"""What moved, in words; and short names of assets."""

from __future__ import annotations

import pytest

from endpoints.inventory.assets import short
from endpoints.inventory.differences import between


def test_difference__of_two_states__names_fields_and_both_values():
    old = {"traffic": {"blue": 100}, "auth_mode": "Key", "model": "/x/models/risk/versions/7", "same": 1}
    new = {"traffic": {}, "auth_mode": "AMLToken", "model": "/x/models/risk/versions/8", "same": 1, "n": [1]}

    assert [(one.label, one.before, one.after) for one in between(old, new)] == [
        ("traffic", "blue 100\u00a0%", "no traffic"),
        ("model", "risk:7", "risk:8"),
        ("authentication", "Key", "AMLToken"),
        ("n", "", "[1]"),
    ]


def test_difference__of_a_very_long_value__is_cut():
    assert between({}, {"description": "x" * 1000})[0].after.endswith("…")


@pytest.mark.parametrize(
    ("asset", "name"),
    [
        ("/subscriptions/s/resourceGroups/g/providers/M/workspaces/w/models/risk/versions/7", "risk:7"),
        ("azureml://registries/r/environments/sklearn/versions/12", "sklearn:12"),
        ("azureml://registries/r/environments/sklearn/labels/latest", "sklearn@latest"),
        ("azureml:risk:7", "risk:7"),
        ("mcr.microsoft.com/image:tag", "mcr.microsoft.com/image:tag"),
        ("", ""),
    ],
)
def test_asset__in_each_form__has_a_short_name(asset, name):
    assert short(asset) == name
