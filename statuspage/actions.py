"""Every write on status pages: their settings, components and what the public is told."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_slug
from django.db import transaction
from django.db.models import Max, Q

from accounts.actor import Actor
from accounts.models import check_time_zone
from catalog.models import Service
from events.actions import publish
from events.errors import Conflict, Invalid, NotFound, require
from incidents.models import Incident, TimelineEntry
from incidents.permissions import can_respond, can_view
from incidents.timeline import add_entry
from statuspage.indicator import IMPACTS, impact_of
from statuspage.models import Component, ComponentStatus, PublicIncident, StatusPage, StatusUpdate
from statuspage.permissions import can_manage_pages, can_publish
from statuspage.spans import record_status

LONGEST_BODY = 20_000
LONGEST_NAME = 200
RESERVED_SLUG = "new"
MAY_NOT_PUBLISH = "Viewers may not publish to a status page."
MAY_NOT_MANAGE = "Only managers may change a status page."
Changes = Mapping[Component, str]


@transaction.atomic
def save_page(
    *,
    actor: Actor,
    now: datetime,
    name: str,
    slug: str,
    page: StatusPage | None = None,
    description: str = "",
    time_zone: str = "UTC",
    support_url: str = "",
) -> StatusPage:
    """Makes a status page, or changes one. Raises Conflict if another page has the slug."""
    require(can_manage_pages(actor), MAY_NOT_MANAGE)
    name, slug = name.strip(), slug.strip()
    if not name:
        raise Invalid("A status page needs a name.", field="name")
    _check("slug", slug, validate_slug)
    if slug == RESERVED_SLUG:
        raise Invalid(f"{slug!r} can't be an address.", field="slug", remedy="Choose another one.")
    _check("time_zone", time_zone, check_time_zone)
    if support_url:
        _check("support_url", support_url, URLValidator(schemes=["http", "https"]))
    others = StatusPage.objects.exclude(pk=page.pk) if page else StatusPage.objects.all()
    if others.filter(slug=slug).exists():
        raise Conflict("Another status page has this address.", field="slug", remedy="Choose another one.")
    created = page is None
    page = StatusPage(created_at=now) if page is None else _lock(page)
    page.name, page.slug, page.description = name, slug, description.strip()
    page.time_zone, page.support_url, page.updated_at = time_zone, support_url, now
    page.save()
    publish(f"status_page.{'created' if created else 'changed'}", subject=page, actor=actor, data={"slug": slug})
    return page


def _check(field: str, value: str, validator: Callable[[str], None]) -> None:
    try:
        validator(value)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field=field) from error


def _lock(page: StatusPage) -> StatusPage:
    """The page, locked: whatever changes on it happens one after the other."""
    locked: StatusPage = StatusPage.objects.select_for_update().get(pk=page.pk)
    return locked


def _touch(page: StatusPage, now: datetime) -> None:
    page.updated_at = now
    page.save(update_fields=["updated_at"])


@transaction.atomic
def save_component(
    *,
    actor: Actor,
    page: StatusPage,
    now: datetime,
    name: str,
    component: Component | None = None,
    description: str = "",
    position: int | None = None,
    services: Iterable[Service] | None = None,
) -> Component:
    """Adds a component, operational from now on, or changes one. `services` are those behind it; None leaves them.

    Without a position it goes last, or stays where it is. Raises Conflict if the page has another one of that name.
    """
    require(can_manage_pages(actor), MAY_NOT_MANAGE)
    page = _lock(page)
    name = name.strip()
    if not name:
        raise Invalid("A component needs a name.", field="name", remedy="Use the public's words, such as Checkout.")
    others = page.components.exclude(pk=component.pk) if component else page.components.all()
    if others.filter(name=name).exists():
        raise Conflict("This page has another component of that name.", field="name", remedy="Choose another one.")
    created = component is None
    if component is None:
        last = page.components.aggregate(last=Max("position"))["last"] or 0
        component = Component(page=page, position=last + 1, created_at=now)
    component.name, component.description, component.updated_at = name, description.strip(), now
    if position is not None:
        component.position = position
    component.save()
    if services is not None:
        component.services.set(services)
    if created:
        record_status(component, component.status, now)
    _touch(page, now)
    verb = "added" if created else "changed"
    publish(f"status_page.component_{verb}", subject=page, actor=actor, data={"component": component.pk, "name": name})
    return component


@transaction.atomic
def remove_component(*, actor: Actor, component: Component, now: datetime) -> None:
    """Takes a component off its page, with its record; what was published about it keeps its name."""
    require(can_manage_pages(actor), MAY_NOT_MANAGE)
    page = _lock(component.page)
    publish(
        "status_page.component_removed",
        subject=page,
        actor=actor,
        data={"component": component.pk, "name": component.name},
    )
    component.delete()
    _touch(page, now)


@transaction.atomic
def set_component_status(*, actor: Actor, component: Component, status: str, now: datetime) -> Component:
    """Changes what the page says of one component without publishing an incident."""
    require(can_publish(actor), MAY_NOT_PUBLISH)
    page = _lock(component.page)
    component = page.components.get(pk=component.pk)
    old_status = component.status
    if _change_status(component, status, now):
        _touch(page, now)
        publish(
            "status_page.component_status_changed",
            subject=page,
            actor=actor,
            data={"component": component.pk, "name": component.name, "from": old_status, "to": status},
        )
    return component


def _change_status(component: Component, status: str, now: datetime) -> bool:
    """Whether that changed anything."""
    if status not in ComponentStatus.values:
        raise Invalid(
            f"{status!r} is no component status.",
            field="components",
            remedy=f"Use {', '.join(ComponentStatus.values)}.",
        )
    if component.status == status:
        return False
    record_status(component, status, now)
    component.status, component.updated_at = status, now
    component.save(update_fields=["status", "updated_at"])
    return True


@transaction.atomic
def publish_incident(
    *,
    actor: Actor,
    page: StatusPage,
    name: str,
    body: str,
    now: datetime,
    incident: Incident | None = None,
    status: str = PublicIncident.Status.INVESTIGATING,
    impact: str | None = None,
    components: Changes | None = None,
    started_at: datetime | None = None,
    confirm_private: bool = False,
) -> PublicIncident:
    """Tells the public that something is wrong: a public incident, its first update, and the components' new status.

    The impact follows from the components unless it is given. `incident` is the internal one behind it; if that is
    private it takes `confirm_private`, and nothing of it but what is written here becomes public. Raises NotFound for
    an incident that the actor may not see.
    """
    require(can_publish(actor), MAY_NOT_PUBLISH)
    if incident is not None:
        _check_source(actor, incident, confirm_private)
    page = _lock(page)
    name, body = _named(name), _written(body)
    changes = _own_components(page, components or {})
    if status not in PublicIncident.Status.values:
        raise Invalid(f"{status!r} is no public status.", field="status")
    impact = impact or impact_of(changes.values())
    if impact not in IMPACTS:
        raise Invalid(f"{impact!r} is no impact.", field="impact", remedy=f"Use {', '.join(IMPACTS)}.")
    if started_at and started_at > now:
        raise Invalid("It can't have begun in the future.", field="started_at")
    public_incident = PublicIncident.objects.create(
        page=page,
        incident=incident,
        name=name,
        impact=impact,
        started_at=started_at or now,
        created_at=now,
        updated_at=now,
    )
    _add_update(actor, public_incident, status=status, body=body, changes=changes, now=now)
    _report(actor, public_incident, "incident_published", "opened public incident on", now)
    if status == PublicIncident.Status.RESOLVED:
        publish("status_page.incident_resolved", subject=public_incident, actor=actor, data={"page": page.pk})
    return public_incident


def _check_source(actor: Actor, incident: Incident, confirm_private: bool) -> None:
    if not can_view(actor, incident):
        raise NotFound("There is no such incident.")
    require(can_respond(actor, incident), MAY_NOT_PUBLISH)
    if incident.is_private and not confirm_private:
        raise Conflict(
            "This incident is private.",
            code="private_incident",
            field="confirm_private",
            remedy="Confirm that what you wrote may be read by everybody.",
        )


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid(
            "A public incident needs a name.", field="name", remedy="Say in the public's words what is wrong."
        )
    if len(name) > LONGEST_NAME:
        raise Invalid(f"The name is longer than {LONGEST_NAME} characters.", field="name", remedy="Shorten it.")
    return name


def _written(body: str) -> str:
    body = body.strip()
    if not body:
        raise Invalid("There is nothing to publish.", field="body", remedy="Write a sentence for the public.")
    if len(body) > LONGEST_BODY:
        raise Invalid(f"The text is longer than {LONGEST_BODY} characters.", field="body", remedy="Shorten it.")
    return body


def _own_components(page: StatusPage, components: Changes) -> dict[Component, str]:
    """The same changes on freshly read components, in the page's order."""
    wanted = {component.pk: status for component, status in components.items()}
    own = {component: wanted[component.pk] for component in page.components.filter(pk__in=wanted)}
    if len(own) != len(wanted):
        raise Invalid("A component belongs to another page.", field="components")
    return own


