"""The promises of the presets: who is paged for which severity, and when, told in passing time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import User
from events.actions import deliver_due
from oncall.actions import acknowledge_escalation, start_escalation
from oncall.audit import audit_pages
from oncall.engine import tick
from oncall.models import Escalation, EscalationPolicy, Schedule
from oncall.sealing import verify_ledger
from oncall.sending import send_due
from oncall.simulation import simulate
from tests.factories import oncall
from tests.factories.accounts import user
from tests.oncall.ladders import Kind, Rung, ladder, rung

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
# A Sunday at 03:00 in Bangkok: nobody is in the office.
NIGHT = datetime(2026, 11, 21, 20, tzinfo=UTC)


@dataclass
class Night:
    """A night that passes minute by minute, with everything that beat would start."""

    now: datetime = NIGHT
    heard: list[tuple[int, str]] = field(default_factory=list)

    def pass_by(self, minutes: int) -> None:
        """Lets that many minutes go by, and notes whom the mails of each minute were for."""
        for _ in range(minutes + 1):
            while tick(self.now):
                pass
            while send_due(self.now):
                pass
            # The outbox goes by the wall clock, whatever day this is run on; as many minutes go by on it.
            deliver_due(timezone.now() + (self.now - NIGHT))
            self.listen()
            self.now += MINUTE
        self.now -= MINUTE

    def listen(self) -> None:
        minute = (self.now - NIGHT) // MINUTE
        self.heard += [(minute, message.to[0].split("@")[0]) for message in mail.outbox]
        mail.outbox.clear()


@pytest.fixture
def night() -> Iterator[Night]:
    """A night after which nothing is overdue, everything has an outcome and the ledger verifies."""
    night = Night()
    yield night
    assert audit_pages(night.now).holds
    assert verify_ledger().holds


def person(name: str) -> User:
    """Somebody at company.com whom mail reaches."""
    found = user(name=name.title(), email=f"{name}@company.com")
    oncall.contact_method(found)
    return found


def primary(*people: User) -> Schedule:
    """The schedule `primary-oncall` of the presets: weekly, Mondays at 09:00 in Bangkok."""
    schedule = oncall.schedule(*people, time_zone="Asia/Bangkok")
    Schedule.objects.filter(pk=schedule.pk).update(name="primary-oncall", slug="primary-oncall")
    schedule.refresh_from_db()
    return schedule


def fire(policy: EscalationPolicy, severity: str, *, urgency: str = "high") -> Escalation:
    return start_escalation(
        actor=oncall.SYSTEM,
        policy=policy,
        title="Payment API returning 500 errors",
        facts={"severity": severity},
        urgency=urgency,
        now=NIGHT,
    )


def answer(escalation: Escalation, who: User, night: Night) -> None:
    acknowledge_escalation(actor=Actor.of_user(who, via="email"), escalation=escalation, now=night.now)
    night.listen()


def said(policy: EscalationPolicy, severity: str) -> list[tuple[int, str]]:
    """What the simulator says of the same night."""
    found = simulate(policy, NIGHT, facts={"severity": severity})
    return [(page.seconds // 60, page.name.lower()) for page in found.pages]


# --- Escalation by severity -------------------------------------------------------------------------------------------


def by_severity() -> EscalationPolicy:
    """SEV1: on-call, team lead after 5 min, VP Engineering after 15 min; SEV2: team lead after 15; SEV3: chat only."""

    def only(*severities: str) -> dict[str, object]:
        return {"fact": "severity", "operator": "one_of", "value": list(severities)}

    chat = {"kind": Kind.CHAT, "name": "#incidents", "address": "ntfy://127.0.0.1:1/incidents"}
    schedule, lead = primary(person("alice")), person("lena")
    rungs: list[Rung] = [
        rung(chat, minutes=0, condition=only("sev3")),
        rung(schedule, minutes=5, condition=only("sev1")),
        rung(schedule, minutes=15, condition=only("sev2")),
        rung(lead, minutes=10, condition=only("sev1")),
        rung(lead, minutes=30, condition=only("sev2")),
        rung(person("victor"), minutes=30, condition=only("sev1")),
    ]
    return ladder(*rungs, name="By severity")


def test_sev1_pages_on_call_at_once_the_team_lead_after_5_minutes_and_the_vp_after_15(night: Night) -> None:
    policy = by_severity()
    escalation = fire(policy, "sev1")
    night.pass_by(60)
    assert night.heard == [(0, "alice"), (5, "lena"), (15, "victor")] == said(policy, "sev1")
    escalation.refresh_from_db()
    assert (escalation.status, escalation.outcome) == ("exhausted", "exhausted")


def test_sev1_answered_after_four_minutes_wakes_nobody_else(night: Night) -> None:
    escalation = fire(by_severity(), "sev1")
    night.pass_by(4)
    answer(escalation, User.objects.get(name="Alice"), night)
    night.pass_by(120)
    assert night.heard == [(0, "alice")]
    escalation.refresh_from_db()
    assert escalation.time_to_acknowledge == 4 * MINUTE


def test_sev2_pages_on_call_and_the_team_lead_after_15_minutes_and_nobody_above(night: Night) -> None:
    policy = by_severity()
    fire(policy, "sev2")
    night.pass_by(60)
    assert night.heard == [(0, "alice"), (15, "lena")] == said(policy, "sev2")


def test_sev3_is_told_in_chat_and_pages_nobody(night: Night) -> None:
    policy = by_severity()
    escalation = fire(policy, "sev3")
    night.pass_by(60)
    assert night.heard == [] == said(policy, "sev3")
    # The chat of this test is on a private address, which the installation does not allow: the ledger says so.
    texts = list(escalation.entries.order_by("number").values_list("text", flat=True))
    assert texts[1] == "Level 1: telling #incidents"
    assert "#incidents could not be told: 127.0.0.1 is inside a private network." in texts[-1]


# --- On-call as code: production-critical -----------------------------------------------------------------------------


def production_critical() -> EscalationPolicy:
    """Primary, after 5 minutes secondary, after 5 more the engineering manager, after 10 more the VP as the last."""
    return ladder(
        rung(primary(person("alice"), person("bob")), minutes=5),
        rung(oncall.schedule(person("sam"), time_zone="Asia/Bangkok"), minutes=5),
        rung(person("mia"), minutes=10),
        rung(person("victor"), minutes=0),
        name="production-critical",
    )


def test_production_critical_goes_up_until_the_vp_who_is_waited_for(night: Night) -> None:
    policy = production_critical()
    escalation = fire(policy, "critical")
    night.pass_by(49)
    # Of Alice and Bob it is Bob's week.
    assert night.heard == [(0, "bob"), (5, "sam"), (10, "mia"), (20, "victor")] == said(policy, "critical")
    escalation.refresh_from_db()
    assert escalation.status == "triggered"
    answer(escalation, User.objects.get(name="Victor"), night)
    night.pass_by(60)
    assert len(night.heard) == 4


def test_production_critical_hands_over_on_monday_at_nine_in_bangkok(night: Night) -> None:
    policy = production_critical()
    monday = datetime(2026, 11, 23, 2, tzinfo=UTC)
    for at, name in ((monday - MINUTE, "Bob"), (monday, "Alice")):
        assert simulate(policy, at).pages[0].name == name


def test_acknowledged_and_silent_for_ten_minutes_it_pages_again_and_after_four_hours_it_ends(night: Night) -> None:
    # A service's defaults: acknowledgement_timeout 600 s, auto_resolve_timeout 14,400 s.
    policy = ladder(rung(primary(person("alice")), minutes=30), acknowledgement_timeout_minutes=10, repeats=20)
    policy.auto_resolve_minutes = 240
    policy.save()
    escalation = fire(policy, "critical")
    night.pass_by(2)
    answer(escalation, User.objects.get(name="Alice"), night)
    night.pass_by(10)
    assert night.heard == [(0, "alice"), (12, "alice")]
    night.pass_by(240)
    escalation.refresh_from_db()
    assert (escalation.status, escalation.outcome) == ("resolved", "auto_resolved")
    assert escalation.ended_at == NIGHT + 240 * MINUTE
