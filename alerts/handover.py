"""What alerts add to the summary of an on-call handover: what fires still, and what was noisy during the shift."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alerts.models import Alert, AlertQuerySet
from incidents.models import Incident
from oncall.duty import MOST_LINES, Line, summarises
from oncall.models import Page

# So many times in one shift is noise: somebody should fix what fires or the rule that fires it.
NOISY_FROM = 3
NOISIEST = 5


def _paging(user_ids: Collection[int], **when: datetime) -> AlertQuerySet:
    """The alerts that paged these people, but for what belongs to something private."""
    paged = Page.objects.filter(user_id__in=user_ids, **when).values("escalation_id")
    is_open_to_all = Q(incident=None) | Q(incident__visibility=Incident.Visibility.PUBLIC)
    return Alert.objects.all().filter(is_open_to_all, escalation__in=paged, escalation__is_private=False)


@summarises(gettext_lazy("Still firing"), order=30)
def still_firing(user_ids: Collection[int], start: datetime, end: datetime, now: datetime) -> list[Line]:
    """Alerts that paged those who go and are not resolved."""
    found = _paging(user_ids).firing().select_related("source").order_by("-id")
    return [
        Line(alert.title, alert.get_absolute_url(), _("from %(source)s") % {"source": alert.source})
        for alert in found[:MOST_LINES]
    ]


@summarises(gettext_lazy("Noisy during the shift"), order=50)
def noisy(user_ids: Collection[int], start: datetime, end: datetime, now: datetime) -> list[Line]:
    """What fired three times or more, by source and key, the noisiest first."""
    loud = (
        _paging(user_ids, created_at__gte=start, created_at__lt=end)
        .values("source_id", "dedup_key")
        .annotate(alerts=Count("id", distinct=True), newest=Max("id"))
        .filter(alerts__gte=NOISY_FROM)
        .order_by("-alerts")[:NOISIEST]
    )
    newest = Alert.objects.in_bulk([each["newest"] for each in loud])
    lines = []
    for each in loud:
        alert = newest[each["newest"]]
        times = ngettext("fired %(count)d time", "fired %(count)d times", each["alerts"]) % {"count": each["alerts"]}
        lines.append(Line(alert.title, alert.get_absolute_url(), times))
    return lines
