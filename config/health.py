"""Whether this process lives (/healthz), and whether Sitrep can do its job (/readyz)."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from celery import current_app
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from oncall.engine import heartbeat_age

log = structlog.get_logger(__name__)

HEARTBEAT_LIMIT = timedelta(seconds=30)
BROKER_SECONDS = 2


class HealthMiddleware:
    """Answers both addresses before anything that may refuse a probe: host names, TLS redirects, sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == "/healthz":
            return uncached(HttpResponse("ok\n", content_type="text/plain"))
        if request.path == "/readyz":
            return uncached(readiness())
        return self.get_response(request)


def uncached(response: HttpResponse) -> HttpResponse:
    """Returns the response, which no cache may keep."""
    response["Cache-Control"] = "no-store"
    return response


def readiness() -> JsonResponse:
    """Answers `{"database": "ok", …}`: 200 if all are ok, else 503. Reasons are in the log, not in the answer."""
    states = {name: probe(name, check) for name, check in CHECKS.items()}
    healthy = all(state == "ok" for state in states.values())
    return JsonResponse(states, status=200 if healthy else 503)


def probe(name: str, check: Callable[[], None]) -> str:
    """Returns `ok` or `failed`; whatever a check raises is a failure."""
    try:
        check()
    except Exception as error:
        log.info("not_ready", part=name, error=f"{type(error).__name__}: {error}")
        return "failed"
    return "ok"


def check_database() -> None:
    """Raises if PostgreSQL does not answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_broker() -> None:
    """Raises if Celery's broker can't be reached."""
    with current_app.connection_for_write(connect_timeout=BROKER_SECONDS) as broker:
        broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)


def check_engine() -> None:
    """Raises if the paging engine has not done its round lately."""
    age = heartbeat_age(timezone.now())
    if age is None or age > HEARTBEAT_LIMIT:
        raise RuntimeError(f"The paging engine's last round was {f'{age} ago' if age else 'never'}.")


CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "broker": check_broker,
    "engine": check_engine,
}
