"""Routes on screen: the list in words and in order, the form, and what paging tests refuse."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from alerts.marking import mark_alert
from alerts.models import Alert, AlertRoute, RouteNotice
from alerts.route_words import lines_of
from alerts.routes import Notice
from events.models import Event
from incidents.models import IncidentType, Severity
from oncall.models import EscalationPolicy
from oncall.paging_tests import save_paging_test
from tests.factories import accounts, alerts, catalog, incidents, oncall
from tests.factories.alerts import sent

pytestmark = pytest.mark.django_db
WEBHOOK = "https://hooks.example.com/secret-part"


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(accounts.user(role=Role.MANAGER))
    return client


@pytest.fixture
def policy() -> EscalationPolicy:
    ana = accounts.user(name="Ana")
    oncall.contact_method(ana)
    return oncall.policy(oncall.level(ana))


def filled(**fields: Any) -> dict[str, Any]:
    """The form, filled in for a route that pages nobody."""
    rows = {
        f"{prefix}-{name}_FORMS": "0"
        for prefix in ("conditions", "severities", "notices")
        for name in ("TOTAL", "INITIAL")
    }
    usual = {"name": "Critical", "is_enabled": "on", "combine": "all", "paging": "nobody"}
    grouping = {"group_window": "rolling", "joining": "rises"}
    return {**rows, **usual, **grouping, **fields}


def rows(prefix: str, *given: dict[str, Any]) -> dict[str, Any]:
    """Rows of one of the form's sets."""
    fields = {f"{prefix}-{number}-{name}": value for number, row in enumerate(given) for name, value in row.items()}
    return {f"{prefix}-TOTAL_FORMS": str(len(given)), **fields}


# --- The form ---------------------------------------------------------------------------------------------------------


def test_everything_that_can_be_said_about_a_route_is_said_by_its_form(
    client: Client, policy: EscalationPolicy
) -> None:
    severity, team, user = incidents.severity("sev1"), accounts.team(), accounts.user()
    asked = filled(
        paging="policy",
        escalation_policy=policy.pk,
        urgency="high",
        wait_seconds="60",
        declares_incident="on",
        attaches_to_open="on",
        in_triage="on",
        severity=severity.pk,
        name_template="{{ service_name }}: {{ title }}",
        summary_template="{{ description }}",
        group_by="service, labels.cluster, service",
        group_minutes="10",
        group_window="fixed",
        joining="always",
        **rows("conditions", {"fact": "severity", "operator": "one_of", "value": "critical, page"}),
        **rows("severities", {"said": "page", "severity": "sev1"}, {"said": "", "severity": ""}),
        **rows(
            "notices",
            {"kind": "user", "user": user.pk},
            {"kind": "team", "team": team.pk},
            {"kind": "webhook", "name": "Hook", "address": WEBHOOK},
            {"kind": ""},
        ),
    )
    answer = client.post(reverse("alerts:route-new"), asked)
    assert answer.status_code == 302, answer.content.decode()
    route = AlertRoute.objects.get()
    assert route.conditions == {"all": [{"fact": "severity", "operator": "one_of", "value": ["critical", "page"]}]}
    assert (route.group_by, route.group_minutes, route.wait_seconds) == (["service", "labels.cluster"], 10, 60)
    assert (route.group_window, route.joining, route.urgency) == ("fixed", "always", "high")
    assert (route.severity, route.severity_map, route.in_triage) == (severity, {"page": "sev1"}, True)
    assert route.name_template == "{{ service_name }}: {{ title }}"
    assert [(each.user, each.team, each.address) for each in route.notices.all()] == [
        (user, None, ""),
        (None, team, ""),
        (None, None, WEBHOOK),
    ]


def test_what_was_archived_since_stays_chosen_and_says_so(client: Client) -> None:
    gone, kind = incidents.severity("sev4"), IncidentType.objects.create(name="Old kind", slug="old-kind")
    route = alerts.route(
        declares_incident=True, severity=gone, incident_type=kind, severity_map={"page": "sev1", "info": "sev4"}
    )
    Severity.objects.filter(pk=gone.pk).update(is_active=False)
    IncidentType.objects.filter(pk=kind.pk).update(is_active=False)
    address = reverse("alerts:route-edit", args=[route.pk])
    page = client.get(address).content.decode()
    assert page.count(f"{gone.name} (archived)") == 1 + 2 + 2  # (its own, the rows of the map, those to add)
    assert "Old kind (archived)" in page
    same = filled(
        declares_incident="on",
        severity=gone.pk,
        **rows("severities", {"said": "page", "severity": "sev1"}, {"said": "info", "severity": "sev4"}),
    )
    refused = client.post(address, {**same, "incident_type": kind.pk}).content.decode()
    assert f"{gone.name} is not in use any more." in refused
    assert client.post(address, same).status_code == 302
    route.refresh_from_db()
    assert route.severity == gone
    assert route.severity_map == {"page": "sev1", "info": "sev4"}


