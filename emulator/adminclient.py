"""The admin port from outside: what tests and the demo use to order faults and to read the ground truth."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from emulator.values import Json


class AdminRefused(RuntimeError):
    """The admin port refused an order; nothing was changed."""


@dataclass(slots=True)
class AdminClient:
    """The admin port: faults, a foreign writer, settings, the ground truth."""

    url: str
    timeout: float = 10.0

    def fault(
        self,
        kind: str,
        *,
        method: str | None = None,
        path: str = "",
        subscription: str | None = None,
        plane: str | None = None,
        times: int | None = None,
        for_seconds: float | None = None,
        skip: int = 0,
        **options: Any,
    ) -> str:
        """Order a fault and return its id.

        Options by kind: milliseconds; status, retry_after, code, message, body, headers, apply; interval_ms;
        metric, since, until, every, listed, differs, value. Without a plane it is arm, or metrics where that fits.
        """
        match = {"plane": plane, "method": method, "path": path, "subscription": subscription}
        order = {"kind": kind, "match": match, "times": times, "for_seconds": for_seconds, "skip": skip}
        return str(self.call("POST", "/faults", {**order, **options})["ids"][0])

    def faults(self) -> list[Json]:
        return list(self.call("GET", "/faults")["faults"])

    def clear_faults(self, fault_id: str | None = None) -> None:
        self.call("DELETE", "/faults" if fault_id is None else f"/faults/{fault_id}")

    def foreign(
        self, resource: str, *, who: str | Json = "az ml (someone else)", **change: Any
    ) -> list[Json]:
        """Write behind everybody's back: traffic, mirror_traffic, state, tags, capacity, model, properties, seconds,
        or delete=True, recreate=True. Returns the records."""
        return list(self.call("POST", "/foreign", {"resource": resource, "who": who, **change})["records"])

    def incident(self, deployment: str, **told: float) -> None:
        """A bad time from now on: p95_factor, failure_rate, status, seconds (else for good), ago."""
        self.call("POST", "/incidents", {"deployment": deployment, **told})

    def clear_incidents(self) -> None:
        self.call("DELETE", "/incidents")

    def diagnostics(self, endpoint: str, *, logs: list[str], workspace: str | None = None) -> None:
        """From now on these logs of an endpoint go to a Log Analytics workspace, by default the one of before."""
        self.call("PUT", "/diagnostics", {"endpoint": endpoint, "logs": logs, "workspace": workspace})

    def log(self, since: int = 0) -> list[Json]:
        """The world log after record `since`: the ground truth."""
        return list(self.call("GET", f"/log?since={since}")["records"])

    def world(self, resource: str | None = None) -> Json:
        """All resources by lower-case ARM id, or the one asked for."""
        query = "" if resource is None else "?" + urlencode({"resource": resource})
        return dict(self.call("GET", f"/world{query}")["resources"])

    def resource(self, resource: str) -> Json:
        """One resource as it really is; KeyError when it is not there."""
        return dict(self.world(resource)[resource.lower()])

    def requests(self, *, since: int = 0, plane: str | None = None, method: str | None = None) -> list[Json]:
        """Requests that came in after entry `since`, oldest first."""
        query = {"since": since, "plane": plane, "method": method}
        text = urlencode({name: value for name, value in query.items() if value is not None})
        return list(self.call("GET", f"/requests?{text}")["requests"])

    def settings(self, **values: Any) -> None:
        """Change settings while it runs: latency_ms, arm_buckets, durations={…}, behaviour={…}."""
        self.call("PATCH", "/settings", values)

    def identity(self, name: str, **values: list[str]) -> None:
        """Change what an identity may do: actions, not_actions, scopes."""
        self.call("PATCH", f"/identities/{quote(name)}", values)

    def call(self, method: str, path: str, body: Any = None) -> Json:
        where = urlsplit(self.url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=self.timeout)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise AdminRefused(f"{method} {path}: {response.status} {text.decode(errors='replace')}")
        return dict(json.loads(text))
