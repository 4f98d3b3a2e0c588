"""Filters of the lists about duty, for the pages and the API alike."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.lists import ListFilter, SlugFilter
from accounts.models import User
from oncall.models import BoardAddress, DutyStatement, Handover, RateTable, Schedule, ShiftSurvey


class HandoverFilter(ListFilter):
    """Handovers by schedule, whoever went or came, and time."""

    search_fields = ("note", "schedule__name")

    schedule = SlugFilter(path="schedule", queryset=Schedule.objects.all(), label=_("Schedule"))
    person = django_filters.ModelChoiceFilter(queryset=User.objects.all(), method="with_person", label=_("Person"))
    after = django_filters.IsoDateTimeFilter("at", lookup_expr="gte", label=_("After"))
    before = django_filters.IsoDateTimeFilter("at", lookup_expr="lt", label=_("Before"))

    class Meta:
        model = Handover
        fields: list[str] = []

    def with_person(self, queryset: QuerySet[Handover], name: str, value: User) -> QuerySet[Handover]:
        return queryset.filter(Q(going=value) | Q(coming=value)).distinct()


class SurveyFilter(ListFilter):
    """Surveys by schedule, and those that wait for an answer."""

    search_fields = ("what_hurt", "schedule__name")

    schedule = SlugFilter(path="schedule", queryset=Schedule.objects.all(), label=_("Schedule"))
    waiting = django_filters.BooleanFilter(field_name="answered_at", lookup_expr="isnull", label=_("Not answered"))

    class Meta:
        model = ShiftSurvey
        fields: list[str] = []


class RateTableFilter(ListFilter):
    """Rate tables by name and schedule."""

    search_fields = ("name", "currency")

    schedule = SlugFilter(path="schedules", queryset=Schedule.objects.all(), label=_("Schedule"))

    class Meta:
        model = RateTable
        fields: list[str] = []


class StatementFilter(ListFilter):
    """Statements by month (`2026-03`), schedule, person and status."""

    search_fields = ("user__name", "schedule__name")

    month = django_filters.DateFilter(field_name="starts_on", input_formats=["%Y-%m"], label=_("Month"))
    schedule = SlugFilter(path="schedule", queryset=Schedule.objects.all(), label=_("Schedule"))
    person = django_filters.ModelChoiceFilter(field_name="user", queryset=User.objects.all(), label=_("Person"))
    status = django_filters.MultipleChoiceFilter(choices=DutyStatement.Status.choices, label=_("Status"))

    class Meta:
        model = DutyStatement
        fields: list[str] = []


class BoardAddressFilter(ListFilter):
    """Boards by name."""

    search_fields = ("name", "team__name")

    class Meta:
        model = BoardAddress
        fields: list[str] = []
