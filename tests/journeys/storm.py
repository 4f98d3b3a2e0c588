"""What the chaos journey runs inside its own installation: people, and a thousand escalations at once."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.models import User
from oncall.actions import Start, start_escalations
from oncall.models import ContactMethod, EscalationLevel, EscalationPolicy, EscalationTarget

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
