"""How a source's mapping fills its alerts, what becomes of it on a repeat, and how it is saved and tried."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, Scope
from alerts.dialects.mapping import check_mapping
from alerts.mapping import save_mapping
from alerts.models import Alert, AlertSource
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from oncall.paging_tests import save_paging_test
from tests.factories import accounts, alerts, catalog, oncall

pytestmark = pytest.mark.django_db


def mapped(*rules: dict[str, Any], dialect: str = "generic") -> AlertSource:
    """A source with these rules."""
    check_mapping(list(rules))
    source = alerts.source(dialect)
    source.mapping = list(rules)
    source.save(update_fields=["mapping"])
    return source


def sent(source: AlertSource, now: datetime, **body: Any) -> str:
    """Sends this body, works it off and says what became of it."""
    return str(alerts.sent(source, now, **body).outcomes[0]["outcome"])


def rule(field: str, expression: str, **more: str) -> dict[str, Any]:
    return {"field": field, "expression": expression, **more}


# --- Filling ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "told", "found"),
    [
        ("text", {"a": 1}, '{"a": 1}'),
        ("text", "words", "words"),
        ("number", "12.50", 12.5),
        ("number", 7, 7),
        ("boolean", "Yes", True),
        ("boolean", "no", False),
        ("link", "https://wiki.example.com/disk", "https://wiki.example.com/disk"),
        ("list", "one", ["one"]),
        ("list", ["one", "two"], ["one", "two"]),
    ],
)
def test_a_rule_makes_of_what_it_finds_what_its_kind_wants(kind: str, told: Any, found: Any, now: datetime) -> None:
    sent(mapped(rule("found", "payload.told", kind=kind)), now, title="Disk full", told=told)
    assert Alert.objects.get().attributes["found"] == found


@pytest.mark.parametrize(
    "failing",
    [
        rule("found", "payload.nothing"),
        rule("found", "payload.text", kind="number"),
        rule("found", "payload.text", kind="link"),
        rule("found", "abs(payload.text)"),
        rule("title", "payload.nothing"),
    ],
)
def test_a_rule_that_fails_changes_nothing(failing: dict[str, Any], now: datetime) -> None:
    sent(mapped(failing, rule("severity", "payload.level")), now, title="Disk full", text="words", level="critical")
    alert = Alert.objects.get()
    assert (alert.title, alert.severity) == ("Disk full", "critical")
    assert "found" not in alert.attributes


def test_fields_and_templates_are_filled_from_what_the_format_found(now: datetime) -> None:
    service = catalog.service(slug="checkout")
    source = mapped(
        rule("service", "payload.labels.app"),
        rule("tags", "payload.labels.tags", kind="list"),
        {"field": "title", "template": "{{ payload.labels.app }}: {{ title }}"},
        {"field": "runbook", "kind": "link", "template": "https://wiki/{{ title | downcase | replace: ' ', '-' }}"},
    )
    sent(source, now, title="Disk full", labels={"app": "checkout", "tags": ["a", "b"]})
    alert = Alert.objects.get()
    assert (alert.title, alert.service, alert.tags) == ("checkout: Disk full", service, ["a", "b"])
    assert alert.attributes["runbook"] == "https://wiki/disk-full"


def test_json_of_any_shape_becomes_an_alert_and_ends_it(now: datetime) -> None:
    source = mapped(
        rule("title", "payload.check.what"), rule("dedup_key", "payload.check.id"), rule("status", "payload.state")
    )
    assert sent(source, now, check={"what": "Queue is long", "id": "q-1"}, state="ALARM") == "recorded"
    assert sent(source, now, check={"what": "Queue is long", "id": "q-1"}, state="OK") == "resolved"
    alert = Alert.objects.get()
    assert (alert.title, alert.dedup_key, alert.status) == ("Queue is long", "q-1", "resolved")


# --- Told again -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("merge", "kind", "told", "kept"),
    [
        ("first", "number", [3, 5, 1], 3),
        ("last", "number", [3, 5, 1], 1),
        ("max", "number", [3, 5, 1], 5),
        ("min", "number", [3, 5, 1], 1),
        ("append", "text", ["a", "b", "a"], ["a", "b"]),
        ("max", "text", [3, "many"], "many"),
        ("last", "number", [3, None], 3),
    ],
)
def test_what_is_told_again_is_merged_as_the_rule_says(
    merge: str, kind: str, told: list[Any], kept: Any, now: datetime
) -> None:
    source = mapped(rule("found", "payload.value", kind=kind, merge=merge))
    for value in told:
        sent(source, now, title="Disk full", dedup_key="disk", value=value)
    alert = Alert.objects.get()
    assert (alert.attributes["found"], alert.count) == (kept, len(told))


# --- Saving -----------------------------------------------------------------------------------------------------------


def test_only_managers_save_a_mapping_and_the_same_again_is_no_change(now: datetime) -> None:
    source, rules = alerts.source(), [rule("service", "payload.app")]
    with pytest.raises(NotAllowed):
        save_mapping(actor=accounts.actor(Role.RESPONDER), source=source, mapping=rules, now=now)
    before = Event.objects.filter(name="alert_source.changed").count()
    for _ in range(2):
        assert save_mapping(actor=accounts.actor(Role.MANAGER), source=source, mapping=rules, now=now).mapping == rules
    assert Event.objects.filter(name="alert_source.changed").count() == before + 1


def test_a_rule_that_cannot_be_followed_is_refused_in_its_own_words(now: datetime) -> None:
    wrong = [rule("severity", "payload.a"), rule("severity", "payload.b")]
    actor, source = accounts.actor(Role.MANAGER), alerts.source()
    with pytest.raises(Invalid, match="Rule 2: severity is filled already") as refused:
        save_mapping(actor=actor, source=source, mapping=wrong, now=now)
    assert refused.value.field == "mapping"


def test_a_mapping_that_breaks_a_paging_test_needs_a_reason(now: datetime) -> None:
    ana = accounts.user(name="Ana")
    oncall.contact_method(ana)
    catalog.service(slug="pay", escalation_policy=oncall.policy(oncall.level(ana)))
    source, actor = alerts.source(slug="prom"), accounts.actor(Role.MANAGER)
    alerts.route(paging="service")
    body = {"source": "prom", "body": {"title": "Down", "service": "pay"}}
    spec = {"payload": body, "at": "Sunday 03:00 UTC", "expect": [{"pages": "Ana", "within": "1 minute"}]}
    save_paging_test(actor=actor, name="Pays", spec=spec, now=now)
    wrong = [{"field": "service", "template": "nobody-knows-it"}]
    with pytest.raises(Conflict, match="breaks a paging test"):
        save_mapping(actor=actor, source=source, mapping=wrong, now=now)
    save_mapping(actor=actor, source=source, mapping=wrong, now=now, override_reason="It moves")
    assert AlertSource.objects.get(pk=source.pk).mapping == wrong


# --- On screen and by REST --------------------------------------------------------------------------------------------


def rows(*given: dict[str, str]) -> dict[str, str]:
    """The rows of the form."""
    fields = {f"rules-{number}-{name}": value for number, each in enumerate(given) for name, value in each.items()}
    return {"rules-TOTAL_FORMS": str(len(given)), "rules-INITIAL_FORMS": "0", **fields}


def test_a_mapping_is_saved_by_its_form_and_nothing_typed_is_lost(client: Client) -> None:
    client.force_login(accounts.user(role=Role.MANAGER))
    source = alerts.source()
    address = reverse("alerts:source-mapping", args=[source.slug])
    one = {"field": "service", "way": "expression", "text": "payload.app", "kind": "text", "merge": "first"}
    two = {"field": "host", "way": "template", "text": "{{ payload.host }}", "kind": "list", "merge": "append"}
    refused = client.post(address, rows({**one, "text": "payload.[["}))
    assert refused.status_code == 422
    assert "payload.[[" in refused.content.decode()
    assert "Rule 1:" in refused.content.decode()
    assert client.post(address, rows(one, two, {"field": "", "way": "expression", "text": ""})).status_code == 302
    source.refresh_from_db()
    assert source.mapping == [
        {"field": "service", "expression": "payload.app"},
        {"field": "host", "template": "{{ payload.host }}", "kind": "list", "merge": "append"},
    ]
    shown = client.get(address).content.decode()
    assert "payload.app" in shown
    assert "{{ payload.host }}" in shown


def test_what_rules_find_is_shown_and_not_stored(client: Client) -> None:
    client.force_login(accounts.user(role=Role.MANAGER))
    source = alerts.source()
    address = reverse("alerts:source-mapping-preview", args=[source.slug])
    typed = {
        **rows(
            {"field": "title", "way": "expression", "text": "payload.check"},
            {"field": "host", "way": "expression", "text": "payload.nothing"},
        ),
        "payload-source": source.slug,
    }
    page = client.post(address, {**typed, "payload-body": '{"check": "Queue is long"}'}).content.decode()
    assert "Queue is long" in page
    assert "finds nothing" in page
    unread = client.post(address, {**typed, "payload-body": '{"what": 1}'}).content.decode()
    assert "A title is needed." in unread
    broken = client.post(address, {**typed, "payload-body": "["}).content.decode()
    assert "The body is not JSON" in broken
    source.refresh_from_db()
    assert source.mapping == []
    client.force_login(accounts.user(role=Role.RESPONDER))
    assert client.post(address, typed).status_code == 403
    assert client.get(reverse("alerts:source-mapping", args=[source.slug])).status_code == 403


def test_a_mapping_is_changed_by_rest_through_the_same_action() -> None:
    key = accounts.api_key(accounts.user(role=Role.MANAGER), Scope.READ, Scope.ALERTS)
    client = Client(headers={"authorization": f"Bearer {key}"})
    source = alerts.source()
    address = f"/api/v1/alert-sources/{source.slug}/"
    rules = [rule("service", "payload.app")]
    changed = client.patch(address, {"mapping": rules}, content_type="application/json")
    assert (changed.status_code, changed.json()["mapping"]) == (200, rules)
    assert client.patch(address, {"description": "x"}, content_type="application/json").json()["mapping"] == rules
    wrong = client.patch(address, {"mapping": [{"field": "x"}]}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (400, "mapping")
