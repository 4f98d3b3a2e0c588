"""What a night of paging leaves behind, for the pages to show: three levels, answers, a snooze, paging tests."""

from datetime import datetime, timedelta

from accounts.actor import Actor
from accounts.models import User
from oncall.actions import acknowledge_escalation, add_responder, decline_escalation, start_escalation
from oncall.engine import tick
from oncall.models import EscalationPolicy
from oncall.paging_tests import save_paging_test
from oncall.sending import send_due

MINUTE = timedelta(minutes=1)


def tell_of_paging(now: datetime) -> dict[str, str]:
    """Tells it and returns where it is."""
    people = {user.email.partition("@")[0]: user for user in User.objects.all()}
    policy = EscalationPolicy.objects.get(slug="production-critical")
    start = now - timedelta(hours=6)
    escalation = start_escalation(
        actor=Actor.system(),
        policy=policy,
        title="Payment database: replication lag above 30 seconds",
        detail="Reads may be old. The runbook is linked from the service.",
        facts={"severity": "critical", "service": "payments"},
        now=start,
    )
    for minute in (0, 5):
        tick(start + minute * MINUTE)
        send_due(start + minute * MINUTE)
    second = User.objects.filter(pages__escalation=escalation, pages__level=1).order_by("pages__id").first()
    if second is not None:
        actor = Actor.of_user(second, via="sms")
        decline_escalation(actor=actor, escalation=escalation, now=start + 7 * MINUTE)
    for minute in (7, 10):
        tick(start + minute * MINUTE)
        send_due(start + minute * MINUTE)
    ana = Actor.of_user(people["ana"], via="voice")
    acknowledge_escalation(actor=ana, escalation=escalation, now=start + 11 * MINUTE)
    add_responder(actor=ana, escalation=escalation, user=people["bob"], now=start + 13 * MINUTE)
    send_due(start + 13 * MINUTE)
    manager = Actor.of_user(people["admin"], via="web")
    kept = {"policy": policy.slug, "at": "Sunday 03:00 Europe/Berlin"}
    whoever = {"pages": "whoever is on call on primary-on-call", "within": "1 minute"}
    holds = save_paging_test(
        actor=manager, name="Nights page whoever is on call at once", spec={**kept, "expect": [whoever]}, now=now
    )
    broken = {**kept, "expect": [{"pages": "bob@example.com", "within": "2 minutes", "by": "voice"}]}
    save_paging_test(actor=manager, name="Bob is rung within two minutes", spec=broken, now=now)
    return {"ledger": str(escalation.pk), "paging_test": str(holds.pk)}
