"""The small parts of every page as template tags: `{% load ui %}`. The style guide (/styleguide/) shows each of them.

What a tag is given only needs the named attributes, so nothing is imported from an app: a severity has `name` and
`rank`, a status `name`, `slug` and `category`, a person `display_name`, `initials` and `pk`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zlib import crc32

import structlog
from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

register = template.Library()

RINGS = {
    "triage": "ring-open",
    "investigating": "ring-quarter",
    "identified": "ring-quarter",
    "fixing": "ring-half",
    "monitoring": "ring-three-quarters",
}
CATEGORY_RINGS = {
    "triage": "ring-open",
    "active": "ring-half",
    "post_incident": "ring-full",
    "closed": "ring-full",
    "declined": "ring-crossed",
    "merged": "ring-crossed",
    "canceled": "ring-crossed",
}


@dataclass(frozen=True)
class State:
    """How a state of any kind looks: its tone, its icon and its word."""

    tone: str
    icon: str
    word: Any


STATES = {
    # alerts and escalations
    "firing": State("down", "bell-ringing", gettext_lazy("Firing")),
    "resolved": State("ok", "circle-check", gettext_lazy("Resolved")),
    "suppressed": State("neutral", "bell-off", gettext_lazy("Suppressed")),
    "triggered": State("warn", "phone-call", gettext_lazy("Paging")),
    "acknowledged": State("ok", "check", gettext_lazy("Acknowledged")),
    "exhausted": State("down", "alert-triangle", gettext_lazy("Nobody answered")),
    # pages, attempts, deliveries
    "pending": State("neutral", "clock", gettext_lazy("Waiting")),
    "sending": State("info", "send-2", gettext_lazy("Being sent")),
    "running": State("info", "refresh", gettext_lazy("Running")),
    "sent": State("ok", "send-2", gettext_lazy("Sent")),
    "accepted": State("ok", "checks", gettext_lazy("Accepted")),
    "done": State("ok", "check", gettext_lazy("Done")),
    "failed": State("down", "circle-x", gettext_lazy("Failed")),
    "set_aside": State("neutral", "archive", gettext_lazy("Failed, set aside")),
    "refused": State("down", "ban", gettext_lazy("Refused")),
    "not_sent": State("neutral", "ban", gettext_lazy("Not sent")),
    "dropped": State("neutral", "ban", gettext_lazy("No longer needed")),
    "dead": State("down", "circle-x", gettext_lazy("Gave up")),
    "unknown": State("neutral", "help-circle", gettext_lazy("Unknown")),
    # heartbeats
    "new": State("neutral", "clock", gettext_lazy("Not heard of yet")),
    "on_time": State("ok", "circle-check", gettext_lazy("On time")),
    "late": State("down", "alert-triangle", gettext_lazy("Late")),
    # components and public incidents
    "operational": State("ok", "circle-check", gettext_lazy("Operational")),
    "degraded_performance": State("warn", "trending-down", gettext_lazy("Degraded performance")),
    "partial_outage": State("warn", "alert-triangle", gettext_lazy("Partial outage")),
    "major_outage": State("down", "circle-x", gettext_lazy("Major outage")),
    "under_maintenance": State("info", "tool", gettext_lazy("Under maintenance")),
    "investigating": State("warn", "ring-quarter", gettext_lazy("Investigating")),
    "identified": State("warn", "ring-half", gettext_lazy("Identified")),
    "monitoring": State("info", "ring-three-quarters", gettext_lazy("Monitoring")),
    # postmortems and action items
    "draft": State("neutral", "pencil", gettext_lazy("Draft")),
    "in_review": State("info", "eye", gettext_lazy("In review")),
    "published": State("ok", "circle-check", gettext_lazy("Published")),
    "planned": State("neutral", "ring-open", gettext_lazy("Planned")),
    "in_progress": State("info", "ring-half", gettext_lazy("In progress")),
    "wont_do": State("neutral", "ring-crossed", gettext_lazy("Won't do")),
    "overdue": State("down", "clock", gettext_lazy("Overdue")),
    # anything that can be switched off
    "active": State("ok", "circle-check", gettext_lazy("Active")),
    "enabled": State("ok", "circle-check", gettext_lazy("On")),
    "disabled": State("neutral", "ban", gettext_lazy("Off")),
    "revoked": State("neutral", "ban", gettext_lazy("Revoked")),
    "expired": State("neutral", "clock", gettext_lazy("Expired")),
    "test": State("info", "stethoscope", gettext_lazy("Test")),
    "retrospective": State("neutral", "history", gettext_lazy("Retrospective")),
    "private": State("neutral", "lock", gettext_lazy("Private")),
}
TONE_ICONS = {"ok": "circle-check", "warn": "alert-triangle", "down": "alert-circle", "info": "info-circle"}


# --- Icons, severity, status ------------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """An icon of the sprite: `{% icon "bell" %}`. Beside a word it needs no label; alone it does. Size: lg or xl."""
    return _drawn(name, str(label), size)


@lru_cache(maxsize=4096)  # (a timeline shows each of its few icons hundreds of times)
def _drawn(name: str, label: str, size: str) -> SafeString:
    href = f"{static('icons.svg')}#{name}"
    classes = f"icon icon-{size}" if size else "icon"
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}"></use></svg>', classes, label, href
        )
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"></use></svg>', classes, href)


@register.simple_tag
def sprite_url() -> str:
    """The address of the icon sprite, for the scripts."""
    return static("icons.svg")


@register.simple_tag
def severity_badge(severity: Any, *, pill: bool = False) -> SafeString:
    """A severity as shape and word; `pill=True` gives it a tinted ground."""
    if severity is None:
        return format_html('<span class="severity faint">{}</span>', _("Not set"))
    rank = max(1, min(4, int(severity.rank)))
    return format_html(
        '<span class="severity severity-rank-{}{}">{}{}</span>',
        rank,
        " is-pill" if pill else "",
        icon(f"severity-{rank}"),
        severity.name,
    )


def ring_of(status: Any) -> str:
    """The ring that fills as work goes on, for a status by its slug, else by its category."""
    if status.category in {"triage", "active"} and status.slug in RINGS:
        return RINGS[status.slug]
    return CATEGORY_RINGS.get(status.category, "ring-open")


@register.simple_tag
def priority_badge(priority: int) -> SafeString:
    """An alert's priority, from P1, the highest, to P5, in the shapes of severities."""
    rank = max(1, 5 - priority)
    return format_html('<span class="severity severity-rank-{}">{}P{}</span>', rank, icon(f"severity-{rank}"), priority)


