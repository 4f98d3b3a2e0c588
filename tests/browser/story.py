"""Fills an installation with something of everything, from a process of its own; prints as JSON where it is.

`python -m tests.browser.story` adds a week of work to the demo organisation; with `--full` also what strains a page:
titles of 200 characters, Thai, 300 entries, a delivery that gave up. Everybody gets PASSWORD, and with
`--passwords-only` nothing else happens.
"""

import json
import sys
from datetime import datetime, timedelta

import django

django.setup()

from django.db import transaction  # noqa: E402  (needs the app registry)
from django.utils import timezone  # noqa: E402

from accounts.actions import create_api_key  # noqa: E402
from accounts.actor import Actor  # noqa: E402
from accounts.models import Scope, User  # noqa: E402
from alerts.changes import note_change  # noqa: E402
from alerts.heartbeats import check_heartbeats, ping_heartbeats, save_heartbeat  # noqa: E402
from alerts.ingest import process_raw_events  # noqa: E402
from alerts.models import AlertRoute, AlertSource, Change, Heartbeat, MaintenanceWindow, RawEvent  # noqa: E402
from alerts.windows import save_window  # noqa: E402
from catalog.models import Service  # noqa: E402
from events.models import Delivery  # noqa: E402
from incidents import actions, entries, membership, updates  # noqa: E402
from incidents.models import Incident, IncidentRole, IncidentStatus, Severity, TimelineEntry  # noqa: E402
from incidents.roles import assign_role  # noqa: E402
from incidents.timeline import add_entry  # noqa: E402
from oncall.actions import acknowledge_escalation  # noqa: E402
from oncall.engine import ENGINE, tick  # noqa: E402
from oncall.links import page_token, proof_link  # noqa: E402
from oncall.models import Page, Schedule  # noqa: E402
from oncall.scheduling import add_override  # noqa: E402
from oncall.sending import send_due  # noqa: E402
from postmortems.action_items import create_action_item  # noqa: E402
from postmortems.actions import start_postmortem  # noqa: E402
from postmortems.models import ActionItem, Postmortem  # noqa: E402
from statuspage.actions import publish_incident, publish_update  # noqa: E402
from statuspage.models import Component, StatusPage  # noqa: E402
from tests.browser.duty_story import tell_of_duty  # noqa: E402
from tests.browser.escalation_story import tell_of_paging  # noqa: E402
from tests.browser.schedule_story import tell_of_schedules  # noqa: E402
from tests.browser.workflow_story import tell_of_workflows  # noqa: E402
from workflows.models import Workflow  # noqa: E402

Kind = TimelineEntry.Kind
PASSWORD = "browser-password-1"
THAI = "ระบบชำระเงินล่มทั้งหมดตั้งแต่เช้า ลูกค้าจ่ายเงินไม่ได้ "
LONG = "The payment service answers every third request with an error that nobody has ever seen before, and "


def actor(name: str) -> Actor:
    """The person of the demo whose address begins with the name, at the web."""
    return Actor.of_user(User.objects.get(email=f"{name}@example.com"), via="web")


def person(who: Actor) -> User:
    return User.objects.get(pk=who.person_id)


def severity(slug: str) -> Severity:
    return Severity.objects.get(slug=slug)


def status(slug: str) -> IncidentStatus:
    return IncidentStatus.objects.get(slug=slug)


def service(slug: str) -> Service:
    return Service.objects.get(slug=slug)


def component(name: str) -> Component:
    return Component.objects.get(name=name)


def give_passwords() -> None:
    for user in User.objects.all():
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])


def fire(now: datetime, **event: str) -> None:
    """An alert comes in at the demo's source, is routed, and pages."""
    RawEvent.objects.create(
        source=AlertSource.objects.get(slug="demo"),
        received_at=now,
        due_at=now,
        content_type="application/json",
        body=json.dumps(event).encode(),
    )
    process_raw_events(now)
    tick(now)
    send_due(now)


