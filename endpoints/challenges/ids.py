"""Request ids as Azure Machine Learning writes them, so that whatever somebody pastes finds the record. Pure.

`x-request-id` is always Azure's own GUID. `x-ms-client-request-id` is the client's: letters, digits, "-" and "_", cut
after 40 (learn.microsoft.com, "Troubleshoot online endpoints", request tracing).
"""

from __future__ import annotations

import re
import uuid

CLIENT_ID_LENGTH = 40
_OTHER = re.compile(r"[^A-Za-z0-9_-]")


def request_id(text: str) -> str:
    """Azure's id as a GUID in lower case, braces and blanks taken off; "" when it is none."""
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        return ""


def client_id(text: str) -> str:
    """The client's id as Azure keeps it: other characters removed, 40 at most. Case stays."""
    return _OTHER.sub("", text.strip())[:CLIENT_ID_LENGTH]
