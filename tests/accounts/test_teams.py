"""Teams: managers make them, whoever manages one changes it."""

import pytest

from accounts.actions import save_team
from accounts.actor import Actor
from accounts.models import Membership, Role
from events.errors import Conflict, Invalid, NotAllowed
from tests.factories.accounts import actor, team, user

pytestmark = pytest.mark.django_db


def test_a_manager_makes_a_team_and_replaces_who_is_in_it() -> None:
    manager, ana, bob, dan = actor(Role.MANAGER), user(), user(), user()
    made = save_team(actor=manager, name="Payments", slug="payments", members=[ana, bob])
    Membership.objects.filter(user=ana).update(role=Membership.TeamRole.MANAGER)
    save_team(actor=manager, team=made, name="Payments", slug="payments", members=[ana, dan])
    assert set(made.members.all()) == {ana, dan}
    assert made.memberships.get(user=ana).role == Membership.TeamRole.MANAGER


def test_who_is_in_it_stays_when_nothing_is_said_of_that() -> None:
    ana = user()
    made = team(ana)
    save_team(actor=actor(Role.MANAGER), team=made, name="Renamed", slug=made.slug)
    assert list(made.members.all()) == [ana]


def test_a_teams_own_manager_changes_it_and_other_responders_do_not() -> None:
    ana, made = user(), team()
    with pytest.raises(NotAllowed):
        save_team(actor=Actor.of_user(ana, via="web"), team=made, name="A", slug="a")
    Membership.objects.create(team=made, user=ana, role=Membership.TeamRole.MANAGER)
    assert save_team(actor=Actor.of_user(ana, via="web"), team=made, name="A", slug="a").name == "A"
    with pytest.raises(NotAllowed):
        save_team(actor=Actor.of_user(ana, via="web"), name="B", slug="b")


def test_two_teams_never_share_a_name_or_an_address() -> None:
    taken, manager = team(), actor(Role.MANAGER)
    for name, slug in ((taken.name.upper(), "other"), ("Other", taken.slug)):
        with pytest.raises(Conflict):
            save_team(actor=manager, name=name, slug=slug)
    for name, slug in ((" ", "other"), ("Other", "new")):
        with pytest.raises(Invalid):
            save_team(actor=manager, name=name, slug=slug)
