"""Announcement rules: who hears of which incidents, at which moments, though they neither respond nor follow.

Each person, address and place is told once per moment, however many rules name them, by a delivery of its own: one that
fails is tried again and holds up nobody. Of a private incident only its members hear, and only that it is there;
addresses and places never hear of one. Tests and retrospectives are announced to nobody, one in triage when it is
accepted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.models import User
from events.actions import Fact, publish_all
from events.conditions import holds
from events.models import Event
from events.registry import handles
from incidents.facts import facts_of
from incidents.models import AnnouncementRule, Incident, IncidentMember, IncidentUpdate, StatusCategory, TimelineEntry
from incidents.news_mail import News, brief_link, send, subject_of
from incidents.timeline import add_entry
from incidents.updates import plain_text
from oncall.channels import Message, Result
from oncall.channels.apprise import send as send_by_apprise
from oncall.models import ContactMethod
from oncall.places import post_to
from oncall.schedule_mail import zone_of_person

ANNOUNCING = Actor.system("Announcements")
# What a rule can tell, and the events that are such a moment.
MOMENTS = {
    "declared": ("incident.declared", "incident.accepted"),
    "severity_changed": ("incident.severity_changed",),
    "status_changed": ("incident.status_changed", "incident.reopened"),
    "updated": ("incident.updated",),
    "resolved": ("incident.resolved",),
}
MOMENT_OF = {event: moment for moment, events in MOMENTS.items() for event in events}
NEVER_ANNOUNCED = (Incident.Mode.TEST, Incident.Mode.RETROSPECTIVE)
WEB = ("https://", "http://")


class NotTold(Exception):
    """Somebody could not be told this time; the outbox tries again."""


@dataclass(frozen=True)
class Audience:
    """Whom one rule tells of an incident: nobody is in two of them."""

    rule: AnnouncementRule
    people: list[User] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    place: str = ""

    def __bool__(self) -> bool:
        return bool(self.people or self.emails or self.place)

    def in_words(self) -> str:
        """ "Ana, Bob, board@example.com, #incidents"."""
        return ", ".join([*(user.display_name for user in self.people), *self.emails, *filter(None, [self.place])])


def audiences(incident: Incident, moment: str, rules: Iterable[AnnouncementRule] | None = None) -> list[Audience]:
    """Who hears of an incident at a moment, by the rules that are switched on or by those given: a preview of telling.

    A constant number of queries for a rule. Each person, address and place stands with the first rule that names it.
    """
    if incident.mode in NEVER_ANNOUNCED:
        return []
    if rules is None:
        rules = AnnouncementRule.objects.filter(is_enabled=True)
    asked = [rule for rule in rules if moment in rule.moments]
    if not asked:
        return []
    facts = facts_of(incident)
    heard: set[str] = set()
    found = []
    for rule in asked:
        if holds(rule.conditions, facts):
            audience = _audience(rule, incident, heard)
            if audience:
                found.append(audience)
    return found


def _audience(rule: AnnouncementRule, incident: Incident, heard: set[str]) -> Audience:
    """Those whom the rule names and who have not heard yet; `heard` then holds them too."""
    named = Q(pk__in=rule.users.values("pk")) | Q(teams__in=rule.teams.all())
    people = User.objects.filter(named, is_active=True).distinct()
    emails, place = list(rule.emails), rule.place if rule.address else ""
    if incident.is_private:
        people = people.filter(pk__in=IncidentMember.objects.filter(incident=incident).values("user_id"))
        emails, place = [], ""
    new_people = [user for user in people if user.email.casefold() not in heard]
    heard.update(user.email.casefold() for user in new_people)
    new_emails = [email for email in emails if email.casefold() not in heard]
    heard.update(email.casefold() for email in new_emails)
    if place and rule.address in heard:
        place = ""
    if place:
        heard.add(rule.address)
    return Audience(rule, new_people, new_emails, place)


@handles(*MOMENT_OF, name="incidents.announce")
def announce(event: Event) -> None:
    """Finds out who hears of it; each is then told by a delivery of their own."""
    incident = (
        Incident.objects.select_related("severity", "status", "incident_type").filter(pk=event.subject_id).first()
    )
    if incident is None or event.data.get("category") == StatusCategory.TRIAGE:
        return
    moment = MOMENT_OF[event.name]
    for audience in audiences(incident, moment):
        about = {"rule": audience.rule.pk, "moment": moment, "update": event.data.get("update")}
        to: list[dict[str, Any]] = [{"user": user.pk} for user in audience.people]
        to += [{"email": email} for email in audience.emails]
        to += [{"place": audience.place}] if audience.place else []
        add_entry(
            incident=incident,
            actor=ANNOUNCING,
            kind=TimelineEntry.Kind.WORKFLOW,
            text=f"told {audience.in_words()} by the rule “{audience.rule.name}”",
            now=event.occurred_at,
            data=about,
        )
        publish_all([Fact("incident.announced", incident, about | each) for each in to], actor=ANNOUNCING)


@handles("incident.announced", name="incidents.tell_announcement")
def tell_announcement(event: Event) -> None:
    """Tells one person, address or place, as the incident is at this moment."""
    incident = Incident.objects.select_related("severity", "status").filter(pk=event.subject_id).first()
    rule = AnnouncementRule.objects.filter(pk=event.data["rule"]).first()
    if incident is None or rule is None:
        return
    update = IncidentUpdate.objects.filter(pk=event.data.get("update") or 0).first()
    if "user" in event.data:
        _tell_person(event.data["user"], incident, update, rule)
    elif incident.is_private:
        return
    elif "email" in event.data:
        _mail(event.data["email"], incident, update, rule)
    elif rule.address:
        result = _tell_place(rule, incident, update, event)
        if result.outcome == "failed":
            raise NotTold(f"{rule.place}: {result.detail}")


def _tell_person(user_id: int, incident: Incident, update: IncidentUpdate | None, rule: AnnouncementRule) -> None:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    if incident.is_private and not IncidentMember.objects.filter(incident=incident, user=user).exists():
        return
    with translation.override(user.locale), timezone.override(zone_of_person(user)):
        _mail(user.email, incident, update, rule)


def _mail(address: str, incident: Incident, update: IncidentUpdate | None, rule: AnnouncementRule) -> None:
    lines = [] if incident.is_private else _lines(incident, update)
    why = _("The announcement rule “%(name)s” names you.") % {"name": rule.name}
    send(News(incident, subject=subject_of(incident), lines=lines, why=why), address)


def _lines(incident: Incident, update: IncidentUpdate | None) -> list[str]:
    if update is not None:
        return [plain_text(update, timezone.get_current_timezone())]
    return [line for line in (incident.impact or incident.summary,) if line]


def _tell_place(rule: AnnouncementRule, incident: Incident, update: IncidentUpdate | None, event: Event) -> Result:
    title, detail = subject_of(incident), "\n".join(_lines(incident, update))
    if rule.address.startswith(WEB):
        said = {
            "type": "incident.announced",
            "moment": event.data["moment"],
            "rule": rule.name,
            "incident": incident.reference,
            "name": incident.name,
            "severity": incident.severity.slug,
            "status": incident.status.slug,
            "mode": incident.mode,
            "title": title,
            "detail": detail,
            "link": settings.PUBLIC_URL + incident.get_absolute_url(),
        }
        return post_to(rule.address, said, key=f"announced-{event.pk}")
    method = ContactMethod(kind=ContactMethod.Kind.APPRISE, address=rule.place, secret=rule.address)
    return send_by_apprise(method, _message(rule, incident, title, detail, event))


def _message(rule: AnnouncementRule, incident: Incident, title: str, detail: str, event: Event) -> Message:
    facts: Mapping[str, str] = {"severity": incident.severity.name, "status": incident.status.name}
    return Message(
        page_id=0,
        attempt=1,
        person=rule.place,
        title=title,
        detail=detail,
        facts=dict(facts),
        since=incident.declared_at,
        level=1,
        link=brief_link(incident),
        purpose="notice",
        urgency="low",
        reference=f"announced-{event.pk}",
    )
