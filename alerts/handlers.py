"""What alerts do when something happens: tell whoever made a maintenance window that it is about to end."""

from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerts.models import MaintenanceWindow
from events.models import Event
from events.registry import handles
from oncall.reaching import tell
from oncall.schedule_mail import mail_notice, zone_of_person


@handles("maintenance_window.ending", name="alerts.tell_of_window_end")
def tell_of_the_end(event: Event) -> None:
    """Tells its author that a window ends, and what it holds; one that was extended meanwhile is told of later."""
    window = MaintenanceWindow.objects.select_related("created_by").filter(pk=event.subject_id).first()
    if window is None or window.created_by is None or not window.created_by.is_active:
        return
    until, user = parse_datetime(event.data["until"]), window.created_by
    if until is None or window.until_at != until:
        return
    with translation.override(user.locale):
        title = _("“%(name)s” ends at %(time)s") % {
            "name": window.name,
            "time": f"{until.astimezone(zone_of_person(user)):%H:%M} ({user.time_zone})",
        }
        held = event.data["held"]
        detail = ngettext(
            "%(held)d alert that it mutes still fires and is routed then, unless you extend the window.",
            "%(held)d alerts that it mutes still fire and are routed then, unless you extend the window.",
            held,
        ) % {"held": held}
        if not held:
            detail = _("Nothing that it mutes fires.")
    if tell(user, title=title, detail=detail, now=timezone.now()) is None:
        lines, button = [detail], _("Maintenance window")
        mail_notice(user, subject=title, lines=lines, path=window.get_absolute_url(), button=button)
