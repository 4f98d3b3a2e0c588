"""Alertmanager's silences, which are maintenance windows of a source (prometheus/alertmanager `api/v2/openapi.yaml`).

A silence that is made here mutes alerts of the source whose token was used, and no other's. Nothing is deleted: one
that is ended before its time stays in the list as expired.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest
from django.utils import timezone

from alerts.alertmanager_api.door import Refused, answers
from alerts.alertmanager_api.reads import flag, instant, matchers_in
from alerts.dialects.format import DialectError, read_json, read_time
from alerts.matchers import check_matcher, matches
from alerts.models import AlertSource, MaintenanceWindow
from alerts.opening import actor_of
from alerts.receive import too_large
from alerts.windows import cancel_window, save_window

Fields = dict[str, Any]
MOST_SILENCES = 1000
LONGEST_NAME = 200
MATCHES_NOTHING = "invalid silence: at least one matcher must not match the empty string"


@answers("GET", "POST")
def silence_list(request: HttpRequest, source: AlertSource) -> list[Fields] | Fields:
    """Silences of the source, or a new or changed one."""
    if request.method == "POST":
        return _save(request, source)
    now = timezone.now()
    wanted = {state for state in ("active", "pending", "expired") if flag(request, state)}
    filters = matchers_in(request)
    # Filters match the silence's own matchers, by the name of the label.
    windows = MaintenanceWindow.objects.filter(silence_id__isnull=False, sources=source).order_by("-ends_at", "-id")
    found = [window for window in windows[:MOST_SILENCES] if _state(window, now) in wanted]
    return [
        _shape(window, now)
        for window in found
        if all(matches(each, {matcher["name"]: matcher["value"] for matcher in window.matchers}) for each in filters)
    ]


@answers("GET", "DELETE")
def silence_detail(request: HttpRequest, source: AlertSource, silence_id: str) -> Fields | None:
    """One silence, or its end."""
    window = _window(source, silence_id)
    if request.method == "DELETE":
        cancel_window(actor=actor_of(source), window=window, now=timezone.now())
        return None
    return _shape(window, timezone.now())


def _window(source: AlertSource, silence_id: Any) -> MaintenanceWindow:
    try:
        number = UUID(str(silence_id))
    except ValueError as error:
        raise Refused(404, f"silence {silence_id} not found") from error
    window = MaintenanceWindow.objects.filter(silence_id=number, sources=source).first()
    if window is None:
        raise Refused(404, f"silence {silence_id} not found")
    return window


def _save(request: HttpRequest, source: AlertSource) -> Fields:
    """Makes a silence, or changes one that is not over; what is over is made anew."""
    now = timezone.now()
    data = _document(request)
    matchers = _matchers(data)
    starts_at, ends_at = _time(data, "startsAt"), _time(data, "endsAt")
    comment, author = _text(data, "comment"), _text(data, "createdBy")
    if ends_at <= now:
        raise Refused(400, "invalid silence: end time can't be in the past")
    if ends_at <= starts_at:
        raise Refused(400, "invalid silence: start time must be before end time")
    window = _window(source, data["id"]) if data.get("id") else None
    if window is not None and _state(window, now) == "expired":
        window = None
    begun = window.starts_at if window is not None and window.starts_at <= now else now
    saved = save_window(
        actor=actor_of(source),
        window=window,
        name=(comment or "Silence").splitlines()[0][:LONGEST_NAME],
        reason=comment,
        author=author,
        sources=[source],
        matchers=matchers,
        starts_at=max(starts_at, begun),
        ends_at=ends_at,
        silence_id=window.silence_id if window is not None else uuid4(),
        notice_minutes=0,
        now=now,
    )
    return {"silenceID": str(saved.silence_id)}


def _document(request: HttpRequest) -> Fields:
    if too_large(request.headers.get("content-length")):
        raise Refused(413, "The body is too large.")
    data = read_json(request.body)
    if not isinstance(data, dict):
        raise DialectError("A silence must be a JSON object.")
    return data


def _matchers(data: Fields) -> list[Fields]:
    given = data.get("matchers")
    if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
        raise Refused(400, "invalid silence: at least one matcher required")
    matchers: list[Fields] = [
        {
            "name": each.get("name"),
            "value": each.get("value"),
            "isRegex": each.get("isRegex", False),
            "isEqual": each.get("isEqual", True),
        }
        for each in given
    ]
    wrong = next(filter(None, map(check_matcher, matchers)), "")
    if wrong:
        raise Refused(400, f"invalid silence: {wrong}")
    if all(matches(each, {}) for each in matchers):
        raise Refused(400, MATCHES_NOTHING)
    return matchers


def _time(data: Fields, name: str) -> datetime:
    instant_given = read_time(data.get(name), name)
    if instant_given is None:
        raise Refused(400, f"{name} in body is required")
    return instant_given


def _text(data: Fields, name: str) -> str:
    text = data.get(name)
    if not isinstance(text, str):
        raise Refused(400, f"{name} in body is required")
    return text.strip()


def _state(window: MaintenanceWindow, now: datetime) -> str:
    if window.canceled_at is not None or window.until_at is None or window.from_at is None or window.until_at <= now:
        return "expired"
    return "active" if window.from_at <= now else "pending"


def _shape(window: MaintenanceWindow, now: datetime) -> Fields:
    """One silence (gettableSilence)."""
    return {
        "id": str(window.silence_id),
        "status": {"state": _state(window, now)},
        "matchers": window.matchers,
        "startsAt": instant(window.starts_at),
        "endsAt": instant(window.canceled_at or window.ends_at),
        "updatedAt": instant(window.canceled_at or window.created_at),
        "createdBy": window.author,
        "comment": window.reason,
        "annotations": {},
    }
