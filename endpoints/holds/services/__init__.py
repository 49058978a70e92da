"""What people and other rooms do about holds, one subject per file. A ledger entry each; nothing is deleted."""

from endpoints.holds.services.freezes import end_freeze, make_freeze
from endpoints.holds.services.import_ics import Imported, import_ics
from endpoints.holds.services.override import override
from endpoints.holds.services.protections import protect, unprotect
from endpoints.holds.services.stops import Stopped, lift_stop, stop_the_line

__all__ = [
    "Imported",
    "Stopped",
    "end_freeze",
    "import_ics",
    "lift_stop",
    "make_freeze",
    "override",
    "protect",
    "stop_the_line",
    "unprotect",
]
