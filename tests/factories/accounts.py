"""People and teams to test with."""

from datetime import UTC, datetime
from typing import Any

from factory import Faker, LazyAttribute, Sequence
from factory.django import DjangoModelFactory

from accounts.actions import hash_secret
from accounts.actor import Actor
from accounts.models import ApiKey, Role, Scope, Team, User


class UserFactory(DjangoModelFactory):  # type: ignore[misc]  # factory_boy ships no types
    """A responder; nobody can sign in as them by password."""

    class Meta:
        model = User

    name = Faker("name")
    email = Sequence(lambda number: f"person-{number}@example.com")
    role = Role.RESPONDER
    password = "!"


class TeamFactory(DjangoModelFactory):  # type: ignore[misc]
    """A team with nobody in it."""

    class Meta:
        model = Team

    name = Sequence(lambda number: f"Team {number}")
    slug = LazyAttribute(lambda team: team.name.lower().replace(" ", "-"))


def user(**fields: Any) -> User:
    """A responder, unless `role` says otherwise."""
    made: User = UserFactory(**fields)
    return made


def actor(role: Role = Role.RESPONDER, *, via: str = "web", **fields: Any) -> Actor:
    """A new person of that role, acting."""
    return Actor.of_user(user(role=role, **fields), via=via)


def api_key(owner: User, *scopes: str) -> str:
    """The text of a new key of that person, as it stands in the Authorization header after `Bearer`."""
    prefix, secret = f"sit_{owner.pk:010d}", "a-secret-for-tests"
    ApiKey.objects.create(
        user=owner,
        name="Tests",
        prefix=prefix,
        secret_hash=hash_secret(secret),
        scopes=list(scopes) or list(Scope.values),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return f"{prefix}.{secret}"
