"""How alerts can be filtered and searched, on screen and in the API."""

from datetime import timedelta

import django_filters
from django.contrib.postgres.search import SearchVectorField
from django.db.models import Func, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.lists import ChoiceFilter, KeyFilter, ListFilter, beginning_words
from accounts.models import Team
from alerts.models import Alert, AlertRoute, AlertSource, MaintenanceWindow, Outcome
from catalog.models import Service
from oncall.models import Escalation

# What an alert itself can have come to; the rest are outcomes of later events of it.
OUTCOMES = [
    Outcome.PAGED,
    Outcome.ATTACHED,
    Outcome.GROUPED,
    Outcome.RECORDED,
    Outcome.SUPPRESSED,
    Outcome.WAITING,
]
WITHIN = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
PRIORITIES = [(str(number), f"P{number}") for number in range(1, 6)]
# As the function alert_words does it (migration 0010).
PARTED = str.maketrans(dict.fromkeys('.-_/:=,;@#|()[]{}<>"', " "))


class AlertFilter(ListFilter):
    """`?q=` finds alerts in whose title, key or named service each of the words begins a word, by an index."""

    search_fields = ("title", "dedup_key", "service_named")

    status = ChoiceFilter(choices=Alert.Status.choices, label=_("Status"))
    source = KeyFilter(path="source", queryset=AlertSource.objects.all(), label=_("Source"))
    service = KeyFilter(path="service", queryset=Service.objects.order_by("name"), label=_("Service"))
    team = KeyFilter(path="team", queryset=Team.objects.all(), label=_("Team"))
    priority = ChoiceFilter(choices=PRIORITIES, label=_("Priority"))
    within = django_filters.ChoiceFilter(
        choices=[
            ("1h", _("The last hour")),
            ("24h", _("The last 24 hours")),
            ("7d", _("The last 7 days")),
            ("30d", _("The last 30 days")),
        ],
        method="lately",
        label=_("Since"),
        empty_label=_("Any"),
    )
    outcome = ChoiceFilter(choices=[(outcome.value, outcome.label) for outcome in OUTCOMES], label=_("Outcome"))
    held = ChoiceFilter(choices=Alert.Held.choices, label=_("Held back"))
    noise = ChoiceFilter(choices=Alert.Noise.choices, label=_("Noise"))
    route = KeyFilter(path="route", to_field_name="pk", queryset=AlertRoute.objects.all(), label=_("Route"))
    paging = ChoiceFilter(choices=Escalation.Status.choices, field_name="escalation__status", label=_("Paging"))
    paged_nobody = django_filters.BooleanFilter(field_name="escalation", lookup_expr="isnull", label=_("Paged nobody"))
    muted_by = django_filters.ModelChoiceFilter(
        queryset=MaintenanceWindow.objects.all(), label=_("Muted by the window")
    )
    group = django_filters.NumberFilter(field_name="group_id", label=_("Group"))
    after = django_filters.IsoDateTimeFilter(field_name="first_event_at", lookup_expr="gte", label=_("Fired after"))
    before = django_filters.IsoDateTimeFilter(field_name="first_event_at", lookup_expr="lt", label=_("Fired before"))

    class Meta:
        model = Alert
        fields: list[str] = []

    def search(self, queryset: QuerySet[Alert], name: str, value: str) -> QuerySet[Alert]:
        asked = beginning_words(value.translate(PARTED).split())
        if asked is None:
            return queryset
        vector = Func("title", "dedup_key", "service_named", function="alert_words", output_field=SearchVectorField())
        return queryset.alias(words=vector).filter(words=asked)

    def lately(self, queryset: QuerySet[Alert], name: str, value: str) -> QuerySet[Alert]:
        return queryset.filter(first_event_at__gte=timezone.now() - WITHIN[value])
