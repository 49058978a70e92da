"""What one of several forms on a page held that was not stored, and why: so that nobody types anything twice. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Typed:
    """`form`: which of the forms it was. The ids of its fields are `f-`, the form's name and the field's."""

    form: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    def of(self, form: str, name: str) -> str:
        """What was typed into a field, when it was that form."""
        return self.values.get(name, "") if self.form == form else ""

    @property
    def wrong(self) -> dict[str, list[str]]:
        """What is wrong, by the ids of fields; "" is of the form as a whole."""
        return {f"{self.form}-{name}" if name else name: texts for name, texts in self.errors.items()}
