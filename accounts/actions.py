"""Every write on people, teams and API keys."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from accounts import permissions
from accounts.actor import Actor
from accounts.models import ApiKey, Membership, Role, Scope, Team, User, check_time_zone
from events.actions import publish
from events.errors import Conflict, Invalid, require

KEY_MARK = "sit_"
RESERVED_SLUGS = {"", "new"}


@transaction.atomic
def invite_user(
    *,
    actor: Actor,
    email: str,
    name: str,
    role: Role = Role.RESPONDER,
    time_zone: str = "UTC",
    password: str | None = None,
) -> User:
    """Adds a person. Without a password they choose one through "forgot password". Raises Conflict if they exist."""
    require(permissions.can_invite_user(actor, role), f"You may not add a person with the role {role.label}.")
    email = email.strip().lower()
    _check(email=email, time_zone=time_zone)
    if User.objects.filter(email__iexact=email).exists():
        raise Conflict(f"{email} is already here.", field="email", remedy="Change that person instead.")
    user = User.objects.create_user(email, password, name=name.strip(), role=role, time_zone=time_zone)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    publish("user.invited", subject=user, actor=actor, data={"role": role})
    return user


@transaction.atomic
def change_user(
    *, actor: Actor, user: User, now: datetime, role: Role | None = None, is_active: bool | None = None
) -> User:
    """Changes what a person may do. The last active owner stays one; what was before an account is closed stays so."""
    user = User.objects.select_for_update().get(pk=user.pk)
    new_role = role or Role(user.role)
    new_active = user.is_active if is_active is None else is_active
    require(permissions.can_change_user(actor, user, new_role), f"You may not make this change to {user}.")
    if user.role == Role.OWNER and (new_role != Role.OWNER or not new_active):
        others = User.objects.select_for_update().filter(~Q(pk=user.pk), role=Role.OWNER, is_active=True)
        if not others.exists():
            raise Conflict("This is the last owner.", field="role", remedy="Make somebody else an owner first.")
    if (user.role, user.is_active) != (new_role, new_active):
        if user.is_active != new_active:
            user.deactivated_at = None if new_active else now
        user.role, user.is_active = new_role, new_active
        user.save(update_fields=["role", "is_active", "deactivated_at"])
        publish("user.changed", subject=user, actor=actor, data={"role": new_role, "is_active": new_active})
    return user


@transaction.atomic
def update_profile(*, actor: Actor, user: User, name: str, time_zone: str, locale: str = "en") -> User:
    """Changes how a person is named, and their time zone and language."""
    user = User.objects.select_for_update().get(pk=user.pk)
    require(permissions.can_update_profile(actor, user), "You may only change your own profile.")
    _check(time_zone=time_zone)
    if not name.strip():
        raise Invalid("A name is needed.", field="name")
    user.name, user.time_zone, user.locale = name.strip(), time_zone, locale
    user.save(update_fields=["name", "time_zone", "locale"])
    publish("user.profile_updated", subject=user, actor=actor)
    return user


def _check(*, email: str | None = None, time_zone: str | None = None) -> None:
    try:
        if email is not None:
            validate_email(email)
    except ValidationError as error:
        raise Invalid(f"{email!r} is not an e-mail address.", field="email") from error
    try:
        if time_zone is not None:
            check_time_zone(time_zone)
    except ValidationError as error:
        raise Invalid(error.messages[0], field="time_zone") from error


@transaction.atomic
def save_team(
    *,
    actor: Actor,
    team: Team | None = None,
    name: str,
    slug: str,
    description: str = "",
    members: Iterable[User] | None = None,
) -> Team:
    """Makes a team, or changes one; `members` replaces who is in it and keeps the roles of those who stay."""
    require(
        permissions.can_manage_teams(actor) if team is None else permissions.can_change_team(actor, team),
        "You may not change this team.",
    )
    if not name.strip():
        raise Invalid("A name is needed.", field="name")
    if slug in RESERVED_SLUGS:
        raise Invalid(f"The address “{slug}” is taken by Sitrep itself.", field="slug", remedy="Choose another one.")
    others = Team.objects.exclude(pk=team.pk) if team else Team.objects.all()
    if others.filter(Q(name__iexact=name.strip()) | Q(slug=slug)).exists():
        raise Conflict("Another team has this name or slug.", field="name", remedy="Choose another one.")
    created = team is None
    team = team or Team()
    team.name, team.slug, team.description = name.strip(), slug, description
    team.save()
    if members is not None:
        wanted = {member.pk for member in members}
        Membership.objects.filter(team=team).exclude(user_id__in=wanted).delete()
        Membership.objects.bulk_create(
            (Membership(team=team, user_id=user_id) for user_id in sorted(wanted)), ignore_conflicts=True
        )
    publish("team.created" if created else "team.changed", subject=team, actor=actor, data={"name": team.name})
    return team


@transaction.atomic
def create_api_key(
    *, actor: Actor, user: User, name: str, scopes: Iterable[str], now: datetime, lifetime: timedelta | None = None
) -> tuple[ApiKey, str]:
    """Makes a key for the actor's own person and returns it with its secret, which is shown this once."""
    require(actor.kind == "user" and actor.user_id == user.pk, "You may only make keys for yourself, signed in.")
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown or not wanted:
        raise Invalid(
            "Choose at least one known scope.", field="scopes", remedy=f"Known are {', '.join(Scope.values)}."
        )
    if not name.strip():
        raise Invalid("A name is needed.", field="name")
    prefix, secret = KEY_MARK + secrets.token_hex(5), secrets.token_urlsafe(32)
    api_key = ApiKey.objects.create(
        user=user,
        name=name.strip(),
        prefix=prefix,
        secret_hash=hash_secret(secret),
        scopes=wanted,
        created_at=now,
        expires_at=now + lifetime if lifetime else None,
    )
    publish("api_key.created", subject=api_key, actor=actor, data={"prefix": prefix, "scopes": wanted})
    return api_key, f"{prefix}.{secret}"


@transaction.atomic
def revoke_api_key(*, actor: Actor, api_key: ApiKey, now: datetime) -> ApiKey:
    """Ends a key for good."""
    api_key = ApiKey.objects.select_for_update().get(pk=api_key.pk)
    require(permissions.can_revoke_api_key(actor, api_key), "This key is not yours.")
    if api_key.revoked_at is None:
        api_key.revoked_at = now
        api_key.save(update_fields=["revoked_at"])
        publish("api_key.revoked", subject=api_key, actor=actor, data={"prefix": api_key.prefix})
    return api_key


def hash_secret(secret: str) -> str:
    """SHA-256 in hex; the secrets are long and random, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_api_key(text: str, now: datetime) -> ApiKey | None:
    """The usable key behind `prefix.secret`, or None. Notes the use, at most once a minute."""
    prefix, _, secret = text.partition(".")
    api_key = ApiKey.objects.select_related("user").filter(prefix=prefix).first()
    if api_key is None or not secrets.compare_digest(api_key.secret_hash, hash_secret(secret)):
        return None
    if api_key.revoked_at or (api_key.expires_at and api_key.expires_at <= now) or not api_key.user.is_active:
        return None
    if api_key.last_used_at is None or now - api_key.last_used_at > timedelta(minutes=1):
        ApiKey.objects.filter(pk=api_key.pk).update(last_used_at=now)
    return api_key
