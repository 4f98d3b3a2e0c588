"""What the frame around every staff page shows: open pages for you, until when you are on call, what cannot wait."""

from datetime import datetime, timedelta
from functools import cached_property

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Role, User
from alerts import audit as alert_audit
from alerts.models import RawEvent
from events.models import Delivery
from oncall import audit, unreachable
from oncall.engine import heartbeat_age, overdue
from oncall.models import EngineBeat, Escalation, Page
from oncall.roster import schedule_ids_naming, schedule_specs
from oncall.rota import on_call_until
from workflows import trouble

HORIZON = timedelta(days=14)
ENGINE_IS_LATE = timedelta(seconds=30)


class Frame:
    """The viewer's own numbers; nothing is asked of the database unless the template shows it."""

    def __init__(self, user: User | None) -> None:
        self.user = user

    @cached_property
    def my_open_pages(self) -> int:
        """How many escalations wait for the viewer's answer."""
        if self.user is None:
            return 0
        waiting = Page.objects.filter(user=self.user, escalation__status=Escalation.Status.TRIGGERED)
        return waiting.values("escalation_id").distinct().count()

    @cached_property
    def may_declare(self) -> bool:
        """Whether the viewer is offered to declare an incident."""
        return self.user is not None and self.user.has_role(Role.RESPONDER)

    @cached_property
    def is_manager(self) -> bool:
        """Whether the viewer is shown what only managers may look at."""
        return self.user is not None and self.user.has_role(Role.MANAGER)

    @cached_property
    def on_call_until(self) -> datetime | None:
        """Until when the viewer is on call without a break; None if they are not."""
        if self.user is None:
            return None
        now = timezone.now()
        mine = schedule_ids_naming({self.user.pk}, now, now + HORIZON)
        specs = schedule_specs(now, now + HORIZON, mine)
        return on_call_until(list(specs.values()), self.user.pk, now, HORIZON)

    @cached_property
    def _kept(self) -> dict[str, EngineBeat]:
        """What sweeps have found and keep for every page: one query for all of it."""
        return EngineBeat.objects.in_bulk([audit.NAME, alert_audit.NAME, unreachable.NAME, trouble.NAME])

    @cached_property
    def workflows_in_trouble(self) -> int:
        """How many workflows managers should look at: their runs fail, or were stopped by loop protection."""
        return trouble.kept_trouble(self._kept.get(trouble.NAME), timezone.now()) if self.is_manager else 0

    @cached_property
    def banners(self) -> list[dict[str, str]]:
        """Only what cannot wait: you are being paged, the engine is late, delivery is failing."""
        if self.user is None:
            return []
        banners = []
        if self.my_open_pages:
            text = ngettext("You are being paged.", "You are being paged for %(count)d things.", self.my_open_pages)
            banners.append(
                _banner("down", text % {"count": self.my_open_pages}, reverse("oncall:now"), icon="phone-calling")
            )
        now = timezone.now()
        age = heartbeat_age(now)
        if age is None or age > ENGINE_IS_LATE or overdue(now):
            text = _("Paging is late: the engine has not done its round. Check the worker and beat processes.")
            banners.append(_banner("down", text, ""))
        kept = self._kept
        banners += _audit(kept.get(audit.NAME), now)
        if self.is_manager:
            banners += _alert_audit(kept.get(alert_audit.NAME), now)
        banners += _unreachable(self.user, kept.get(unreachable.NAME), now)
        broken = self.user.contact_methods.filter(is_enabled=True).exclude(broken_reason="").first()
        if broken is not None:
            text = _("You are no longer paged through %(method)s: it refused for good. Mend or remove it.")
            banners.append(_banner("warn", text % {"method": broken}, reverse("oncall:profile")))
        if self.is_manager and RawEvent.objects.filter(state=RawEvent.State.FAILED).exists():
            text = _("Some of what alert sources sent could not be processed.")
            banners.append(_banner("warn", text, f"{reverse('alerts:outcomes')}#failed"))
        if self.user.has_role(Role.ADMINISTRATOR):
            banners += self._failures()
        return banners

    def _failures(self) -> list[dict[str, str]]:
        banners = []
        if Delivery.objects.filter(state=Delivery.State.DEAD).exists():
            banners.append(_banner("warn", _("Some events could not be delivered."), reverse("deliveries")))
        return banners


def _audit(kept: EngineBeat | None, now: datetime) -> list[dict[str, str]]:
    last = audit.audit_in(kept)
    if last is None or last.holds or last.is_stale(now):
        return []
    text = _("Paging is not as it must be: %(problem)s.") % {"problem": "; ".join(last.problems)}
    return [_banner("down", text, reverse("oncall:escalations"))]


def _alert_audit(kept: EngineBeat | None, now: datetime) -> list[dict[str, str]]:
    last = audit.audit_in(kept)
    if last is None or last.holds or last.is_stale(now):
        return []
    text = _("Alerts are not as they must be: %(problem)s.") % {"problem": "; ".join(last.problems)}
    return [_banner("down", text, reverse("alerts:outcomes"))]


def _unreachable(user: User, kept: EngineBeat | None, now: datetime) -> list[dict[str, str]]:
    found = unreachable.unreachable_for(user, kept, now)
    banners = []
    if found.is_viewer:
        text = _("Nothing reaches you, and you are on call now or within a day: add a contact method.")
        banners.append(_banner("down", text, reverse("oncall:profile"), icon="bell-off"))
    if found.others:
        text = ngettext(
            "%(count)d person on call now or within a day cannot be reached.",
            "%(count)d people on call now or within a day cannot be reached.",
            found.others,
        )
        banners.append(_banner("warn", text % {"count": found.others}, reverse("oncall:now")))
    return banners


def _banner(kind: str, text: str, url: str, *, icon: str = "alert-triangle") -> dict[str, str]:
    return {"kind": kind, "text": text, "url": url, "icon": icon}


def frame(request: HttpRequest) -> dict[str, Frame]:
    """The context processor."""
    user = getattr(request, "user", None)
    return {"frame": Frame(user if isinstance(user, User) else None)}


def news(request: HttpRequest) -> HttpResponse:
    """The banners and the notes of the top bar as they are now: open pages ask for them every few seconds."""
    return render(request, "components/frame_news.html")