def test_a_new_route_is_not_offered_what_is_archived(client: Client) -> None:
    Severity.objects.filter(pk=incidents.severity("sev4").pk).update(is_active=False)
    assert "(archived)" not in client.get(reverse("alerts:route-new")).content.decode()


def test_an_address_is_never_shown_again_and_empty_keeps_it(client: Client) -> None:
    route = alerts.route(notices=[Notice("webhook", name="Hook", address=WEBHOOK)])
    address = reverse("alerts:route-edit", args=[route.pk])
    page = client.get(address).content.decode()
    assert "Hook" in page
    assert "kept as it is" in page
    assert "secret-part" not in page
    client.post(address, filled(name=route.name, **rows("notices", {"kind": "webhook", "name": "Hook", "address": ""})))
    assert RouteNotice.objects.get().address == WEBHOOK
    renamed = rows("notices", {"kind": "webhook", "name": "Other", "address": ""})
    refused = client.post(address, filled(name=route.name, **renamed))
    assert refused.status_code == 422
    assert "needs a name and an address" in refused.content.decode()
    client.post(address, filled(name=route.name, **rows("notices", {"kind": ""})))
    assert not RouteNotice.objects.exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"paging": "policy"}, "Choose the policy to page."),
        ({"declares_incident": "on"}, "Choose the severity"),
        ({"name_template": "{{ title", "declares_incident": ""}, "Use blanks such as"),
        ({"group_by": "no spaces here"}, "These are not facts to group by."),
        (rows("notices", {"kind": "chat", "name": "Ops", "address": "nonsense"}), "slack://"),
        (rows("notices", {"kind": "user"}), "Choose the person to notify."),
        (rows("conditions", {"fact": "title", "operator": "matches", "value": "("}), "is not a regular expression"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_typed_is_lost(
    client: Client, fields: dict[str, Any], said: str
) -> None:
    refused = client.post(reverse("alerts:route-new"), filled(name="Typed by hand", **fields))
    page = refused.content.decode()
    assert refused.status_code == 422
    assert said in page
    assert "Typed by hand" in page
    assert not AlertRoute.objects.exists()


def test_what_a_choice_makes_needless_counts_as_not_said(client: Client) -> None:
    asked = filled(paging="suppress", declares_incident="on", continues="on", suppress_reason="Old cluster")
    assert client.post(reverse("alerts:route-new"), asked).status_code == 302
    route = AlertRoute.objects.get()
    assert (route.declares_incident, route.continues, route.suppress_reason) == (False, False, "Old cluster")


def test_facts_are_offered_with_working_hours_and_attributes_of_recent_alerts(client: Client) -> None:
    oncall.schedule(slug="primary")
    sent(alerts.source(), timezone.now(), title="Disk full", labels={"cluster": "eu"}, region="eu-1")
    page = client.get(reverse("alerts:route-new")).content.decode()
    for fact in ("severity", "dedup_key", "working_hours.primary", "labels.cluster", "region"):
        assert f'<option value="{fact}">' in page


def test_nested_conditions_come_back_as_json(client: Client) -> None:
    nested = {"not": {"fact": "severity", "operator": "is", "value": "info"}}
    route = alerts.route(nested)
    page = client.get(reverse("alerts:route-edit", args=[route.pk])).content.decode()
    assert "&quot;not&quot;" in page


# --- The list ---------------------------------------------------------------------------------------------------------


def test_a_route_is_told_in_words(policy: EscalationPolicy) -> None:
    route = alerts.route(
        {"fact": "severity", "operator": "is", "value": "critical"},
        paging="team",
        escalation_policy=policy,
        urgency="low",
        wait_seconds=30,
        group_by=["service"],
        group_minutes=5,
        joining="never",
        attaches_to_open=True,
        declares_incident=True,
        severity=incidents.severity("sev1"),
        severity_map={"page": "sev1"},
        notices=[Notice("webhook", name="Hook", address=WEBHOOK)],
    )
    assert [line.text for line in lines_of(route)] == [
        "When severity is critical",
        "wait 30 seconds whether it ends by itself",
        "group by service, for 5 min from the newest; one that joins never pages again",
        "attach it to the open incident of its service",
        "declare an incident, SEV1 (page → SEV1)",
        f"page the policy of its team, else {policy}, with low urgency",
        "tell Hook",
    ]
    quiet = alerts.route(paging="suppress", suppress_reason="Old cluster")
    assert [line.text for line in lines_of(quiet)] == ["Always", "suppress it: no page, no incident: Old cluster"]
    passing = alerts.route(continues=True)
    assert [line.text for line in lines_of(passing)] == ["Always", "page nobody", "then look at the next routes"]


def test_the_list_counts_what_took_each_route_and_what_of_it_was_noise(client: Client) -> None:
    alerts.route(name="All of them")
    now, source = timezone.now(), alerts.source()
    for number in range(3):
        sent(source, now, title="Disk full", dedup_key=str(number))
    mark_alert(actor=accounts.actor(), alert=Alert.objects.first() or Alert(), noise="noise", now=now)
    page = " ".join(client.get(reverse("alerts:routes")).content.decode().split())
    assert ">3 alerts</a> took it in the last 7 days, 1 marked as noise" in page


def test_the_list_asks_the_same_number_of_queries_however_long_it_is(client: Client, policy: EscalationPolicy) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("alerts:routes"))
        return len(asked)

    def another() -> None:
        told = [Notice("user", user=accounts.user()), Notice("team", team=accounts.team())]
        alerts.route(paging="policy", escalation_policy=policy, notices=told)

    another()
    queries()
    before = queries()
    for _ in range(4):
        another()
    assert queries() == before