@transaction.atomic
def publish_update(
    *,
    actor: Actor,
    public_incident: PublicIncident,
    body: str,
    now: datetime,
    status: str | None = None,
    components: Changes | None = None,
) -> StatusUpdate:
    """Publishes the next message of a public incident, with its status (None keeps it) and the components' new ones.

    `resolved` ends it: its components are operational again unless `components` says otherwise or another unresolved
    incident affects them. Any other status on a resolved incident opens it again.
    """
    require(can_publish(actor), MAY_NOT_PUBLISH)
    page = _lock(public_incident.page)
    public_incident = PublicIncident.objects.select_for_update(of=("self",)).get(pk=public_incident.pk)
    public_incident.page = page
    status = status or public_incident.status
    if status not in PublicIncident.Status.values:
        raise Invalid(f"{status!r} is no public status.", field="status")
    body = _written(body)
    changes = _own_components(page, components or {})
    if status == PublicIncident.Status.RESOLVED:
        changes = _recovered(public_incident, changes) | changes
    update = _add_update(actor, public_incident, status=status, body=body, changes=changes, now=now)
    if status == PublicIncident.Status.RESOLVED:
        _report(actor, public_incident, "incident_resolved", "resolved public incident on", now)
    else:
        _report(actor, public_incident, "incident_updated", "updated public incident on", now)
    return update