def tell_of_windows(now: datetime) -> MaintenanceWindow:
    """An upgrade each Sunday night, one that is over, and one that runs, which is returned."""
    night = (now + timedelta(days=1)).replace(hour=22, minute=0, second=0, microsecond=0)
    drill = "We read the backups of last night back."
    windows = [
        ("Weekly upgrade of PostgreSQL", night, timedelta(hours=2), "Minor versions only.", "FREQ=WEEKLY;BYDAY=SU"),
        ("Move of the racks", now - timedelta(days=4), timedelta(days=1), "", ""),
        ("Restore drill", now, timedelta(hours=3), drill, ""),
    ]
    for name, start, length, reason, rule in windows:
        window = save_window(
            actor=actor("bob"),
            name=name,
            reason=reason,
            starts_at=start,
            ends_at=start + length,
            recurrence=rule,
            time_zone="Europe/Berlin",
            services=[Service.objects.get(slug="postgres")],
            now=min(start, now),
        )
    return window


def tell_of_changes(now: datetime) -> Change:
    """A flag and a deployment shortly before the alert of today; returns the deployment."""
    then = now - timedelta(minutes=50)
    payments = Service.objects.get(slug="payments")
    note_change(actor=actor("bob"), summary="Flag fast-checkout on for everybody", kind="flag", at=then, now=now)
    return note_change(
        actor=actor("dan"),
        summary="example/payments 2026.11.3 to production",
        kind="deployment",
        service=payments,
        links=[{"href": "https://ci.example.com/builds/812", "text": "Build 812"}],
        details={"sha": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e", "environment": "production"},
        at=then + timedelta(minutes=4),
        now=now,
    )


def tell_of_heartbeats(now: datetime) -> Heartbeat:
    """A backup that is on time, one that is late, one that never came; returns the first."""
    system = Actor.system()
    made = [
        save_heartbeat(actor=system, name=name, interval_seconds=seconds, now=now, service=service, description=text)
        for name, seconds, service, text in (
            ("Nightly backup of PostgreSQL", 86400, Service.objects.get(slug="postgres"), "Restore by the runbook."),
            ("Queue consumer of invoices", 60, Service.objects.get(slug="invoices"), ""),
            ("Certificate renewal", 30 * 86400, None, ""),
        )
    ]
    ping_heartbeats(ids=[made[0].pk], now=now - timedelta(hours=3), sender="curl/8.5.0")
    ping_heartbeats(ids=[made[1].pk], now=now - timedelta(minutes=9), sender="invoices/2.4")
    check_heartbeats(now)
    return made[0]


def tell_of_last_week(now: datetime) -> None:
    """Two incidents that are over, one of them with its postmortem."""
    ana, bob, dan = actor("ana"), actor("bob"), actor("dan")
    then = now - timedelta(days=4, hours=3)
    old = actions.declare_incident(
        actor=dan,
        name="Search shows yesterday's prices",
        severity=severity("sev3"),
        services=[service("search")],
        now=then,
    )
    updates.post_update(
        actor=dan,
        incident=old,
        text="The nightly index did not finish. Started it again.",
        now=then + timedelta(minutes=9),
    )
    actions.resolve_incident(actor=dan, incident=old, now=then + timedelta(hours=1, minutes=20))

    then = now - timedelta(days=2, hours=5)
    pool = actions.declare_incident(
        actor=bob,
        name="Sign-in answers slowly",
        severity=severity("sev2"),
        summary="Every fourth sign-in takes longer than ten seconds.",
        services=[service("identity")],
        lead=person(ana),
        now=then,
    )
    entries.add_note(
        actor=bob,
        incident=pool,
        text="All sessions go to **one** of the two databases.",
        now=then + timedelta(minutes=4),
    )
    updates.post_update(
        actor=ana,
        incident=pool,
        text="The second database had dropped out of the pool. It is back; we watch.",
        status=status("monitoring"),
        now=then + timedelta(minutes=31),
    )
    actions.resolve_incident(actor=ana, incident=pool, now=then + timedelta(minutes=55))
    start_postmortem(actor=ana, incident=pool, now=then + timedelta(hours=2))
    for title, owner, days in (
        ("Alert when a database leaves the pool", bob, 5),
        ("Write down how to add a database to the pool", ana, 12),
        ("Try the failover once a quarter", actor("admin"), -1),
    ):
        create_action_item(
            actor=ana,
            incident=pool,
            title=title,
            owner=person(owner),
            due_on=(now + timedelta(days=days)).date(),
            now=then + timedelta(hours=2),
        )


def tell_of_today(now: datetime) -> Incident:
    """An alert has become a SEV1 that people work on, and that the public knows of."""
    admin, ana, bob = actor("admin"), actor("ana"), actor("bob")

    def at(minutes: int, seconds: int = 0) -> datetime:
        return now - timedelta(minutes=42) + timedelta(minutes=minutes, seconds=seconds)

    fire(
        at(0),
        title="Payment API returning 500 errors",
        severity="critical",
        service="payments",
        dedup_key="payments-500",
        description="5xx rate of payments-api over 20 % for 2 minutes.",
    )
    incident = Incident.objects.get(name="Payment API returning 500 errors")
    acknowledge_escalation(actor=admin, escalation=incident.escalations.get(), now=at(1, 52))
    # What the handlers would write, at the time at which the story happens.
    with transaction.atomic():
        add_entry(incident=incident, actor=ENGINE, kind=Kind.PAGE, text="paged Administrator (level 1)", now=at(0, 1))
    actions.note_acknowledged(actor=admin, incident=incident, text="acknowledged the page after 1:52", now=at(1, 52))
    roles = {role.slug: role for role in IncidentRole.objects.all()}
    assign_role(actor=admin, incident=incident, role=roles["lead"], user=person(ana), now=at(3))
    assign_role(actor=ana, incident=incident, role=roles["comms"], user=person(bob), now=at(4))
    actions.set_affected_service(
        actor=ana, incident=incident, service=service("checkout"), impact="partial_outage", now=at(5)
    )
    entries.add_note(
        actor=ana,
        incident=incident,
        text="Connections to `payments-db` are at the limit since the campaign mail went out at 14:20.",
        now=at(8),
    )
    public = publish_incident(
        actor=bob,
        page=StatusPage.objects.get(),
        incident=incident,
        name="Payments fail for some customers",
        body="Some payments are refused. We are looking into it; your basket is kept.",
        components={component("Payments"): "partial_outage"},
        now=at(11),
    )
    actions.edit_incident(actor=ana, incident=incident, users_affected=15000, now=at(12))
    fire(at(14), title="Checkout is slow", severity="error", service="checkout", dedup_key="checkout-slow")
    updates.post_update(
        actor=bob,
        incident=incident,
        text="Connection pool exhausted after the campaign mail. **Raising it from 50 to 200**, then restarting.",
        status=status("fixing"),
        now=at(34),
    )
    publish_update(
        actor=bob,
        public_incident=public,
        status="identified",
        body="We know the cause and are adding capacity. Payments get better over the next minutes.",
        now=at(36),
    )
    return incident


def crowd(incident: Incident, who: Actor) -> None:
    """Three hundred notes, five minutes apart, written at once: through the action they would take longer."""
    first = incident.last_sequence + 1
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            incident=incident,
            sequence=first + number,
            kind=Kind.NOTE,
            text=f"Note {number}: " + "unbroken" * (number % 40),
            actor_kind=who.kind,
            actor_name=who.name,
            user_id=who.user_id,
            via=who.via,
            occurred_at=incident.declared_at + timedelta(minutes=5 * number),
        )
        for number in range(300)
    )
    Incident.objects.filter(pk=incident.pk).update(last_sequence=first + 299)