@register.simple_tag
def status_badge(status: Any, *, pill: bool = False) -> SafeString:
    """An incident's status as a filling ring and its word."""
    return format_html(
        '<span class="phase phase-{}{}">{}{}</span>',
        status.category,
        " is-pill" if pill else "",
        icon(ring_of(status)),
        status.name,
    )


@register.simple_tag
def state_badge(state: str, label: str = "", *, pill: bool = False, tone: str = "") -> SafeString:
    """A state of an alert, page, delivery, component, action item, …: icon and word. `label` replaces the word."""
    known = STATES.get(str(state), State("neutral", "dot", str(state).replace("_", " ").capitalize()))
    return format_html(
        '<span class="state state-{}{}">{}{}</span>',
        tone or known.tone,
        " is-pill" if pill else "",
        icon(known.icon),
        label or known.word,
    )


@register.simple_tag
def tag(text: str, icon_name: str = "") -> SafeString:
    """A quiet label such as a tier, a scope or a dialect."""
    return format_html('<span class="token">{}{}</span>', icon(icon_name) if icon_name else "", text)


# --- People -----------------------------------------------------------------------------------------------------------


def hue_of(key: Any) -> int:
    """One of twelve hues, always the same for the same person."""
    return (int(key) if str(key).isdigit() else sum(str(key).encode())) % 12 + 1


@register.simple_tag
def avatar(user: Any, size: str = "", *, label: bool = False) -> SafeString:
    """A person's initials in their colour; size sm, lg or xl. `label=True` where no name stands beside it."""
    classes = f"face face-{size}" if size else "face"
    if user is None:
        return format_html('<span class="{} face-empty" aria-hidden="true">?</span>', classes)
    classes = f"{classes} hue-{hue_of(user.pk)}"
    if label:
        return format_html(
            '<span class="{}" role="img" aria-label="{}" title="{}">{}</span>',
            classes,
            user.display_name,
            user.display_name,
            user.initials,
        )
    return format_html('<span class="{}" aria-hidden="true">{}</span>', classes, user.initials)


@register.simple_tag
def person(user: Any, url: str = "", nobody: str = "") -> SafeString:
    """A person with face and name; `nobody` is said for None."""
    name = user.display_name if user is not None else nobody or _("Nobody")
    inner = format_html("{}<span>{}</span>", avatar(user, "sm"), name)
    if url:
        return format_html('<a class="person" href="{}">{}</a>', url, inner)
    return format_html('<span class="person{}">{}</span>', "" if user is not None else " faint", inner)


@register.simple_tag
def faces(users: Iterable[Any], most: int = 4) -> SafeString:
    """Several people as overlapping faces, the rest as a number."""
    people = list(users)
    shown = format_html_join("", "{}", ((avatar(user, "sm", label=True),) for user in people[:most]))
    more = format_html('<span class="face face-sm">+{}</span>', len(people) - most) if len(people) > most else ""
    return format_html('<span class="faces">{}{}</span>', shown, more)