def _recovered(public_incident: PublicIncident, told: Changes) -> dict[Component, str]:
    """The components that nothing else keeps from being operational again."""
    others = PublicIncident.objects.unresolved().exclude(pk=public_incident.pk)
    still_affected = Q(pk__in=others.values("components"))
    settled = [ComponentStatus.OPERATIONAL, ComponentStatus.UNDER_MAINTENANCE]
    affected = public_incident.components.exclude(still_affected).exclude(status__in=settled)
    return {each: ComponentStatus.OPERATIONAL for each in affected if each not in told}


def _add_update(
    actor: Actor, public_incident: PublicIncident, *, status: str, body: str, changes: Changes, now: datetime
) -> StatusUpdate:
    """Changes components and the public incident, and writes the update that says so."""
    affected = []
    for component, new_status in changes.items():
        affected.append(
            {
                "id": component.public_id,
                "name": component.name,
                "old_status": component.status,
                "new_status": str(new_status),
            }
        )
        _change_status(component, new_status, now)
    public_incident.components.add(*changes)
    public_incident.status, public_incident.updated_at = status, now
    if status == PublicIncident.Status.MONITORING and public_incident.monitoring_at is None:
        public_incident.monitoring_at = now
    if status != PublicIncident.Status.RESOLVED:
        public_incident.resolved_at = None
    elif public_incident.resolved_at is None:
        public_incident.resolved_at = now
    public_incident.save(update_fields=["status", "updated_at", "monitoring_at", "resolved_at"])
    _touch(public_incident.page, now)
    return StatusUpdate.objects.create(
        public_incident=public_incident,
        status=status,
        body=body,
        affected=affected,
        author_name=actor.name[:200],
        created_at=now,
    )


def _report(actor: Actor, public_incident: PublicIncident, event: str, words: str, now: datetime) -> None:
    """Tells the internal incident's timeline and whoever listens. The event never names a private incident."""
    page = public_incident.page
    if public_incident.incident is not None:
        add_entry(
            incident=public_incident.incident,
            actor=actor,
            kind=TimelineEntry.Kind.STATUS_PAGE,
            text=f"{words} {page.name}: {public_incident.name} ({public_incident.get_status_display()})",
            now=now,
            data={"public_incident": public_incident.pk, "status": public_incident.status},
            is_key=True,
        )
    publish(
        f"status_page.{event}",
        subject=public_incident,
        actor=actor,
        data={"page": page.pk, "status": public_incident.status},
    )
