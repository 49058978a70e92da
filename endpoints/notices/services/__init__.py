"""What can be done: one verb each."""

from endpoints.notices.services.publish import publish

__all__ = ["publish"]