def strain(now: datetime) -> dict[str, str]:
    """What is longer, more or other than a designer thinks of; returns where it is."""
    admin, ana = actor("admin"), actor("ana")
    secret = actions.declare_incident(
        actor=admin,
        name=(THAI * 5)[:200],
        summary=THAI * 10,
        severity=severity("sev2"),
        visibility="private",
        services=list(Service.objects.all()),
        now=now - timedelta(hours=1),
    )
    membership.add_member(actor=admin, incident=secret, user=person(ana), now=now)
    updates.post_update(actor=ana, incident=secret, text=THAI * 8, now=now)
    crowded = actions.declare_incident(
        actor=ana, name=(LONG * 3)[:200], severity=severity("sev3"), mode="test", now=now - timedelta(hours=30)
    )
    crowd(crowded, ana)
    add_override(
        actor=admin,
        schedule=Schedule.objects.get(slug="primary-on-call"),
        user=person(ana),
        starts_at=now + timedelta(days=1),
        ends_at=now + timedelta(days=2),
        reason="A dentist",
        now=now,
    )
    create_api_key(actor=admin, user=person(admin), name="deploy script", scopes=[Scope.READ], now=now)
    Delivery.objects.filter(pk__in=Delivery.objects.order_by("-pk").values("pk")[:1]).update(
        state=Delivery.State.DEAD, attempts=12, last_error="ConnectionRefusedError: " + "chat.example.com " * 20
    )
    fire(now - timedelta(minutes=1), title="Disk " + "a" * 250, severity="error", service="search", dedup_key="disk")
    waiting = Page.objects.filter(channel="email", escalation__status="triggered").latest("pk")
    return {
        "private": str(secret.number),
        "crowded": str(crowded.number),
        "waiting_token": page_token(waiting.pk, waiting.user_id),
        "acknowledge_token": page_token(waiting.pk, waiting.user_id, "acknowledge"),
    }


