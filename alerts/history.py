"""What happened to an alert, in one order: it fired, somebody was paged, people did things, it resolved."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from alerts.models import Alert

ICONS = {
    "fired": "bell-ringing",
    "paging": "phone-call",
    "resolved": "circle-check",
    "closed": "circle-check",
    "note": "message-2",
    "noise": "volume-off",
    "muted": "bell-off",
    "flapping": "refresh",
    "told": "send-2",
    "not_told": "alert-triangle",
}


@dataclass(frozen=True)
class Moment:
    """Something that happened, and who did it."""

    at: datetime
    kind: str
    text: str
    by: str = ""

    @property
    def icon(self) -> str:
        """An icon for its kind."""
        return ICONS.get(self.kind, "point")


@dataclass(frozen=True)
class Attribute:
    """One thing that is known of an alert; `kind` is text, number, boolean, link or list."""

    name: str
    kind: str
    value: Any


def history_of(alert: Alert) -> list[Moment]:
    """All that is known, the oldest first. Two queries: what was done about it, and what its escalation did."""
    moments = [
        Moment(alert.first_event_at, "fired", _("It fired: %(title)s") % {"title": alert.title}, str(alert.source))
    ]
    moments += [Moment(entry.at, entry.kind, entry.text, entry.author) for entry in alert.entries.all()]
    if alert.escalation is not None:
        moments += [Moment(entry.at, "paging", entry.text) for entry in alert.escalation.entries.order_by("number")]
    if alert.resolved_at is not None:
        by = str(alert.resolved_by) if alert.resolved_by else str(alert.source)
        moments.append(Moment(alert.resolved_at, "resolved", _("It resolved"), by))
    return sorted(moments, key=lambda moment: moment.at)


def attributes_of(alert: Alert) -> list[Attribute]:
    """Its attributes by name, those of a mapping under the mapping's name; what is empty is left out."""
    found = []
    for name, value in sorted(alert.attributes.items()):
        if isinstance(value, dict):
            found += [_attribute(f"{name}.{key}", inner) for key, inner in sorted(value.items())]
        else:
            found.append(_attribute(name, value))
    return [each for each in found if each.value not in ("", None, [], {})]


def _attribute(name: str, value: Any) -> Attribute:
    if isinstance(value, bool):
        return Attribute(name, "boolean", value)
    if isinstance(value, int | float):
        return Attribute(name, "number", value)
    if isinstance(value, str) and value.startswith(("https://", "http://")) and " " not in value:
        return Attribute(name, "link", value)
    if isinstance(value, list | tuple):
        return Attribute(name, "list", ", ".join(str(item) for item in value))
    return Attribute(name, "text", str(value))
