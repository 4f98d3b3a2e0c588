"""Who may change schedules and policies, and who may answer pages."""

from collections.abc import Collection

from accounts.actor import Actor
from accounts.models import Role
from oncall.models import ContactMethod, CoverRequest, Escalation, Override

NOT_A_MANAGER = "Only managers may change schedules and policies."


def can_configure(actor: Actor) -> bool:
    """Schedules, rotations and policies belong to managers."""
    return actor.has_role(Role.MANAGER)


def can_run_paging_tests(actor: Actor) -> bool:
    """Responders may look whether a promise holds; only managers write one."""
    return actor.has_role(Role.RESPONDER)


def can_override(actor: Actor) -> bool:
    """Responders cover for each other."""
    return actor.has_role(Role.RESPONDER)


def can_remove_override(actor: Actor, override: Override) -> bool:
    return can_configure(actor) or actor.user_id in {override.user_id, override.created_by_id}


def can_manage_contact_methods(actor: Actor, user_id: int) -> bool:
    return actor.user_id == user_id or actor.has_role(Role.ADMINISTRATOR)


def can_change_contact_method(actor: Actor, method: ContactMethod) -> bool:
    return can_manage_contact_methods(actor, method.user_id)


def can_page(actor: Actor) -> bool:
    return actor.has_role(Role.RESPONDER)


def can_answer(actor: Actor, escalation: Escalation) -> bool:
    """Responders, and whoever was paged; a private escalation is answered only by those whom it paged."""
    was_paged = actor.user_id is not None and escalation.pages.filter(user_id=actor.user_id).exists()
    if escalation.is_private and not actor.sees_everything:
        return was_paged
    return was_paged or actor.has_role(Role.RESPONDER)


def can_resolve(actor: Actor, escalation: Escalation) -> bool:
    """Responders, and whoever was paged. Of a private one, whoever asks has seen what it is about: its incident."""
    return actor.has_role(Role.RESPONDER) or can_answer(actor, escalation)


def can_ask_for_cover(actor: Actor, user_id: int) -> bool:
    """Everybody for themselves, managers for anybody."""
    return can_configure(actor) or (actor.user_id == user_id and can_override(actor))


def can_withdraw_cover(actor: Actor, request: CoverRequest) -> bool:
    return can_configure(actor) or actor.user_id in {request.user_id, request.created_by_id}


def can_swap(actor: Actor, user_ids: Collection[int]) -> bool:
    """Either of those who swap, and managers."""
    return can_configure(actor) or (can_override(actor) and actor.user_id in user_ids)


def can_manage_leave(actor: Actor, user_id: int) -> bool:
    """One's own; managers manage anybody's."""
    return actor.user_id == user_id or can_configure(actor)


def can_shadow(actor: Actor, user_id: int) -> bool:
    """Managers let anybody shadow; responders themselves."""
    return can_configure(actor) or (actor.user_id == user_id and can_override(actor))
