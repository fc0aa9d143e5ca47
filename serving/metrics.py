"""What operations watch: requests, the snapshot in service and how old its data is."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CONTENT_TYPE", "Metrics", "Observed"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """The instruments of one app; with several workers each sees the sum of all."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        own = CollectorRegistry()
        self.requests = Counter(
            "tidu_http_requests", "Requests answered.", ("route", "status"), registry=own
        )
        self.seconds = Histogram(
            "tidu_http_seconds", "Time to answer.", ("route",), registry=own, buckets=BUCKETS
        )
        self.refused = Counter(
            "tidu_snapshot_load_failures", "Snapshots refused when taken over.", registry=own
        )
        latest: dict[str, Any] = {"registry": own, "multiprocess_mode": "mostrecent"}
        self.ready = Gauge("tidu_ready", "1 while a snapshot is served.", **latest)
        self.as_of = Gauge(
            "tidu_snapshot_as_of_timestamp_seconds", "End of the day the data speak of.", **latest
        )
        self.age = Gauge("tidu_data_age_seconds", "Age of the data in service.", **latest)
        self._registry = own
        self._children: dict[tuple[str, int], Any] = {}

    def expose(self, as_of: str | None) -> bytes:
        """Return the exposition; ``as_of`` is that of the snapshot in service."""
        self.ready.set(as_of is not None)
        if as_of is not None:
            end = datetime.combine(date.fromisoformat(as_of), time.max, UTC)
            self.as_of.set(end.timestamp())
            self.age.set(self._now().timestamp() - end.timestamp())
        return generate_latest(self._all())

    def _all(self) -> CollectorRegistry:
        if MULTIPROCESS not in os.environ:
            return self._registry
        from prometheus_client.multiprocess import MultiProcessCollector

        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return together

    def observe(self, route: str, status: int, seconds: float) -> None:
        key = (route, status)
        children = self._children.get(key)
        if children is None:
            counter = self.requests.labels(route, str(status))
            children = self._children[key] = (counter, self.seconds.labels(route))
        children[0].inc()
        children[1].observe(seconds)


class Observed:
    """Measures every request under the pattern of its route, never under its address."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 500, perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path_format", "none")
            self._metrics.observe(route, status, perf_counter() - started)
