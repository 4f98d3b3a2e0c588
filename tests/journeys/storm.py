"""What the chaos journeys run inside their own installations: people, a thousand escalations at once, a source."""

import sys
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.models import User
from alerts.actions import save_source
from alerts.routes import save_route
from oncall.actions import Start, start_escalations
from oncall.models import ContactMethod, EscalationLevel, EscalationPolicy, EscalationTarget
from oncall.policies import LevelDraft, save_policy
from oncall.policies import person as to_page

LEVELS = 3
# All three together outlast the last death.
LEVEL_SECONDS = 8


def begin(receiver: str, number: int) -> None:
    """Starts that many escalations of three levels; each level pages a person of its own through a webhook."""
    now = timezone.now()
    people = [_person(f"level-{level}", f"{receiver}{level}", now) for level in range(LEVELS)]
    policy = EscalationPolicy.objects.create(name="Storm", slug="storm")
    for position, person in enumerate(people):
        level = EscalationLevel.objects.create(policy=policy, position=position)
        EscalationTarget.objects.create(level=level, kind=EscalationTarget.Kind.USER, user=person)
    path = _path(people)
    for count in range(number):
        start = Start(Actor.system(via="command"), policy, f"Storm {count}", path=path)
        start_escalations([start], now=timezone.now())


def _person(name: str, address: str, now: datetime) -> User:
    person = User.objects.create(name=name, email=f"{name}@example.com", password="!")
    ContactMethod.objects.create(user=person, kind=ContactMethod.Kind.WEBHOOK, address=address, verified_at=now)
    return person


def _path(people: list[User]) -> dict[str, Any]:
    """A frozen path whose levels wait for seconds, not minutes."""
    levels = [
        {
            "timeout_seconds": LEVEL_SECONDS,
            "condition": {},
            "answers_needed": 1,
            "is_round_robin": False,
            "targets": [{"type": "user", "id": person.pk, "name": person.name}],
        }
        for person in people
    ]
    stages = [{"first": 0, "count": len(levels), "repeats": 0}]
    times = {"acknowledgement_seconds": None, "auto_resolve_seconds": None}
    more = {"zone": "UTC", "turn": 0, "digest": False}
    return {"policy": "Storm", "urgency": "high", "levels": levels, "stages": stages, **times, **more}


def listen(receiver: str) -> None:
    """Prints the path that takes alerts of a source of its own; those that are critical page a person by a webhook."""
    now, actor = timezone.now(), Actor.system(via="command")
    person = _person("on-call", receiver, now)
    policy = save_policy(actor=actor, name="Storm", slug="storm", levels=[LevelDraft(30, [to_page(person)])], now=now)
    source = save_source(actor=actor, name="Storm", slug="storm", dialect="generic", now=now)
    critical = {"fact": "severity", "operator": "is", "value": "critical"}
    save_route(actor=actor, name="Critical", conditions=critical, paging="policy", escalation_policy=policy, now=now)
    sys.stdout.write(f"/in/{source.token}\n")
