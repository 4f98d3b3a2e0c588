"""Sentry's webhooks, as an internal integration sends them.

Follows getsentry/sentry-docs, "Webhooks" and "Issue Alerts". `Sentry-Hook-Resource` says what it is: `event_alert` (an
issue alert fired; the issue is the dedup key), `metric_alert` (critical, warning, resolved), `issue` (resolved and
unresolved issues); all else is taken and says nothing. Signed by `Sentry-Hook-Signature`, HMAC-SHA256 in hex over the
body with the integration's client secret.
"""

from typing import Any, Literal

from alerts.dialects.format import (
    LONGEST_TITLE,
    Dialect,
    DialectError,
    NormalisedEvent,
    Request,
    check_hmac,
    read_json,
    read_time,
    short_key,
)

RESOURCE, SIGNATURE = "Sentry-Hook-Resource", "Sentry-Hook-Signature"
# Sentry's levels, in the words that wake somebody or do not.
SEVERITIES = {"fatal": "critical", "error": "error", "warning": "warning", "info": "info", "debug": "info"}


def check(request: Request, secret: str) -> None:
    """Raises DialectError unless the body is signed with the client secret."""
    check_hmac(request.body, secret, request.headers.get(SIGNATURE.lower(), ""), SIGNATURE)


def parse(request: Request) -> list[NormalisedEvent]:
    """The event of the body, if it is about an alert or an issue; raises DialectError."""
    document = read_json(request.body)
    if not isinstance(document, dict) or not isinstance(document.get("data"), dict):
        raise DialectError("data must be an object.", field_name="data", remedy="Point a Sentry integration here.")
    data, action = document["data"], str(document.get("action", ""))
    resource = request.headers.get(RESOURCE.lower(), "") or _resource_of(data)
    if resource == "event_alert":
        return [_issue_alert(_object(data, "event"), data)]
    if resource == "metric_alert":
        return [_metric_alert(_object(data, "metric_alert"), data, action)]
    if resource == "issue":
        return _issue(_object(data, "issue"), action)
    return []


def _resource_of(data: dict[str, Any]) -> str:
    """What it is about where a proxy has dropped the header."""
    kinds = {"event": "event_alert", "metric_alert": "metric_alert", "issue": "issue"}
    return next((kind for name, kind in kinds.items() if name in data), "")


def _object(data: dict[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name)
    if not isinstance(found, dict):
        raise DialectError(f"{name} must be an object.", field_name=f"data.{name}")
    return found


def _issue_alert(event: dict[str, Any], data: dict[str, Any]) -> NormalisedEvent:
    tags = {str(pair[0]): str(pair[1]) for pair in event.get("tags") or [] if isinstance(pair, list) and len(pair) == 2}
    known = {name: event.get(name) for name in ("platform", "project", "culprit", "release", "environment")}
    issue = event.get("issue_id") or event.get("event_id")
    if not issue:
        raise DialectError("An event needs its issue.", field_name="data.event.issue_id")
    return NormalisedEvent(
        dedup_key=_key(issue),
        status="firing",
        title=str(event.get("title") or event.get("message") or data.get("triggered_rule") or "Sentry")[:LONGEST_TITLE],
        description=str(event.get("culprit") or ""),
        severity=SEVERITIES.get(str(event.get("level", "")), ""),
        service=tags.get("service", ""),
        source_url=str(event.get("web_url") or event.get("issue_url") or ""),
        started_at=read_time(event.get("datetime"), "data.event.datetime"),
        attributes={
            "tags": tags,
            "rule": str(data.get("triggered_rule", "")),
            **{name: value for name, value in known.items() if value},
        },
    )


def _metric_alert(alert: dict[str, Any], data: dict[str, Any], action: str) -> NormalisedEvent:
    rule = alert.get("alert_rule") or {}
    status: Literal["firing", "resolved"] = "resolved" if action == "resolved" else "firing"
    number = alert.get("id") or alert.get("identifier")
    if not number:
        raise DialectError("A metric alert needs its id.", field_name="data.metric_alert.id")
    return NormalisedEvent(
        dedup_key=short_key(f"metric-alert-{number}"),
        status=status,
        title=str(data.get("description_title") or alert.get("title") or "Sentry")[:LONGEST_TITLE],
        description=str(data.get("description_text") or ""),
        severity=action if action in {"critical", "warning"} else "",
        source_url=str(data.get("web_url") or ""),
        started_at=read_time(alert.get("date_started"), "data.metric_alert.date_started"),
        attributes={"rule": str(rule.get("name", "")) if isinstance(rule, dict) else ""},
    )


def _issue(issue: dict[str, Any], action: str) -> list[NormalisedEvent]:
    """An issue that somebody resolved ends its alert; that one was made is no reason to page."""
    if action != "resolved":
        return []
    if not issue.get("id"):
        raise DialectError("An issue needs its id.", field_name="data.issue.id")
    return [NormalisedEvent(dedup_key=_key(issue["id"]), status="resolved", title="")]


def _key(issue: Any) -> str:
    return short_key(f"issue-{issue}")


DIALECT = Dialect(
    name="sentry",
    label="Sentry",
    about="Issues and metric alerts of Sentry, signed by an internal integration.",
    addresses=("sentry/<token>",),
    parse=parse,
    check=check,
    keeps=frozenset({RESOURCE.lower()}),
    sample={
        "action": "triggered",
        "data": {
            "event": {
                "event_id": "e4874d664c3540c1a32eab185f12c5ab",
                "issue_id": "1117540176",
                "title": "ReferenceError: heck is not defined",
                "level": "error",
                "tags": [["service", "payments"]],
            },
            "triggered_rule": "Very important",
        },
    },
    sample_headers={RESOURCE: "event_alert"},
)
