"""Who may add people, change what they may do, and how they are named."""

from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress

from accounts.actions import change_user, invite_user, update_profile
from accounts.actor import Actor
from accounts.models import Role, User
from events.errors import Conflict, Invalid, NotAllowed
from events.models import Event
from tests.factories.accounts import actor, user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)


def test_an_administrator_adds_a_person_who_can_then_choose_a_password() -> None:
    added = invite_user(
        actor=actor(Role.ADMINISTRATOR), email=" Ana@Example.COM ", name=" Ana ", time_zone="Asia/Bangkok"
    )
    assert (added.email, added.name, added.role) == ("ana@example.com", "Ana", Role.RESPONDER)
    assert not added.has_usable_password()
    assert EmailAddress.objects.get(user=added).verified
    assert Event.objects.get(name="user.invited").subject_id == added.pk


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER, Role.MANAGER])
def test_nobody_below_an_administrator_adds_people(role: Role) -> None:
    with pytest.raises(NotAllowed):
        invite_user(actor=actor(role), email="ana@example.com", name="Ana")


def test_nobody_gives_a_role_above_their_own() -> None:
    with pytest.raises(NotAllowed):
        invite_user(actor=actor(Role.ADMINISTRATOR), email="ana@example.com", name="Ana", role=Role.OWNER)
    with pytest.raises(NotAllowed):
        change_user(actor=actor(Role.ADMINISTRATOR), now=NOW, user=user(), role=Role.OWNER)


@pytest.mark.parametrize(
    ("fields", "field"), [({"email": "nonsense"}, "email"), ({"time_zone": "Berlin"}, "time_zone")]
)
def test_a_person_who_makes_no_sense_is_refused_with_the_field(fields: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        invite_user(actor=actor(Role.OWNER), **{"email": "ana@example.com", "name": "Ana", **fields})  # type: ignore[arg-type]
    assert refused.value.field == field


def test_an_address_belongs_to_one_person_however_it_is_written() -> None:
    user(email="Ana@example.com")
    with pytest.raises(Conflict):
        invite_user(actor=actor(Role.OWNER), email="ana@EXAMPLE.com", name="Ana")


def test_an_administrator_changes_what_others_may_do_but_not_an_owner() -> None:
    administrator, bob = actor(Role.ADMINISTRATOR), user()
    assert change_user(actor=administrator, now=NOW, user=bob, role=Role.MANAGER).role == Role.MANAGER
    assert change_user(actor=administrator, now=NOW, user=bob, is_active=False).is_active is False
    with pytest.raises(NotAllowed):
        change_user(actor=administrator, now=NOW, user=user(role=Role.OWNER), role=Role.VIEWER)
    assert Event.objects.filter(name="user.changed").count() == 2


@pytest.mark.parametrize("change", [{"role": Role.VIEWER}, {"is_active": False}])
def test_the_last_owner_stays_one(change: dict[str, object]) -> None:
    owner = user(role=Role.OWNER)
    user(role=Role.OWNER, is_active=False)
    with pytest.raises(Conflict):
        change_user(actor=Actor.of_user(owner, via="web"), now=NOW, user=owner, **change)  # type: ignore[arg-type]
    user(role=Role.OWNER)
    change_user(actor=Actor.of_user(owner, via="web"), now=NOW, user=owner, **change)  # type: ignore[arg-type]


def test_changing_nothing_is_not_told() -> None:
    bob = user()
    change_user(actor=actor(Role.OWNER), now=NOW, user=bob, role=Role(bob.role))
    assert not Event.objects.exists()


def test_people_change_their_own_profile_and_administrators_that_of_others() -> None:
    bob = user()
    changed = update_profile(actor=Actor.of_user(bob, via="web"), user=bob, name=" Bob ", time_zone="Europe/Prague")
    assert (changed.name, changed.time_zone) == ("Bob", "Europe/Prague")
    update_profile(actor=actor(Role.ADMINISTRATOR), user=bob, name="Robert", time_zone="UTC")
    with pytest.raises(NotAllowed):
        update_profile(actor=actor(Role.MANAGER), user=bob, name="B", time_zone="UTC")
    with pytest.raises(Invalid):
        update_profile(actor=Actor.of_user(bob, via="web"), user=bob, name=" ", time_zone="UTC")


def test_an_inactive_person_may_nothing() -> None:
    assert not user(role=Role.OWNER, is_active=False).has_role(Role.VIEWER)


def test_a_name_stands_for_the_person_and_its_initials_for_the_name() -> None:
    assert (User(name="Ana Maria Ferreira").initials, User(name="Ana").initials) == ("AF", "A")
    assert User(name="", email="ana@example.com").display_name == "ana"