def main() -> None:
    """Tells the story and prints the numbers, keys and tokens of what it made."""
    now = timezone.now()
    give_passwords()
    if "--passwords-only" in sys.argv:
        print("{}")  # noqa: T201
        return
    # Workers that run beside the story do its chores no faster than its people do.
    chores = Workflow.objects.filter(pk__in=list(Workflow.objects.filter(is_enabled=True).values_list("pk", flat=True)))
    chores.update(is_enabled=False)
    tell_of_last_week(now)
    incident = tell_of_today(now)
    Delivery.objects.update(state=Delivery.State.DONE, done_at=now)
    chores.update(is_enabled=True)
    answered = Page.objects.filter(channel="email").earliest("pk")
    told = {
        "incident": str(incident.number),
        "public_incident": incident.public_incidents.get().public_id,
        "alert": str(incident.alerts.get().pk),
        "escalation": str(incident.escalations.get().pk),
        "answered_token": page_token(answered.pk, answered.user_id),
        "proof_token": proof_link(answered.contact_method_id or 0).split("/")[-2],
        "postmortem": str(Postmortem.objects.get().pk),
        "action_item": str(ActionItem.objects.earliest("pk").pk),
        "component": str(component("Payments").pk),
        "change": str(tell_of_changes(now).pk),
        "heartbeat": str(tell_of_heartbeats(now).pk),
        "window": str(tell_of_windows(now).pk),
        "raw_event": str(RawEvent.objects.earliest("pk").pk),
        "route": str(AlertRoute.objects.earliest("pk").pk),
        "person": str(actor("ana").user_id),
        "workflow_run": str(tell_of_workflows(incident, now).pk),
    }
    if "--full" in sys.argv:
        told |= strain(now) | tell_of_duty(now) | tell_of_schedules(now) | tell_of_paging(now)
    print(json.dumps(told))  # noqa: T201  (what the caller reads)


if __name__ == "__main__":
    main()
