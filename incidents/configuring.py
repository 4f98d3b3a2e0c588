"""Every write on the configuration of incidents: save, order, archive and remove rows; grant qualifications."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Max, ProtectedError, RestrictedError
from django.utils.text import slugify

from accounts.actor import Actor
from accounts.models import User
from events.actions import publish
from events.errors import Conflict, Invalid, require
from incidents.configurable import KINDS, Kind, is_used, why_needed
from incidents.models import IncidentType, PersonQualification, Qualification
from incidents.permissions import can_configure

NOT_AN_ADMINISTRATOR = "Only administrators change how incidents are handled."
LONGEST_SLUG = 60


def kind_of(row: models.Model) -> Kind:
    """The kind that a row is of."""
    return next(kind for kind in KINDS.values() if isinstance(row, kind.model))


@transaction.atomic
def save_configured(
    *, actor: Actor, kind: Kind, values: Mapping[str, Any], now: datetime, row: models.Model | None = None
) -> Any:
    """Makes a row of that kind, or changes one; what is not given stays. The same values again change nothing.

    A slug is made of the name unless given, and never changes. A new row comes last. Raises Invalid or Conflict with
    the field that is wrong.
    """
    require(can_configure(actor), NOT_AN_ADMINISTRATOR)
    unknown = sorted(set(values) - set(kind.fields))
    if unknown:
        raise Invalid(f"{unknown[0]} is not known of a {kind.one}.", field=unknown[0])
    made: Any = kind.model() if row is None else kind.model._default_manager.select_for_update().get(pk=row.pk)
    many_names = {field.name for field in kind.model._meta.many_to_many}
    plain = {name: value for name, value in values.items() if name not in many_names}
    many = {name: list(value) for name, value in values.items() if name in many_names}
    if row is None:
        _begin(kind, made, plain)
    elif "slug" in plain and plain.pop("slug") != made.slug:
        raise Invalid("A slug never changes: what names it would be lost.", field="slug")
    changed = [name for name, value in plain.items() if getattr(made, name) != value]
    changed += [name for name, value in many.items() if row is None or set(getattr(made, name).all()) != set(value)]
    if row is not None and not changed:
        return made
    for name, value in plain.items():
        setattr(made, name, value)
    if isinstance(made, IncidentType) and made.is_default:
        IncidentType.objects.filter(is_default=True).exclude(pk=made.pk).update(is_default=False)
    kind.rule(made, many)
    _check(made)
    made.save()
    for name, value in many.items():
        getattr(made, name).set(value)
    _tell("configuration.created" if row is None else "configuration.changed", actor, kind, made, fields=changed)
    return made


def _begin(kind: Kind, row: Any, values: dict[str, Any]) -> None:
    """What a new row has of itself: its slug, and the last place."""
    if kind.has_slug and not values.get("slug"):
        values["slug"] = slugify(str(values.get("name") or values.get("title") or ""))[:LONGEST_SLUG].strip("-")
        if not values["slug"]:
            raise Invalid("Say how it is named in the API.", field="slug", remedy="Use letters, digits and hyphens.")
    if kind.is_ordered and values.get("position") is None:
        values["position"] = (kind.rows.aggregate(last=Max("position"))["last"] or 0) + 1


def _check(row: Any) -> None:
    """What the model says of its fields; raises Invalid for the first that is wrong, Conflict for what is taken."""
    try:
        row.full_clean()
    except ValidationError as error:
        field, errors = next(iter(error.error_dict.items()))
        message = str(errors[0].messages[0])
        name = "" if field == "__all__" else field
        if errors[0].code in {"unique", "unique_together"}:
            raise Conflict(message, field=name, remedy="Choose another.") from error
        raise Invalid(message, field=name) from error


def _tell(event: str, actor: Actor, kind: Kind, row: Any, **more: Any) -> None:
    publish(event, subject=row, actor=actor, data={"kind": kind.slug, "name": str(row), **more})


@transaction.atomic
def archive_configured(*, actor: Actor, row: models.Model, now: datetime) -> Any:
    """Takes a row out of use: what has it keeps it, nothing new is given it. Raises Conflict for one that is needed."""
    return _set_archived(actor, row, is_archived=True)


@transaction.atomic
def restore_configured(*, actor: Actor, row: models.Model, now: datetime) -> Any:
    """Takes a row back into use."""
    return _set_archived(actor, row, is_archived=False)


def _set_archived(actor: Actor, row: models.Model, *, is_archived: bool) -> Any:
    require(can_configure(actor), NOT_AN_ADMINISTRATOR)
    kind = kind_of(row)
    if not kind.archive:
        raise Conflict(f"A {kind.one} can't be archived.", remedy="Remove it instead.")
    found: Any = kind.model._default_manager.select_for_update().get(pk=row.pk)
    if kind.is_archived(found) == is_archived:
        return found
    needed = why_needed(kind, found) if is_archived else ""
    if needed:
        raise Conflict(needed, remedy="Put another in its place first.")
    setattr(found, kind.archive, not is_archived)
    if not is_archived:
        kind.rule(found, {})
    found.save(update_fields=[kind.archive])
    _tell("configuration.archived" if is_archived else "configuration.restored", actor, kind, found)
    return found


@transaction.atomic
def remove_configured(*, actor: Actor, row: models.Model, now: datetime) -> None:
    """Removes a row that nothing uses. Raises Conflict for one that is used, or needed."""
    require(can_configure(actor), NOT_AN_ADMINISTRATOR)
    kind = kind_of(row)
    found = kind.model._default_manager.select_for_update().filter(pk=row.pk).first()
    if found is None:
        return
    needed = why_needed(kind, found)
    if needed:
        raise Conflict(needed, remedy="Put another in its place first.")
    remedy = "Archive it instead." if kind.archive else "Take it away from those first."
    if is_used(found):
        raise Conflict("It is used.", remedy=remedy)
    _tell("configuration.removed", actor, kind, found)
    try:
        found.delete()
    except (ProtectedError, RestrictedError) as error:
        raise Conflict("It is used.", remedy=remedy) from error


@transaction.atomic
def order_configured(*, actor: Actor, kind: Kind, rows: Sequence[models.Model], now: datetime) -> None:
    """Puts the rows of a kind in this order; those left out follow in the order they had."""
    require(can_configure(actor), NOT_AN_ADMINISTRATOR)
    if not kind.is_ordered:
        raise Conflict(f"The order of {kind.label} is given by what they are.")
    stored = {row.pk: row for row in kind.model._default_manager.select_for_update().order_by("position", "id")}
    first = list(dict.fromkeys(row.pk for row in rows if row.pk in stored))
    ordered: list[Any] = [stored[pk] for pk in [*first, *(pk for pk in stored if pk not in first)]]
    moved = [row for position, row in enumerate(ordered, 1) if row.position != position]
    if not moved:
        return
    for position, row in enumerate(ordered, 1):
        row.position = position
    kind.model._default_manager.bulk_update(ordered, ["position"])
    _tell("configuration.ordered", actor, kind, ordered[0])


# --- Who is qualified -------------------------------------------------------------------------------------------------


@transaction.atomic
def grant_qualification(
    *, actor: Actor, user: User, qualification: Qualification, now: datetime
) -> PersonQualification:
    """Says that a person is qualified. Said twice, the first time counts."""
    require(can_configure(actor), NOT_AN_ADMINISTRATOR)
    if not user.is_active:
        raise Invalid(f"{user} is no longer active.", field="user", remedy="Choose somebody else.")
    granted, created = PersonQualification.objects.get_or_create(
        user=user, qualification=qualification, defaults={"granted_at": now, "granted_by_id": actor.user_id}
    )
    if created:
        publish("qualification.granted", subject=qualification, actor=actor, data={"user": user.pk})
    return granted


@transaction.atomic
def revoke_qualification(*, actor: Actor, user: User, qualification: Qualification, now: datetime) -> None:
    """Says that a person is no longer qualified. Doing it twice changes nothing."""
    require(can_configure(actor), NOT_AN_ADMINISTRATOR)
    gone, _ = PersonQualification.objects.filter(user=user, qualification=qualification).delete()
    if gone:
        publish("qualification.revoked", subject=qualification, actor=actor, data={"user": user.pk})
