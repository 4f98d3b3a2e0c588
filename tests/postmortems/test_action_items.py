"""The work that an incident leads to."""

from datetime import date, datetime
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.models import Role
from events.errors import Invalid, NotAllowed, NotFound
from events.models import Event
from incidents.models import Incident
from postmortems.action_items import create_action_item, update_action_item
from postmortems.models import ActionItem
from tests.factories.accounts import actor, user
from tests.factories.incidents import incident

pytestmark = pytest.mark.django_db


def item(now: datetime, **fields: Any) -> ActionItem:
    given = {"actor": Actor.system(), "title": "Watch the disks", **fields}
    given.setdefault("incident", incident(now=now))
    return create_action_item(now=now, **given)


def test_an_action_item_has_an_owner_a_date_and_a_priority(now: datetime) -> None:
    ana, bob = actor(), user()
    made = item(now, actor=ana, owner=bob, due_on=date(2026, 4, 1), priority="P0")
    assert (made.owner, made.due_on, made.priority, made.status) == (bob, date(2026, 4, 1), "P0", "planned")
    assert (made.created_by_id, made.done_at) == (ana.user_id, None)
    assert Event.objects.filter(name="action_item.created", subject_id=made.pk).exists()


def test_done_is_dated_and_undone_again_is_not(now: datetime) -> None:
    made = item(now)
    done = update_action_item(actor=actor(), action_item=made, status="done", now=now)
    assert done.done_at == now
    again = update_action_item(actor=actor(), action_item=made, status="in_progress", now=now)
    assert again.done_at is None


def test_a_change_that_changes_nothing_is_no_news(now: datetime) -> None:
    made = item(now)
    update_action_item(actor=actor(), action_item=made, status="planned", title=made.title, now=now)
    assert not Event.objects.filter(name="action_item.changed").exists()


def test_the_owner_may_move_it_on_whatever_their_role(now: datetime) -> None:
    viewer = user(role=Role.VIEWER)
    made = item(now, owner=viewer)
    changed = update_action_item(actor=Actor.of_user(viewer, via="web"), action_item=made, status="done", now=now)
    assert changed.status == "done"


def test_other_viewers_may_not(now: datetime) -> None:
    made = item(now)
    with pytest.raises(NotAllowed):
        update_action_item(actor=actor(Role.VIEWER), action_item=made, status="done", now=now)
    with pytest.raises(NotAllowed):
        item(now, actor=actor(Role.VIEWER))


def test_the_owner_must_be_able_to_see_the_incident(now: datetime) -> None:
    ana = actor()
    secret = incident(ana, visibility=Incident.Visibility.PRIVATE, now=now)
    with pytest.raises(Invalid, match="may not see"):
        item(now, actor=ana, incident=secret, owner=user())
    with pytest.raises(NotFound):
        item(now, actor=actor(Role.OWNER), incident=secret)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", " "),
        ("title", "x" * 251),
        ("priority", "P9"),
        ("status", "half"),
        ("ticket_url", "javascript:alert(1)"),
    ],
)
def test_nonsense_is_refused(now: datetime, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        item(now, **{field: value})
    assert refusal.value.field == field


def test_only_open_items_can_be_overdue(now: datetime) -> None:
    today, yesterday = date(2026, 3, 14), date(2026, 3, 13)
    late = item(now, due_on=yesterday)
    item(now, due_on=today)
    item(now, due_on=yesterday, status="done")
    item(now)
    assert list(ActionItem.objects.overdue(today)) == [late]
    assert late.is_overdue(today)
