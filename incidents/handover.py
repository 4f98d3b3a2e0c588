"""What incidents add to the summary of a handover on call: the open ones in which those who go had part."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incidents.models import Incident
from oncall.duty import MOST_LINES, Line, summarises
from oncall.models import Page


@summarises(gettext_lazy("Open incidents"), order=20)
def open_incidents(user_ids: Collection[int], start: datetime, end: datetime, now: datetime) -> list[Line]:
    """Open incidents, public inside, that paged them or in which they have a role; the worst first."""
    paged = Page.objects.filter(user_id__in=user_ids).values("escalation_id")
    has_role = Q(role_assignments__user_id__in=user_ids, role_assignments__ended_at=None)
    found = (
        Incident.objects.open()
        .filter(Q(escalations__in=paged) | has_role, visibility=Incident.Visibility.PUBLIC)
        .select_related("severity", "status")
        .distinct()
        .order_by("-severity__rank", "-number")
    )
    return [
        Line(
            f"{incident.reference} {incident.name}",
            incident.get_absolute_url(),
            _("%(severity)s, %(status)s") % {"severity": incident.severity, "status": incident.status},
        )
        for incident in found[:MOST_LINES]
    ]
