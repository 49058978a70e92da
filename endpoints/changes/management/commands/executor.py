"""`manage.py executor`: the process that writes to Azure."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from endpoints.audit.privileges import check_at_start
from endpoints.changes.executor.main import serve


class Command(BaseCommand):
    requires_system_checks = ()  # pages and their templates are not its business
    help = "Carry out approved changes and rollbacks until stopped. Any number may run."

    def handle(self, *args: Any, **options: Any) -> None:
        check_at_start(strict=settings.OPSPORTAL.audit_strict)
        asyncio.run(self._run())

    async def _run(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await serve(stop)
