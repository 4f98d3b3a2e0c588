"""Every write on postmortems."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Conflict, Invalid, NotFound, require
from incidents.models import Incident, RoleAssignment, TimelineEntry
from incidents.permissions import can_respond, can_view
from incidents.timeline import add_entry, lock_incident
from postmortems.draft import generated_text
from postmortems.models import Postmortem, PostmortemSection, SectionTemplate, Source

LONGEST_TEXT = 200_000
MAY_NOT_WRITE = "Viewers may not write postmortems."


@transaction.atomic
def start_postmortem(*, actor: Actor, incident: Incident, now: datetime) -> Postmortem:
    """Starts the draft of an incident that is over: a section for each template, the generated ones filled in.

    The commander is its first author. An incident has one postmortem: starting it again returns it. Raises Conflict
    while the incident is open.
    """
    incident = lock_incident(incident.pk)
    _require_responder(actor, incident)
    existing = Postmortem.objects.filter(incident=incident).first()
    if existing is not None:
        return existing
    if incident.is_open:
        raise Conflict(f"{incident.reference} is still open.", code="incident_open", remedy="Resolve it first.")
    postmortem = Postmortem.objects.create(incident=incident, title=incident.name, created_at=now, updated_at=now)
    lead = RoleAssignment.objects.filter(incident=incident, role__slug="lead", ended_at=None).first()
    postmortem.authors.set(sorted({user_id for user_id in (lead and lead.user_id, actor.user_id) if user_id}))
    add_entry(
        incident=incident,
        actor=actor,
        kind=TimelineEntry.Kind.POSTMORTEM,
        text="started the postmortem",
        now=now,
        data={"postmortem": postmortem.pk},
        is_key=True,
    )
    PostmortemSection.objects.bulk_create(
        PostmortemSection(
            postmortem=postmortem,
            slug=template.slug,
            title=template.title,
            position=template.position,
            source=template.source,
            owner_role_id=template.owner_role_id,
            is_generated=template.source != Source.WRITTEN,
            text=generated_text(template.source, incident) or template.prompt,
            updated_at=now,
        )
        for template in SectionTemplate.objects.all()
    )
    publish("postmortem.started", subject=postmortem, actor=actor)
    return postmortem


def _require_responder(actor: Actor, incident: Incident) -> None:
    if not can_view(actor, incident):
        raise NotFound("There is no such postmortem.")
    require(can_respond(actor, incident), MAY_NOT_WRITE)


def _lock(actor: Actor, postmortem_id: int) -> Postmortem:
    locked: Postmortem = (
        Postmortem.objects.select_for_update(of=("self",))
        .select_related("incident__severity", "incident__status")
        .get(pk=postmortem_id)
    )
    _require_responder(actor, locked.incident)
    return locked


@transaction.atomic
def save_section(
    *, actor: Actor, section: PostmortemSection, text: str, version: int, now: datetime
) -> PostmortemSection:
    """Saves a section's Markdown. `version` is the one that the writer has read: raises Conflict (`stale`) if somebody
    has saved the section since, so that nothing is overwritten unread."""
    postmortem = _lock(actor, section.postmortem_id)
    section = PostmortemSection.objects.select_related("updated_by").get(pk=section.pk)
    text = text.replace("\r\n", "\n").rstrip()
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"The text is longer than {LONGEST_TEXT} characters.", field="text", remedy="Shorten it.")
    if text == section.text and not section.is_generated:
        return section
    if version != section.version:
        raise Conflict(
            f"{section.updated_by or 'Somebody'} has saved this section in the meantime.",
            code="stale",
            remedy="Compare it with yours, then save again.",
        )
    return _write(actor, postmortem, section, text=text, is_generated=False, now=now)


@transaction.atomic
def refresh_section(
    *, actor: Actor, section: PostmortemSection, now: datetime, overwrite: bool = False
) -> PostmortemSection:
    """Fills a generated section in again from the incident. Raises Conflict if a person has edited it, unless
    `overwrite`."""
    postmortem = _lock(actor, section.postmortem_id)
    section = PostmortemSection.objects.get(pk=section.pk)
    if section.source == Source.WRITTEN:
        raise Invalid("This section is written by people.", remedy="Edit it instead.")
    if not section.is_generated and not overwrite:
        raise Conflict("Somebody has edited this section.", code="edited", remedy="Confirm that their text goes.")
    text = generated_text(section.source, postmortem.incident)
    if section.is_generated and section.text == text:
        return section
    return _write(actor, postmortem, section, text=text, is_generated=True, now=now)


def _write(
    actor: Actor, postmortem: Postmortem, section: PostmortemSection, *, text: str, is_generated: bool, now: datetime
) -> PostmortemSection:
    section.text, section.is_generated = text, is_generated
    section.version += 1
    section.updated_at, section.updated_by_id = now, actor.user_id
    section.save(update_fields=["text", "is_generated", "version", "updated_at", "updated_by"])
    _touch(postmortem, now)
    publish("postmortem.section_saved", subject=postmortem, actor=actor, data={"section": section.slug})
    return section


def _touch(postmortem: Postmortem, now: datetime) -> None:
    postmortem.updated_at = now
    postmortem.save(update_fields=["updated_at"])


@transaction.atomic
def edit_postmortem(
    *,
    actor: Actor,
    postmortem: Postmortem,
    now: datetime,
    title: str | None = None,
    authors: Iterable[User] | None = None,
) -> Postmortem:
    """Changes the title, or who wrote it. Authors must be able to see the incident."""
    postmortem = _lock(actor, postmortem.pk)
    if title is not None:
        title = " ".join(title.split())
        if not title:
            raise Invalid("A postmortem needs a title.", field="title")
        postmortem.title = title[:250]
        postmortem.save(update_fields=["title"])
    if authors is not None:
        chosen = list(authors)
        for author in chosen:
            if not can_view(Actor.of_user(author, via=actor.via), postmortem.incident):
                raise Invalid(
                    f"{author} may not see this incident.", field="authors", remedy="Add them as a member first."
                )
        postmortem.authors.set(chosen)
    _touch(postmortem, now)
    publish("postmortem.changed", subject=postmortem, actor=actor)
    return postmortem


@transaction.atomic
def change_status(*, actor: Actor, postmortem: Postmortem, status: str, now: datetime) -> Postmortem:
    """Moves a postmortem between draft, in review and published.

    Publishing writes the generated sections down as they are now; before it they follow the incident.
    """
    postmortem = _lock(actor, postmortem.pk)
    if status not in Postmortem.Status.values:
        known = ", ".join(Postmortem.Status.values)
        raise Invalid(f"{status!r} is no status of a postmortem.", field="status", remedy=f"Use {known}.")
    if postmortem.status == status:
        return postmortem
    old_status, postmortem.status = postmortem.status, status
    postmortem.published_at = now if status == Postmortem.Status.PUBLISHED else None
    postmortem.updated_at = now
    postmortem.save(update_fields=["status", "published_at", "updated_at"])
    if status == Postmortem.Status.PUBLISHED:
        add_entry(
            incident=postmortem.incident,
            actor=actor,
            kind=TimelineEntry.Kind.POSTMORTEM,
            text="published the postmortem",
            now=now,
            data={"postmortem": postmortem.pk},
            is_key=True,
        )
        for section in postmortem.sections.filter(is_generated=True):
            section.text = generated_text(section.source, postmortem.incident)
            section.save(update_fields=["text"])
    publish("postmortem.status_changed", subject=postmortem, actor=actor, data={"from": old_status, "to": status})
    return postmortem
