"""A message as it leaves the portal: as the text of a mail and as a webhook's JSON. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Fact = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Letter:
    """`text` is told to the letter (a signed checkpoint is nothing else). `link` is a whole address, or "".

    `workspace`: its short name, or "" for the installation.
    """

    message_id: int
    topic: str
    key: str
    subject: str
    made_at: datetime
    text: str = ""
    link: str = ""
    workspace: str = ""
    facts: dict[str, Fact] = field(default_factory=dict)


def as_text(letter: Letter) -> str:
    """The body of a mail. The text comes first and unchanged, so that it can be cut out and checked."""
    known = [f"{name}: {_plain(value)}" for name, value in letter.facts.items() if value not in ("", None)]
    about = [f"{letter.topic}, {letter.made_at:%Y-%m-%d %H:%M:%S} UTC"]
    parts = [letter.text.rstrip("\n") or letter.subject, "\n".join(known), letter.link, "\n".join(about)]
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(letter: Letter) -> bytes:
    """The body of a webhook. `text` has all that a person reads, for receivers that show nothing else."""
    whole = "\n".join(filter(None, (letter.subject, letter.text, letter.link)))
    told: dict[str, Any] = {
        "id": letter.message_id,
        "topic": letter.topic,
        "key": letter.key,
        "subject": letter.subject,
        "body": letter.text,
        "text": whole,
        "facts": letter.facts,
        "link": letter.link,
        "workspace": letter.workspace or None,
        "made_at": letter.made_at.isoformat(),
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def one_line(text: str) -> str:
    """Text for a header: no line break gets into one."""
    return " ".join(text.split())[:300]


def _plain(value: Fact) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
