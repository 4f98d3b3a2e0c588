"""Who may change people, teams and keys."""

from accounts.actor import Actor
from accounts.models import ApiKey, Membership, Role, SavedView, Team, User


def can_invite_user(actor: Actor, role: Role) -> bool:
    return actor.has_role(Role.ADMINISTRATOR) and actor.role.rank >= role.rank


def can_change_user(actor: Actor, user: User, role: Role) -> bool:
    """Nobody changes somebody of a higher role, nor gives a role above their own."""
    return actor.has_role(Role.ADMINISTRATOR) and actor.role.rank >= max(Role(user.role).rank, role.rank)


def can_update_profile(actor: Actor, user: User) -> bool:
    return actor.user_id == user.pk or can_change_user(actor, user, Role(user.role))


def can_manage_teams(actor: Actor) -> bool:
    return actor.has_role(Role.MANAGER)


def can_change_team(actor: Actor, team: Team) -> bool:
    return can_manage_teams(actor) or (
        actor.user_id is not None
        and Membership.objects.filter(team=team, user_id=actor.user_id, role=Membership.TeamRole.MANAGER).exists()
    )


def can_revoke_api_key(actor: Actor, api_key: ApiKey) -> bool:
    return actor.user_id == api_key.user_id or actor.has_role(Role.ADMINISTRATOR)


def can_change_saved_view(actor: Actor, view: SavedView) -> bool:
    """One's own; administrators may remove what others share with all."""
    return actor.user_id == view.owner_id or (view.is_shared and actor.has_role(Role.ADMINISTRATOR))
