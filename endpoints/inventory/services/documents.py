"""Raw documents, once per content."""

from __future__ import annotations

from collections.abc import Iterable

from endpoints.azure_gateway.records import Document
from endpoints.inventory.canonical import digest
from endpoints.inventory.models import RawDocument
from endpoints.inventory.normalise import storable


def keep(document: Document) -> str:
    """Store what may be stored of a document, if it is new, and return its key."""
    return keep_all([document])[0]


def keep_all(found: Iterable[Document]) -> list[str]:
    """`keep` for many: the keys in the same order."""
    bodies = [storable(document) for document in found]
    keys = [digest(body) for body in bodies]
    rows = [RawDocument(sha256=key, body=body) for key, body in zip(keys, bodies, strict=True)]
    # Two processes may bring the same content: the first wins, and both are right.
    RawDocument.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return keys
