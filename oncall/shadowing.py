"""Those who learn: they get the handovers of whomever they shadow, and the last one when they begin within a shift."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from accounts.actor import Actor
from accounts.models import User
from events.actions import Fact, publish_all
from oncall.duty_mail import mail_handover_to_shadows
from oncall.handovers import just_after
from oncall.models import Handover, Shadow
from oncall.roster import schedule_specs
from oncall.rota import ScheduleSpec, shadows_at, who_is_on_call


def tell_shadows(*, handover_id: int) -> list[User]:
    """Mails a handover to those who shadow whoever comes, and returns them. Raises what the mail server answers."""
    handover = Handover.objects.select_related("schedule").get(pk=handover_id)
    spec = schedule_specs(handover.at, just_after(handover.at), {handover.schedule_id})[handover.schedule_id]
    shadows = list(User.objects.filter(pk__in=shadows_at(spec, handover.at), is_active=True).order_by("pk"))
    if shadows:
        coming = list(handover.coming.filter(is_active=True))
        mail_handover_to_shadows(handover, shadows, following=coming, since=handover.at)
    return shadows


@transaction.atomic
def begin_shadowing(*, actor: Actor, now: datetime) -> int:
    """Sees which shadows have begun, each once, and returns how many are to be told what the shift is about.

    That is whoever begins while those whom they follow are on call. A handover tells the others when it comes, and who
    has shadowed the schedule until then knows already.
    """
    # Whoever else sweeps has the schedule: its handover may be at this very instant.
    begun = list(
        Shadow.objects.select_for_update(of=("self", "schedule"), skip_locked=True)
        .select_related("schedule")
        .filter(begun_at=None, starts_at__lte=now)
        .order_by("id")
    )
    if not begun:
        return 0
    Shadow.objects.filter(pk__in=[each.pk for each in begun]).update(begun_at=now)
    schedule_ids = {each.schedule_id for each in begun}
    earliest = min(each.starts_at for each in begun)
    specs = schedule_specs(earliest - timedelta(microseconds=1), just_after(now), schedule_ids)
    handovers = Handover.objects.exclude(summary={}).filter(schedule_id__in=schedule_ids, at__gte=earliest, at__lte=now)
    handed_over = list(handovers.values_list("schedule_id", "at"))
    told = [
        each
        for each in begun
        if each.ends_at > now
        and _is_new(each, specs[each.schedule_id], now)
        and not any(pk == each.schedule_id and at >= each.starts_at for pk, at in handed_over)
    ]
    publish_all([Fact("shadow.began", each, {"schedule": each.schedule_id}) for each in told], actor=actor)
    return len(told)


def _is_new(shadow: Shadow, spec: ScheduleSpec, now: datetime) -> bool:
    before = shadow.starts_at - timedelta(microseconds=1)
    return shadow.user_id in shadows_at(spec, now) and shadow.user_id not in shadows_at(spec, before)


def tell_new_shadow(*, shadow_id: int, now: datetime) -> Handover | None:
    """Mails the handover of the shift that runs to somebody who has begun to shadow, and returns it.

    None if there is none, or if they shadow no more. Raises what the mail server answers.
    """
    shadow = Shadow.objects.select_related("schedule", "user").filter(pk=shadow_id, ends_at__gt=now).first()
    if shadow is None or not shadow.user.is_active:
        return None
    spec = schedule_specs(now, just_after(now), {shadow.schedule_id})[shadow.schedule_id]
    if shadow.user_id not in shadows_at(spec, now):
        return None
    following = [pk for pk in who_is_on_call(spec, now) if shadow.follows_id in (None, pk)]
    handover = _last_handover(shadow, following, now)
    if handover is not None:
        people = list(User.objects.filter(pk__in=following).order_by("pk"))
        mail_handover_to_shadows(handover, [shadow.user], following=people, since=shadow.starts_at)
    return handover


def _last_handover(shadow: Shadow, following: Iterable[int], now: datetime) -> Handover | None:
    """The one by which the shift of those whom they follow began."""
    found = Handover.objects.exclude(summary={}).filter(schedule=shadow.schedule_id, at__lte=now, coming__in=following)
    return found.select_related("schedule").order_by("-at").first()
