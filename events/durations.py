"""Lengths of time in words."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def length_in_words(seconds: float) -> str:
    """How long something took, to the minute: "3 h 5 min", "2 days 4 h"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return _("less than a minute")
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = []
    if days:
        parts.append(ngettext("%(days)s day", "%(days)s days", days) % {"days": days})
    if hours:
        parts.append(_("%(hours)s h") % {"hours": hours})
    if minutes and not days:
        parts.append(_("%(minutes)s min") % {"minutes": minutes})
    return " ".join(parts)


def exact_length(seconds: int) -> str:
    """A length that somebody chose, to the second: "30 s", "1 min 30 s", "1 day 12 h"."""
    whole, rest = divmod(seconds, 60)
    words = [length_in_words(seconds - rest)] if whole else []
    if rest or not whole:
        words.append(_("%(seconds)s s") % {"seconds": rest})
    return " ".join(words)
