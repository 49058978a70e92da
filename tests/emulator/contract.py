"""Microsoft's JSON schemas as a judge: which operation a request or an answer belongs to, and whether it fits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema


@dataclass(frozen=True)
class Contract:
    """The schemas of one api-version."""

    folder: Path
    version: str

    @cached_property
    def document(self) -> dict[str, Any]:
        path = self.folder / "schemas" / f"online-{self.version}.schema.json"
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def errors(self, operation: str, value: Any) -> list[str]:
        """What is wrong with `value` as `OnlineEndpoints_Get.200` or the like; KeyError if there is no schema."""
        schema = {**self.document["x-operations"][operation], "$defs": self.document["$defs"]}
        judge = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        return [f"{error.json_path}: {error.message[:300]}" for error in judge.iter_errors(value)]

    def example(self, path: str) -> dict[str, Any]:
        text = (self.folder / "examples" / self.version / path).read_text(encoding="utf-8")
        return dict(json.loads(text))
