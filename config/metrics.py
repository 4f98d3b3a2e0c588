"""What Prometheus reads at /metrics: requests by route, and the state of the engine and the outbox."""

import hmac
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from config.gauges import Gauge, measure

# With several web processes each keeps its numbers in files of this directory, and any of them can add all up.
MULTIPROCESS_DIR = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
if MULTIPROCESS_DIR:
    Path(MULTIPROCESS_DIR).mkdir(parents=True, exist_ok=True)

REQUESTS = Counter("sitrep_http_requests", "Requests answered.", ["method", "route", "status"])
DURATION = Histogram(
    "sitrep_http_request_duration_seconds",
    "Time from the first middleware to the response.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class MetricsMiddleware:
    """Counts and times each request under its route's name, never under its path (paths hold tokens and ids)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        method = request.method if request.method in METHODS else "OTHER"
        route = request.resolver_match.view_name if request.resolver_match else "unmatched"
        REQUESTS.labels(method, route or "unnamed", str(response.status_code)).inc()
        DURATION.labels(method, route or "unnamed").observe(time.perf_counter() - started)
        return response


class StateCollector(Collector):
    """Reads the gauges from the database when Prometheus asks, so that one scrape tells the state of all processes."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yields one family for each gauge."""
        for gauge in measure(timezone.now()):
            yield family(gauge)


def family(gauge: Gauge) -> GaugeMetricFamily:
    """Returns the gauge in the shape that prometheus_client renders."""
    label_names = sorted({name for labels, _ in gauge.samples for name in labels})
    rendered = GaugeMetricFamily(gauge.name, gauge.help, labels=label_names)
    for labels, value in gauge.samples:
        rendered.add_metric([labels[name] for name in label_names], value)
    return rendered


def may_read(request: HttpRequest) -> bool:
    """Tells whether the request carries METRICS_TOKEN as its bearer token (with DEBUG and no token: everybody may)."""
    if not settings.METRICS_TOKEN:
        return bool(settings.DEBUG)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())


@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Answers in Prometheus' text format, or 403 with the remedy."""
    if not may_read(request):
        remedy = (
            "Send METRICS_TOKEN as `Authorization: Bearer <token>`."
            if settings.METRICS_TOKEN
            else "Set METRICS_TOKEN, then send it as `Authorization: Bearer <token>`."
        )
        return HttpResponse(f"Refused. {remedy}\n", status=403, content_type="text/plain")
    state = CollectorRegistry()
    state.register(StateCollector())
    return HttpResponse(generate_latest(process_registry()) + generate_latest(state), content_type=CONTENT_TYPE_LATEST)


def process_registry() -> CollectorRegistry:
    """Returns the registry with the numbers of all web processes, or of this one where there is only one."""
    if not MULTIPROCESS_DIR:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
