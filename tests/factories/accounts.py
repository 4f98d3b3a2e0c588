"""People and teams to test with."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from accounts.actions import hash_secret
from accounts.actor import Actor
from accounts.models import ApiKey, Membership, Role, Scope, Team, User

numbers = count(1)


def user(**fields: Any) -> User:
    """A responder, unless `role` says otherwise; nobody can sign in as them by password."""
    number = next(numbers)
    defaults = {"name": f"Person {number}", "email": f"person-{number}@example.com", "password": "!"}
    return User.objects.create(**{**defaults, **fields})


def team(*members: User, **fields: Any) -> Team:
    """A team of these people."""
    number = next(numbers)
    made = Team.objects.create(**{"name": f"Team {number}", "slug": f"team-{number}", **fields})
    Membership.objects.bulk_create(Membership(team=made, user=member) for member in members)
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
