"""Merging: what belongs to an incident moves, both say so, and taking it back returns exactly that."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client

from accounts.actor import Actor
from accounts.models import Role, User
from alerts.models import Alert
from events.errors import Conflict, Invalid
from events.models import Event
from incidents import actions, entries, membership, paging, pausing, streams
from incidents.merging import merge_incident, unmerge_incident
from incidents.models import Incident, IncidentAction, IncidentLink, IncidentRole
from incidents.roles import assign_role
from oncall.models import Escalation
from postmortems.action_items import create_action_item
from tests.factories import accounts, alerts, catalog, incidents, oncall, statuspage

LATER = timedelta(minutes=5)


@pytest.fixture
def target(responder: Actor, now: datetime) -> Incident:
    return incidents.incident(responder, name="Database slow", now=now)


def texts(incident: Incident) -> list[str]:
    return list(incident.timeline.filter(origin=None).order_by("sequence").values_list("text", flat=True))


def furnish(actor: Actor, incident: Incident, now: datetime) -> dict[str, Any]:
    """Gives the incident one of everything."""
    bob = accounts.user(name="Bob Okafor")
    assign_role(actor=actor, incident=incident, role=IncidentRole.objects.get(slug="comms"), user=bob, now=now)
    search = catalog.service(name="Search", slug="search")
    actions.set_affected_service(actor=actor, incident=incident, service=search, impact="major_outage", now=now)
    escalation = oncall.escalation(oncall.level(accounts.user()), now=now)
    paging.attach_escalation(actor=actor, incident=incident, escalation=escalation, now=now)
    alerts.sent(alerts.source(), now, title="Disk full", dedup_key="disk")
    alert = Alert.objects.get()
    Alert.objects.update(incident=incident)
    action = IncidentAction.objects.create(incident=incident, title="Fail over", created_at=now, created_by_name="Ana")
    link = IncidentLink.objects.create(
        incident=incident, url="https://example.com/1", added_at=now, added_by_name="Ana"
    )
    return {"bob": bob, "search": search, "escalation": escalation, "alert": alert, "action": action, "link": link}


def holdings(incident: Incident) -> dict[str, list[Any]]:
    """What belongs to it."""
    return {
        "roles": sorted(incident.role_assignments.filter(ended_at=None).values_list("role__slug", "user__name")),
        "services": sorted(incident.affected_services.values_list("service__slug", "impact")),
        "escalations": sorted(incident.escalations.values_list("pk", flat=True)),
        "alerts": sorted(Alert.objects.filter(incident=incident).values_list("pk", flat=True)),
        "actions": sorted(incident.actions.values_list("title", flat=True)),
        "links": sorted(incident.links.values_list("url", flat=True)),
        "followers": sorted(incident.followers.values_list("user__name", flat=True)),
        "streams": sorted(incident.streams.values_list("pk", flat=True)),
    }


def test_what_belongs_to_it_moves_and_comes_back(
    responder: Actor, incident: Incident, target: Incident, now: datetime
) -> None:
    furnish(responder, incident, now)
    stream = streams.declare_stream(actor=responder, incident=incident, name="Network", now=now)
    before, empty = holdings(incident), holdings(target)
    merged = merge_incident(actor=responder, incident=incident, into=target, reason="Same cause", now=now + LATER)
    assert (merged.status.slug, merged.merged_into, merged.closed_at) == ("merged", target, now + LATER)
    assert (merged.resolved_at, merged.next_update_due_at) == (None, None)
    assert holdings(target) == {**before, "followers": holdings(target)["followers"]}
    assert not any(holdings(incident)[name] for name in before if name != "followers")
    stream.refresh_from_db()
    assert stream.parent == target
    back = unmerge_incident(actor=responder, incident=incident, now=now + 2 * LATER)
    assert (back.status.slug, back.merged_into, back.closed_at) == ("investigating", None, None)
    assert (holdings(incident), holdings(target)) == (before, empty)


def test_both_timelines_say_so(responder: Actor, incident: Incident, target: Incident, now: datetime) -> None:
    furnish(responder, incident, now)
    merge_incident(actor=responder, incident=incident, into=target, reason="Same cause", now=now)
    assert texts(incident)[-1] == f"merged into {target.reference} Database slow: Same cause"
    assert texts(target)[-1] == (
        f"{incident.reference} {incident.name} was merged into this with 1 role, 1 service, 1 action, 1 link, "
        "1 escalation, 1 alert: Same cause"
    )
    unmerge_incident(actor=responder, incident=incident, now=now)
    assert texts(incident)[-1] == f"unmerged from {target.reference}"
    assert texts(target)[-1] == f"{incident.reference} {incident.name} is no longer part of this"
    names = Event.objects.filter(subject_id=incident.pk, name__contains="merge").values_list("name", flat=True)
    assert list(names.order_by("id")) == ["incident.merged", "incident.unmerged"]


def test_key_entries_are_copied_at_their_own_time_and_taken_away_again(
    responder: Actor, incident: Incident, target: Incident, now: datetime
) -> None:
    entries.add_note(actor=responder, incident=incident, text="chatter", now=now)
    actions.mitigate_incident(actor=responder, incident=incident, now=now + LATER)
    merge_incident(actor=responder, incident=incident, into=target, now=now + 2 * LATER)
    copies = target.timeline.filter(origin=incident).order_by("sequence")
    assert list(copies.values_list("text", "occurred_at")) == [
        (f"declared {incident.reference} as SEV2: {incident.name}", now),
        ("mitigated: the impact is over", now + LATER),
    ]
    sequences = list(target.timeline.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))
    unmerge_incident(actor=responder, incident=incident, now=now + 3 * LATER)
    assert not copies.filter(removed_at=None).exists()


def test_what_both_have_stays_where_it_is(
    responder: Actor, incident: Incident, target: Incident, now: datetime
) -> None:
    own = furnish(responder, incident, now)
    cid = accounts.user(name="Cid")
    comms = IncidentRole.objects.get(slug="comms")
    assign_role(actor=responder, incident=target, role=comms, user=cid, now=now)
    actions.set_affected_service(
        actor=responder, incident=target, service=own["search"], impact="degraded_performance", now=now
    )
    merge_incident(actor=responder, incident=incident, into=target, now=now)
    assert holdings(target)["roles"] == [("comms", "Cid")]
    assert holdings(target)["services"] == [("search", "degraded_performance")]
    unmerge_incident(actor=responder, incident=incident, now=now)
    assert holdings(incident)["roles"] == [("comms", "Bob Okafor")]


def test_what_changed_hands_meanwhile_stays_there(
    responder: Actor, incident: Incident, target: Incident, now: datetime
) -> None:
    furnish(responder, incident, now)
    merge_incident(actor=responder, incident=incident, into=target, now=now)
    Alert.objects.update(incident=None)
    unmerge_incident(actor=responder, incident=incident, now=now)
    assert holdings(incident)["alerts"] == []


def test_higher_apps_move_what_is_theirs(responder: Actor, incident: Incident, target: Incident, now: datetime) -> None:
    public = statuspage.public_incident(statuspage.page(), incident=incident, now=now)
    item = create_action_item(actor=responder, incident=incident, title="Larger pool", now=now)
    for act, owner in ((partial(merge_incident, into=target), target), (unmerge_incident, incident)):
        act(actor=responder, incident=incident, now=now)
        public.refresh_from_db()
        item.refresh_from_db()
        assert (public.incident, item.incident) == (owner, owner)


def test_resolving_the_other_ends_what_pages(
    responder: Actor, incident: Incident, target: Incident, now: datetime
) -> None:
    escalation = furnish(responder, incident, now)["escalation"]
    merge_incident(actor=responder, incident=incident, into=target, now=now)
    escalation.refresh_from_db()
    assert escalation.status == Escalation.Status.TRIGGERED
    actions.resolve_incident(actor=responder, incident=target, now=now)
    escalation.refresh_from_db()
    assert escalation.status == Escalation.Status.RESOLVED


def test_again_changes_nothing(responder: Actor, incident: Incident, target: Incident, now: datetime) -> None:
    for act in (partial(merge_incident, into=target), unmerge_incident):
        act(actor=responder, incident=incident, now=now)
        count = incident.timeline.count()
        act(actor=responder, incident=incident, now=now)
        assert incident.timeline.count() == count


def test_what_cannot_become_one_is_refused(
    responder: Actor, incident: Incident, target: Incident, now: datetime
) -> None:
    stream = streams.declare_stream(actor=responder, incident=incident, name="Network", now=now)
    practice = incidents.incident(responder, mode="game_day", now=now)
    over = incidents.incident(responder, now=now)
    other = streams.declare_stream(actor=responder, incident=target, name="Disks", now=now)
    actions.resolve_incident(actor=responder, incident=over, now=now)
    with pytest.raises(Invalid):
        merge_incident(actor=responder, incident=incident, into=incident, now=now)
    for source, into in [
        (incident, practice),
        (incident, over),
        (over, incident),
        (incident, stream),
        (incident, other),
    ]:
        with pytest.raises(Conflict) as refused:
            merge_incident(actor=responder, incident=source, into=into, now=now)
        assert refused.value.remedy


def test_a_chain_is_taken_apart_from_its_end(
    responder: Actor, incident: Incident, target: Incident, now: datetime
) -> None:
    last = incidents.incident(responder, now=now)
    merge_incident(actor=responder, incident=incident, into=target, now=now)
    merge_incident(actor=responder, incident=target, into=last, now=now)
    with pytest.raises(Conflict) as refused:
        unmerge_incident(actor=responder, incident=incident, now=now)
    assert refused.value.remedy == "Unmerge that one first."
    unmerge_incident(actor=responder, incident=target, now=now)
    assert unmerge_incident(actor=responder, incident=incident, now=now).is_open


def test_a_paused_one_is_not_paused_when_it_comes_back(
    responder: Actor, incident: Incident, target: Incident, now: datetime
) -> None:
    pausing.pause_incident(actor=responder, incident=incident, now=now)
    assert merge_incident(actor=responder, incident=incident, into=target, now=now + LATER).paused_at is None


def test_what_joins_the_alerts_of_a_merged_one_belongs_to_the_other(
    responder: Actor, target: Incident, now: datetime
) -> None:
    source = alerts.source()
    alerts.route(declares_incident=True, severity=incidents.severity(), group_by=["attributes.cluster"])
    alerts.sent(source, now, title="Disk full", dedup_key="a", attributes={"cluster": "eu"})
    declared = Alert.objects.get().incident
    assert declared is not None
    merge_incident(actor=responder, incident=declared, into=target, now=now)
    alerts.sent(source, now + LATER, title="Disk full", dedup_key="b", attributes={"cluster": "eu"})
    assert set(Alert.objects.values_list("incident", flat=True)) == {target.pk}
    assert Incident.objects.count() == 2


# --- Private ones -----------------------------------------------------------------------------------------------------


def test_a_private_one_is_shown_to_others_only_when_somebody_means_it(
    responder: Actor, incident: Incident, target: Incident, now: datetime
) -> None:
    escalation = furnish(responder, incident, now)["escalation"]
    membership.set_visibility(actor=responder, incident=incident, visibility="private", now=now)
    with pytest.raises(Conflict) as refused:
        merge_incident(actor=responder, incident=incident, into=target, now=now)
    assert refused.value.code == "needs_confirmation"
    merge_incident(actor=responder, incident=incident, into=target, now=now, confirmed=True)
    escalation.refresh_from_db()
    assert not escalation.is_private
    unmerge_incident(actor=responder, incident=incident, now=now)
    escalation.refresh_from_db()
    assert escalation.is_private


def test_into_a_private_one_people_come_along_and_the_open_one_does_not_name_it(
    responder: Actor, incident: Incident, target: Incident, now: datetime
) -> None:
    bob = furnish(responder, incident, now)["bob"]
    membership.set_visibility(actor=responder, incident=target, visibility="private", now=now)
    merge_incident(actor=responder, incident=incident, into=target, now=now)
    ana = User.objects.get(pk=responder.person_id)
    assert set(target.members.all()) == {ana, bob}
    entry = incident.timeline.latest("sequence")
    assert entry.text == "merged into another incident, which is private"
    assert target.reference not in f"{entry.text} {entry.data}"
    unmerge_incident(actor=responder, incident=incident, now=now)
    assert set(target.members.all()) == {ana}


def test_who_may_not_see_the_other_cannot_merge_into_it(responder: Actor, incident: Incident, now: datetime) -> None:
    hidden = incidents.incident(accounts.actor(name="Zoe"), visibility="private", now=now)
    with pytest.raises(Exception, match="There is no such incident"):
        merge_incident(actor=responder, incident=incident, into=hidden, now=now)


def test_the_page_of_what_was_merged_leads_to_where_it_went(responder: Actor, now: datetime) -> None:
    source, target = incidents.incident(responder, now=now), incidents.incident(responder, name="Pool <full>", now=now)
    merge_incident(actor=responder, incident=source, into=target, now=now)
    reader = Client()
    reader.force_login(accounts.user(role=Role.VIEWER))
    page = reader.get(source.get_absolute_url()).content.decode()
    assert f"Open {target.reference}" in page
    assert "Pool &lt;full&gt; now: what happens is told there." in page
    assert source.reference in reader.get(target.get_absolute_url()).content.decode()
    membership.set_visibility(actor=responder, incident=target, visibility="private", now=now)
    hidden = reader.get(source.get_absolute_url()).content.decode()
    assert "This is part of another incident now, which is private." in hidden
    assert f"Open {target.reference}" not in hidden