# --- Times ------------------------------------------------------------------------------------------------------------


def utc_text(instant: datetime) -> str:
    """An instant in ISO 8601, in UTC, to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@register.simple_tag
def ago(instant: datetime | None, nothing: str = "–") -> SafeString:
    """How long ago, or in how long: "6 min ago"; the exact instant is in its title."""
    if instant is None:
        return format_html('<span class="faint">{}</span>', nothing)
    iso = utc_text(instant)
    return format_html('<relative-time datetime="{}">{}</relative-time>', iso, f"{iso[:10]} {iso[11:16]} UTC")


@register.simple_tag
def instant(moment: datetime | None, style: str = "datetime", zone: str = "", nothing: str = "–") -> SafeString:
    """An instant in the viewer's zone, or in `zone`.

    Styles: time, seconds, date, day, weekday, datetime, zone (names the zone), exact.
    """
    if moment is None:
        return format_html('<span class="faint">{}</span>', nothing)
    iso = utc_text(moment)
    return format_html(
        '<local-time datetime="{}" format="{}"{}>{}</local-time>',
        iso,
        style,
        format_html(' zone="{}"', zone) if zone else "",
        f"{iso[:10]} {iso[11:16]} UTC",
    )


@register.simple_tag
def running_clock(since: datetime | None, end: datetime | None = None) -> SafeString:
    """How long something has been going on, as a clock that runs until `end`: 0:42:10."""
    if since is None:
        return format_html('<span class="faint">–</span>')
    ended = format_html(' end="{}"', utc_text(end)) if end else ""
    return format_html('<duration-clock since="{}"{}></duration-clock>', utc_text(since), ended)


@register.simple_tag
def countdown(until: datetime | None) -> SafeString:
    """How long until something is due, as a clock; past that it says by how much it is overdue."""
    if until is None:
        return SafeString("")
    return format_html('<duration-clock until="{}"></duration-clock>', utc_text(until))


@register.filter
def duration(value: timedelta | float | None) -> str:
    """A length of time in words: "45 s", "12 min", "1 h 5 min", "3 days"."""
    if value is None:
        return "–"
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    if seconds < 60:
        return _("%(seconds)d s") % {"seconds": seconds}
    if seconds < 3600:
        return _("%(minutes)d min") % {"minutes": seconds // 60}
    if seconds < 172800:
        hours, minutes = seconds // 3600, seconds % 3600 // 60
        if minutes:
            return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
        return _("%(hours)d h") % {"hours": hours}
    days = round(seconds / 86400)
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


# --- Groups of things -------------------------------------------------------------------------------------------------


@register.inclusion_tag("components/empty_state.html")
def empty_state(
    title: str,
    text: str = "",
    *,
    icon: str = "inbox",
    action_url: str = "",
    action: str = "",
    guide_url: str = "",
    small: bool = False,
) -> dict[str, Any]:
    """What stands where a list is empty: what it is for, the button that fills it, a link to the guide."""
    return {
        "title": title,
        "text": text,
        "icon_name": icon,
        "action_url": action_url,
        "action": action,
        "guide_url": guide_url,
        "small": small,
    }


@register.inclusion_tag("components/stat_tile.html")
def stat_tile(label: str, value: Any, hint: str = "", url: str = "", tone: str = "") -> dict[str, Any]:
    """One number that matters, inside `<dl class="tiles">` (or `<div class="tiles">` with an url)."""
    return {"label": label, "value": value, "hint": hint, "url": url, "tone": tone}


@register.inclusion_tag("components/code_block.html")
def copyable(text: str, label: str = "", *, wrap: bool = False) -> dict[str, Any]:
    """A block of code or payload with a button that copies it."""
    return {"text": text, "label": label, "wrap": wrap, "id": f"code-{crc32(f'{label}{text}'.encode()):08x}"}


@register.inclusion_tag("components/copy_line.html")
def copy_line(text: str) -> dict[str, Any]:
    """A short value (a key's prefix, an address) in a line, with a button that copies it."""
    return {"text": text}


@register.inclusion_tag("components/callout.html")
def callout(text: str, tone: str = "info", title: str = "") -> dict[str, Any]:
    """A note inside a page; tones: ok, warn, down, info, neutral."""
    return {"text": text, "tone": tone, "title": title, "icon_name": TONE_ICONS.get(tone, "info-circle")}


@register.inclusion_tag("components/tab.html")
def tab(url: str, label: str, *, current: bool = False, count: int | None = None) -> dict[str, Any]:
    """One tab inside `<nav class="tabs" aria-label="…">`."""
    return {"url": url, "label": label, "current": current, "count": count}


@register.inclusion_tag("components/nav_link.html", takes_context=True)
def nav_link(
    context: Mapping[str, Any],
    url: str,
    label: str,
    icon_name: str = "",
    *,
    keys: str = "",
    count: int | None = None,
    alarm: int | None = None,
    alarm_label: str = "",
    also: str = "",
    but: str = "",
) -> dict[str, Any]:
    """A link of the rail; it is current below its address and those named in `also`, save below those in `but`.

    `alarm` is a number that somebody should look at, `alarm_label` what it counts, for whoever does not see its colour.
    """
    request = context.get("request")
    path = request.path if request else ""
    below = tuple(also.split()) if url == "/" else (url, *also.split())
    current = (path == "/" == url) or (path.startswith(below) and not (but and path.startswith(tuple(but.split()))))
    return {
        "url": url,
        "label": label,
        "icon_name": icon_name,
        "keys": keys,
        "count": count,
        "alarm": alarm,
        "alarm_label": alarm_label,
        "current": current,
    }


# A calendar of more columns than this shows their names in short.
DENSE_FROM = 20


@register.inclusion_tag("components/calendar.html")
def calendar(
    days: Iterable[Any],
    rows: Iterable[Any],
    *,
    now_percent: float | None = None,
    zone: str = "",
    drag_to: str = "",
    midnights: Iterable[str] = (),
) -> dict[str, Any]:
    """A schedule as rows of bars over days; all places are percent of the width, so nothing needs an inline style.

    A day has `date`, `is_today`, `is_weekend`, `note`, and `hour` if it is a part of one; a row `name`, `hint`,
    `is_final`, `bars`; a bar `kind` (shift, override, shadow, leave, gap or unknown), `start` and `width` in percent,
    `label`, `title`, and where they are known `person_id` and `url`.

    With `drag_to` (and js/drag-cover.js) whoever drags across the final row comes to that address, with the stretch as
    `?starts_at=…&ends_at=…`; `midnights` are the ISO instants at which the days begin, and that at which the last ends.
    """
    day_list, row_list = list(days), list(rows)
    lines = [round(100 * index / len(day_list), 4) for index in range(1, len(day_list))] if day_list else []
    return {
        "days": day_list,
        "rows": row_list,
        "lines": lines,
        "now_percent": now_percent,
        "zone": zone,
        "drag_to": drag_to,
        "midnights": " ".join(midnights),
        "is_dense": len(day_list) > DENSE_FROM,
        "kinds": {_named(bar, "kind") for row in row_list for bar in _named(row, "bars")},
    }


def _named(thing: Any, name: str) -> Any:
    """What a template reads by this name: an attribute, or what a mapping holds."""
    return thing[name] if isinstance(thing, Mapping) else getattr(thing, name)


@register.filter
def hue(key: Any) -> int:
    """The number of a person's hue, for a class such as hue-3."""
    return hue_of(key)


# --- Timeline ---------------------------------------------------------------------------------------------------------

ENTRY_ICONS = {
    "declared": "flame",
    "note": "message-2",
    "update": "speakerphone",
    "status": "progress",
    "severity": "alert-triangle",
    "role": "user-check",
    "service": "stack-2",
    "member": "user-plus",
    "edit": "pencil",
    "alert": "bell",
    "page": "phone-call",
    "status_page": "broadcast",
    "postmortem": "notebook",
    "message": "message-circle",
    "decision": "scale",
    "finding": "bulb",
    "file": "paperclip",
    "link": "link",
    "action": "checklist",
    "field": "tag",
    "time": "clock",
    "merge": "git-merge",
    "stream": "subtask",
    "workflow": "topology-star-3",
}
ENTRY_FILTERS = {
    **dict.fromkeys(("update", "status_page"), "updates"),
    **dict.fromkeys(("alert", "page"), "alerts"),
    **dict.fromkeys(("message", "note", "decision", "finding", "file"), "chat"),
}


@register.filter
def entry_icon(entry: Any) -> str:
    """The icon of a timeline entry's kind."""
    return ENTRY_ICONS.get(entry.kind, "point")


@register.filter
def utc_exact(moment: datetime) -> str:
    """An instant to the microsecond in UTC, for scripts that put things in order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@register.filter
def entry_filters(entry: Any) -> str:
    """The timeline's filters that let an entry through, parted by spaces; `incidents.timeline_pages` has the same."""
    marks = ["key" if entry.is_key else "", "pinned" if entry.pinned_at else ""]
    return " ".join(filter(None, [*marks, ENTRY_FILTERS.get(entry.kind, ""), entry.kind]))


@register.simple_tag
def request_id() -> str:
    """The id of the request that is being answered, to quote when something went wrong; empty when there is none."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
