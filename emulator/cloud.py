"""Everything that one running emulator holds, handed to every handler."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from emulator.activity.log import ActivityLog
from emulator.compute.market import Market
from emulator.control import Control
from emulator.faults import Faults
from emulator.graph.quota import Quota
from emulator.graph.rows import Rows
from emulator.incidents import Incidents
from emulator.logs.requests import Sent
from emulator.models import Models
from emulator.monitor.budget import Budget
from emulator.monitor.load import Workload
from emulator.monitor.source import Source
from emulator.requestlog import RequestLog
from emulator.settings import Settings
from emulator.throttle import Buckets
from emulator.tokens import Tokens
from emulator.vault.secrets import Vaults
from emulator.views import Views

_ACTIVITY_SECONDS = 30
_LOGS_SECONDS = 30


@dataclass(slots=True)
class Cloud:
    settings: Settings
    control: Control
    tokens: Tokens
    views: Views
    models: Models
    workload: Workload
    source: Source
    graph: Rows
    market: Market
    activity: ActivityLog
    vaults: Vaults
    incidents: Incidents
    identity_header: str
    faults: Faults = field(default_factory=lambda: Faults(time.monotonic))
    buckets: Buckets = field(default_factory=lambda: Buckets(time.monotonic))
    budget: Budget = field(default_factory=lambda: Budget(time.monotonic))
    graph_quota: Quota = field(default_factory=lambda: Quota(time.monotonic))
    activity_quota: Quota = field(default_factory=lambda: Quota(time.monotonic, _ACTIVITY_SECONDS))
    logs_quota: Quota = field(default_factory=lambda: Quota(time.monotonic, _LOGS_SECONDS))
    sent: Sent = field(default_factory=Sent)
    requests: RequestLog = field(default_factory=RequestLog)
