"""Every write on alert sources and routes, and what people do to alerts."""

import secrets
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts.actions import hash_secret
from accounts.actor import Actor
from accounts.models import Team
from alerts.dialects import DIALECTS
from alerts.models import Alert, AlertSource
from alerts.models.sources import KEPT_DAYS
from alerts.permissions import can_configure, can_handle
from alerts.resolving import close_alert
from events.actions import publish
from events.errors import Conflict, Invalid, require
from oncall.actions import acknowledge_escalation

NOT_A_MANAGER = "Only managers may change alert sources and routes."
LONGEST_KEPT_DAYS = 3650


@transaction.atomic
def save_source(
    *,
    actor: Actor,
    name: str,
    slug: str,
    dialect: str,
    now: datetime,
    source: AlertSource | None = None,
    description: str = "",
    team: Team | None = None,
    is_enabled: bool = True,
    signing_secret: str = "",
    kept_days: int = KEPT_DAYS,
) -> AlertSource:
    """Makes a source with a token of its own, or changes one.

    With a `signing_secret` it believes only what is signed with it. For `kept_days` it keeps what was sent, as it was.
    """
    require(can_configure(actor), NOT_A_MANAGER)
    if not name.strip():
        raise Invalid("A source needs a name.", field="name")
    if dialect not in DIALECTS:
        raise Invalid(f"{dialect!r} is not a dialect.", field="dialect", remedy=f"Use {', '.join(DIALECTS)}.")
    if signing_secret and DIALECTS[dialect].check is None:
        reason = f"Senders of this format ({DIALECTS[dialect].label}) do not sign what they send."
        raise Invalid(reason, field="signing_secret", remedy="Leave it empty: the token is the secret.")
    if not 1 <= kept_days <= LONGEST_KEPT_DAYS:
        remedy = f"Choose from 1 to {LONGEST_KEPT_DAYS} days."
        raise Invalid("For so long nothing is kept.", field="kept_days", remedy=remedy)
    same = AlertSource.objects.filter(Q(name__iexact=name.strip()) | Q(slug=slug))
    if same.exclude(pk=source.pk if source else 0).exists():
        raise Conflict(f"{name} is taken.", field="name", remedy="Choose another name.")
    created = source is None
    source = source or AlertSource(created_at=now)
    source.name, source.slug, source.dialect = name.strip(), slug, dialect
    source.description, source.team, source.is_enabled = description, team, is_enabled
    source.signing_secret, source.kept_days = signing_secret, kept_days
    if created:
        _give_token(source)
    source.save()
    event = "alert_source.created" if created else "alert_source.changed"
    publish(event, subject=source, actor=actor, data={"name": source.name})
    return source


def _give_token(source: AlertSource) -> None:
    source.token = secrets.token_hex(16)
    source.token_hash = hash_secret(source.token)


@transaction.atomic
def rotate_token(*, actor: Actor, source: AlertSource) -> AlertSource:
    """Gives the source a new token; the old address stops working at once."""
    require(can_configure(actor), NOT_A_MANAGER)
    _give_token(source)
    source.save(update_fields=["token", "token_hash"])
    publish("alert_source.token_rotated", subject=source, actor=actor)
    return source


def resolve_alert(*, actor: Actor, alert: Alert, now: datetime) -> Alert:
    """A person says that the signal is over."""
    require(can_handle(actor), "Viewers may not resolve alerts.")
    return close_alert(actor=actor, alert=alert, now=now)


def acknowledge_alert(*, actor: Actor, alert: Alert, now: datetime) -> Alert:
    """A person has it: acknowledges the alert's escalation."""
    require(can_handle(actor), "Viewers may not acknowledge alerts.")
    if alert.escalation is None:
        raise Conflict("This alert pages nobody.", remedy="There is nothing to acknowledge; resolve it instead.")
    acknowledge_escalation(actor=actor, escalation=alert.escalation, now=now)
    return Alert.objects.for_lists().get(pk=alert.pk)
