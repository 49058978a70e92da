"""What can be done: one verb each."""

from endpoints.challenges.services.take import Taken, send, take

__all__ = ["Taken", "send", "take"]
