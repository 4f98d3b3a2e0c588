"""Who is meant by `@name`: people found by what somebody typed, and told that they were mentioned."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Lower, Replace
from django.utils.safestring import SafeString, mark_safe

from accounts.actor import Actor
from accounts.models import User
from events.actions import Fact, publish_all
from incidents.models import Incident, TimelineEntry

# `@ana.ferreira`, `@ana@example.com` or `@"Ana Ferreira"`, but not the domain of an address.
MENTION = re.compile(r'(?<![\w@./])@(?:"([^"\n]{1,150})"|(\w[\w.+-]*(?:@[\w-]+(?:\.[\w-]+)+)?))')
MOST_MENTIONED = 30
# The same in the HTML of an entry, where quotes are written out; and what is no running text there.
MENTION_IN_HTML = re.compile(
    r'(?<![\w@./;])@(?:&quot;[^\n]{1,150}?&quot;|"[^"\n]{1,150}"|\w(?:[\w.+-]*\w)?(?:@[\w-]+(?:\.[\w-]+)+)?)'
)
TAG = re.compile(r"(<[^>]*>)")
VERBATIM = ("a", "code", "pre")


def names_in(text: str) -> list[str]:
    """The names that a text mentions, each once, in lower case, without the `@`."""
    found = (quoted or plain.rstrip(".-+") for quoted, plain in MENTION.findall(text))
    return list(dict.fromkeys(name.lower() for name in found))


def with_marks(html: SafeString) -> SafeString:
    """The HTML of a text that mentions somebody, with each name in it marked; links and code stay as they are."""
    parts, inside = TAG.split(html), 0
    for place, part in enumerate(parts):
        if place % 2:
            name = part.strip("</>").split()[0] if part.strip("</> ") else ""
            inside += (-1 if part.startswith("</") else 1) if name in VERBATIM else 0
        elif not inside:
            parts[place] = MENTION_IN_HTML.sub(r'<span class="mention">\g<0></span>', part)
    return mark_safe("".join(parts))  # noqa: S308 (safe before, and only spans were put around its words)


def handle_of(user: User) -> str:
    """What to type after `@` for a person: their name with dots for spaces."""
    return user.display_name.lower().replace(" ", ".")


def people_called(names: Collection[str]) -> dict[str, list[User]]:
    """Whom each name can mean, in one query: those that it fits best, so more than one when it fits them alike.

    The whole address fits better than the whole name, that better than what stands before the @ of an address, and
    that better than a first name.
    """
    wanted = {name.lower(): name.lower().replace(" ", ".") for name in names}
    if not wanted:
        return {}
    fits = Q()
    for name, handle in wanted.items():
        fits |= (
            Q(address=name) | Q(handle=handle) | Q(address__startswith=f"{name}@") | Q(handle__startswith=f"{handle}.")
        )
    people = (
        User.objects.filter(is_active=True)
        .annotate(address=Lower("email"), handle=Lower(Replace(F("name"), Value(" "), Value("."))))
        .filter(fits)
        .order_by("name", "pk")
    )
    found: dict[str, list[User]] = {}
    for name, handle in wanted.items():
        by_fit: dict[int, list[User]] = defaultdict(list)
        for person in people:
            fit = _fit(person, name, handle)
            if fit is not None:
                by_fit[fit].append(person)
        found[name] = by_fit[min(by_fit)] if by_fit else []
    return found


def _fit(person: User, name: str, handle: str) -> int | None:
    address, whole = person.email.lower(), handle_of(person)
    if address == name:
        return 0
    if whole == handle:
        return 1
    if address.startswith(f"{name}@"):
        return 2
    return 3 if whole.startswith(f"{handle}.") else None


def people_like(typed: str, *, limit: int) -> list[User]:
    """People whose name or address holds what was typed so far, those whose name begins so first."""
    text = typed.replace(".", " ").strip()
    people = User.objects.filter(is_active=True)
    starting: list[User] = list(people.filter(name__istartswith=text)[:limit])
    if len(starting) < limit:
        inside = people.filter(Q(name__icontains=text) | Q(email__icontains=typed))
        starting += list(inside.exclude(pk__in=[person.pk for person in starting])[: limit - len(starting)])
    return starting


@dataclass(frozen=True)
class Mentioned:
    """Who is mentioned: people who are told, and the names of those who may not see the incident."""

    people: tuple[User, ...] = ()
    not_told: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """What an entry keeps of it."""
        data: dict[str, Any] = {}
        if self.people:
            data["mentions"] = [person.pk for person in self.people]
        if self.not_told:
            data["not_told"] = list(self.not_told)
        return data


def who_is_mentioned(text: str, incident: Incident, *, by: Actor) -> Mentioned:
    """The people whom a text mentions beyond doubt, but for its author."""
    candidates = people_called(names_in(text)[:MOST_MENTIONED])
    people = {found[0].pk: found[0] for found in candidates.values() if len(found) == 1 and found[0].pk != by.user_id}
    inside = set(people)
    if incident.is_private:
        inside &= set(incident.memberships.filter(user_id__in=people).values_list("user_id", flat=True))
    return Mentioned(
        people=tuple(person for person in people.values() if person.pk in inside),
        not_told=tuple(person.display_name for person in people.values() if person.pk not in inside),
    )


def publish_mentions(entry: TimelineEntry, people: Iterable[User], *, actor: Actor) -> None:
    """One fact for each person, so that each is told once whatever becomes of the others."""
    facts = [
        Fact("incident.mentioned", entry.incident, {"entry": entry.pk, "sequence": entry.sequence, "user": person.pk})
        for person in people
    ]
    if facts:
        publish_all(facts, actor=actor)
