"""How a message reads where there is no room for markup: on a phone's screen, in a notification, spoken."""

from collections.abc import Mapping

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from oncall.channels import Message

LONGEST_TITLE = 140
CODE_MINUTES = 10
FACTS_FIRST = ("service", "severity", "priority")
MOST_FACTS = 3


def facts_in_order(facts: Mapping[str, str]) -> list[tuple[str, str]]:
    """What whoever is woken asks first comes first; addresses come last. The database keeps no order."""

    def place(fact: tuple[str, str]) -> int:
        name = fact[0].casefold()
        if name in FACTS_FIRST:
            return FACTS_FIRST.index(name)
        return len(FACTS_FIRST) + ("://" in fact[1])

    return sorted(facts.items(), key=place)


def headline_of(message: Message) -> str:
    """The title in one line; of several pages in one how many they are, the first of them named."""
    title = Truncator(" ".join(message.title.split())).chars(LONGEST_TITLE)
    if not message.others:
        return title
    count = len(message.others) + 1
    return ngettext("%(count)d alert: %(title)s", "%(count)d alerts: %(title)s", count) % {
        "count": count,
        "title": title,
    }


def text_of(message: Message, *, reply: bool = False) -> str:
    """The whole message as short plain text. With `reply` it says what can be answered by SMS."""
    if message.purpose == "code":
        return _("Your Sitrep code is %(code)s. It is valid for %(minutes)d minutes.") % {
            "code": message.code,
            "minutes": CODE_MINUTES,
        }
    if not message.is_page:
        return "\n".join(filter(None, [f"Sitrep: {headline_of(message)}", message.detail[:300], message.link]))
    plain = [value for _name, value in facts_in_order(message.facts) if "://" not in value]
    facts = ", ".join(plain[:MOST_FACTS])[:80]
    answers = _("Reply 4 to acknowledge, 6 to escalate.") if reply else ""
    return "\n".join(filter(None, [f"Sitrep: {headline_of(message)}", facts, answers, message.link]))


def spoken(message: Message) -> str:
    """What a voice says before it asks for a key."""
    if message.purpose == "code":
        # With commas between them the digits are read one by one, and slowly.
        digits = ", ".join(message.code)
        return _("This is Sitrep. Your code is %(digits)s. Again: %(digits)s.") % {"digits": digits}
    if not message.is_page:
        return _("This is Sitrep. %(title)s. %(detail)s") % {"title": message.title, "detail": message.detail[:300]}
    severity = next((value for name, value in message.facts.items() if name.casefold() == "severity"), "")
    said = _("This is Sitrep. You are being paged. %(headline)s.") % {"headline": headline_of(message)}
    return f"{said} {severity}.".replace(" .", "").strip() if severity else said