# --- Order ------------------------------------------------------------------------------------------------------------


def order() -> list[AlertRoute]:
    return list(AlertRoute.objects.order_by("position"))


def test_routes_are_put_in_order_by_drag_and_by_button(client: Client) -> None:
    first, second, third = (alerts.route() for _ in range(3))
    asked = {"routes": [third.pk, first.pk, second.pk]}
    answer = client.post(reverse("alerts:routes-order"), asked, headers={"X-Requested-With": "fetch"})
    assert answer.status_code == 204
    assert order() == [third, first, second]
    client.post(reverse("alerts:route-move", args=[second.pk]), {"direction": "up"})
    assert order() == [third, second, first]
    before = Event.objects.count()
    client.post(reverse("alerts:route-move", args=[third.pk]), {"direction": "up"})
    assert (order(), Event.objects.count()) == ([third, second, first], before)


def test_people_who_may_not_configure_see_the_list_and_change_nothing(client: Client) -> None:
    client.force_login(accounts.user(role=Role.RESPONDER))
    route = alerts.route(name="Everything")
    page = client.get(reverse("alerts:routes")).content.decode()
    assert "Everything" in page
    assert "data-reorder" not in page
    assert "payload-source" not in page
    for name, args in [
        ("routes-order", []),
        ("route-remove", [route.pk]),
        ("route-preview", []),
        ("route-backtest", []),
    ]:
        assert client.post(reverse(f"alerts:{name}", args=args), {"routes": [route.pk]}).status_code == 403
    assert client.get(reverse("alerts:route-payload")).status_code == 403
    assert client.get(reverse("alerts:route-edit", args=[route.pk])).status_code == 403


# --- What paging tests refuse -----------------------------------------------------------------------------------------


@pytest.fixture
def promised(policy: EscalationPolicy, now: datetime) -> AlertRoute:
    """A route on which an active paging test rests; it stands before one that pages nobody."""
    catalog.service(slug="pay", escalation_policy=policy)
    alerts.source(slug="prom")
    route = alerts.route(paging="service")
    alerts.route()
    payload = {"source": "prom", "body": {"title": "Down", "service": "pay"}}
    spec = {"payload": payload, "at": "Sunday 03:00 UTC", "expect": [{"pages": "Ana", "within": "1 minute"}]}
    save_paging_test(actor=accounts.actor(Role.MANAGER), name="Pays", spec=spec, now=now)
    return route


def overridden() -> list[str]:
    return [event.data["reason"] for event in Event.objects.filter(name="paging_test.overridden")]


def test_saving_what_breaks_a_paging_test_needs_a_reason(client: Client, promised: AlertRoute) -> None:
    address = reverse("alerts:route-edit", args=[promised.pk])
    refused = client.post(address, filled(name=promised.name))
    assert refused.status_code == 422
    assert "This breaks a paging test" in refused.content.decode()
    assert "Save it all the same, because" in refused.content.decode()
    assert AlertRoute.objects.get(pk=promised.pk).paging == "service"
    assert client.post(address, filled(name=promised.name, override_reason="It moves")).status_code == 302
    assert AlertRoute.objects.get(pk=promised.pk).paging == "nobody"
    assert overridden() == ["It moves"]


def test_moving_what_breaks_a_paging_test_needs_a_reason(client: Client, promised: AlertRoute) -> None:
    other = order()[1]
    by_script = client.post(
        reverse("alerts:routes-order"), {"routes": [other.pk, promised.pk]}, headers={"X-Requested-With": "fetch"}
    )
    assert by_script.status_code == 409
    address = reverse("alerts:route-move", args=[promised.pk])
    refused = client.post(address, {"direction": "down"})
    assert refused.status_code == 409
    assert "Move it all the same" in refused.content.decode()
    assert order() == [promised, other]
    client.post(address, {"direction": "down", "override_reason": "For a test"})
    assert order() == [other, promised]
    assert overridden() == ["For a test"]


def test_removing_what_breaks_a_paging_test_needs_a_reason(client: Client, promised: AlertRoute) -> None:
    address = reverse("alerts:route-remove", args=[promised.pk])
    refused = client.post(address)
    assert refused.status_code == 409
    assert "Remove it all the same" in refused.content.decode()
    assert AlertRoute.objects.filter(pk=promised.pk).exists()
    client.post(address, {"override_reason": "It moves"})
    assert not AlertRoute.objects.filter(pk=promised.pk).exists()
