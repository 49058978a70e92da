"""What goes wrong on the way out."""

from __future__ import annotations


class NotSent(Exception):
    """It was not sent, or nobody said that it arrived. `reason` is a sentence with no word of the receiver's in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
