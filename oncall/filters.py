"""Filters of the lists of on-call, for the pages and the API alike."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.lists import ListFilter, SlugFilter
from accounts.models import Team, User
from oncall.models import (
    CalendarFeed,
    ContactMethod,
    CoverRequest,
    Escalation,
    EscalationPolicy,
    ImportedCalendar,
    ImportedShift,
    Leave,
    LedgerRoot,
    NotificationRule,
    OnCallProfile,
    Override,
    Page,
    PagingTest,
    Schedule,
    Shadow,
    Substitution,
    Urgency,
)


class ScheduleFilter(ListFilter):
    """Schedules by team and by who is in their rotations."""

    search_fields = ("name", "description")

    team = SlugFilter(path="team", queryset=Team.objects.all(), label=_("Team"))
    member = django_filters.ModelChoiceFilter(queryset=User.objects.all(), method="with_member", label=_("Member"))

    class Meta:
        model = Schedule
        fields: list[str] = []

    def with_member(self, queryset: QuerySet[Schedule], name: str, value: User) -> QuerySet[Schedule]:
        return queryset.filter(rotations__members=value).distinct()


class PolicyFilter(ListFilter):
    """Escalation policies by team and by what they page."""

    search_fields = ("name", "description")

    team = SlugFilter(path="team", queryset=Team.objects.all(), label=_("Team"))
    schedule = SlugFilter(
        path="levels__targets__schedule", queryset=Schedule.objects.all(), label=_("Pages the schedule")
    )

    class Meta:
        model = EscalationPolicy
        fields: list[str] = []


class EscalationFilter(ListFilter):
    """Escalations by status, policy, urgency, whom they paged and when they started."""

    search_fields = ("title", "detail")

    status = django_filters.MultipleChoiceFilter(choices=Escalation.Status.choices, label=_("Status"))
    policy = SlugFilter(path="policy", queryset=EscalationPolicy.objects.all(), label=_("Policy"))
    urgency = django_filters.ChoiceFilter(choices=Urgency.choices, label=_("Urgency"))
    person = django_filters.ModelChoiceFilter(
        queryset=User.objects.all(), method="paging_person", label=_("Paged person")
    )
    started_after = django_filters.IsoDateTimeFilter("started_at", lookup_expr="gte", label=_("Started after"))
    started_before = django_filters.IsoDateTimeFilter("started_at", lookup_expr="lt", label=_("Started before"))

    class Meta:
        model = Escalation
        fields: list[str] = []

    def paging_person(self, queryset: QuerySet[Escalation], name: str, value: User) -> QuerySet[Escalation]:
        return queryset.filter(pages__user=value).distinct()


class OverrideFilter(ListFilter):
    """Overrides by schedule, person and stretch."""

    search_fields = ("reason", "user__name")

    schedule = SlugFilter(path="schedule", queryset=Schedule.objects.all(), label=_("Schedule"))
    user = django_filters.ModelChoiceFilter(queryset=User.objects.all(), label=_("Person"))
    ends_after = django_filters.IsoDateTimeFilter("ends_at", lookup_expr="gt", label=_("Ends after"))
    starts_before = django_filters.IsoDateTimeFilter("starts_at", lookup_expr="lt", label=_("Starts before"))

    class Meta:
        model = Override
        fields: list[str] = []


class CoverRequestFilter(ListFilter):
    """Requests for cover by schedule, who asks, status and stretch."""

    search_fields = ("note", "user__name")

    schedule = SlugFilter(path="schedule", queryset=Schedule.objects.all(), label=_("Schedule"))
    user = django_filters.ModelChoiceFilter(queryset=User.objects.all(), label=_("Asks"))
    status = django_filters.MultipleChoiceFilter(choices=CoverRequest.Status.choices, label=_("Status"))
    ends_after = django_filters.IsoDateTimeFilter("ends_at", lookup_expr="gt", label=_("Ends after"))

    class Meta:
        model = CoverRequest
        fields: list[str] = []


class SwapFilter(ListFilter):
    """Turns that have changed hands by schedule, person and time."""

    search_fields = ("reason", "going__name", "coming__name")

    schedule = SlugFilter(path="schedule", queryset=Schedule.objects.all(), label=_("Schedule"))
    user = django_filters.ModelChoiceFilter(queryset=User.objects.all(), method="of_person", label=_("Person"))
    after = django_filters.IsoDateTimeFilter("anchor", lookup_expr="gt", label=_("After"))

    class Meta:
        model = Substitution
        fields: list[str] = []

    def of_person(self, queryset: QuerySet[Substitution], name: str, value: User) -> QuerySet[Substitution]:
        return queryset.filter(Q(going=value) | Q(coming=value))


class LeaveFilter(ListFilter):
    """Leave by person, team and stretch."""

    search_fields = ("reason", "user__name")

    user = django_filters.ModelChoiceFilter(queryset=User.objects.all(), label=_("Person"))
    team = SlugFilter(path="user__teams", queryset=Team.objects.all(), label=_("Team"))
    ends_after = django_filters.IsoDateTimeFilter("ends_at", lookup_expr="gt", label=_("Ends after"))
    starts_before = django_filters.IsoDateTimeFilter("starts_at", lookup_expr="lt", label=_("Starts before"))

    class Meta:
        model = Leave
        fields: list[str] = []


class ShadowFilter(ListFilter):
    """Shadows by schedule, person and stretch."""

    search_fields = ("user__name", "follows__name")

    schedule = SlugFilter(path="schedule", queryset=Schedule.objects.all(), label=_("Schedule"))
    user = django_filters.ModelChoiceFilter(queryset=User.objects.all(), label=_("Person"))
    ends_after = django_filters.IsoDateTimeFilter("ends_at", lookup_expr="gt", label=_("Ends after"))

    class Meta:
        model = Shadow
        fields: list[str] = []


class CalendarFeedFilter(ListFilter):
    """Feeds by schedule."""

    search_fields = ("schedule__name",)

    schedule = SlugFilter(path="schedule", queryset=Schedule.objects.all(), label=_("Schedule"))

    class Meta:
        model = CalendarFeed
        fields: list[str] = []


class ImportedCalendarFilter(ListFilter):
    """Imported calendars by schedule, kind, and whether they can be read."""

    search_fields = ("schedule__name", "error")

    schedule = SlugFilter(path="schedule", queryset=Schedule.objects.all(), label=_("Schedule"))
    kind = django_filters.MultipleChoiceFilter(choices=ImportedCalendar.Kind.choices, label=_("Kind"))
    is_failing = django_filters.BooleanFilter("error", method="failing", label=_("Can't be read"))

    class Meta:
        model = ImportedCalendar
        fields: list[str] = []

    def failing(self, queryset: QuerySet[ImportedCalendar], name: str, value: bool) -> QuerySet[ImportedCalendar]:
        return queryset.exclude(error="") if value else queryset.filter(error="")


class ImportedShiftFilter(ListFilter):
    """Imported shifts by schedule, person, whether that is known, and stretch."""

    search_fields = ("name", "uid")

    schedule = SlugFilter(path="calendar__schedule", queryset=Schedule.objects.all(), label=_("Schedule"))
    user = django_filters.ModelChoiceFilter(queryset=User.objects.all(), label=_("Person"))
    is_unknown = django_filters.BooleanFilter("user", lookup_expr="isnull", label=_("Nobody has its name"))
    ends_after = django_filters.IsoDateTimeFilter("ends_at", lookup_expr="gt", label=_("Ends after"))
    starts_before = django_filters.IsoDateTimeFilter("starts_at", lookup_expr="lt", label=_("Starts before"))

    class Meta:
        model = ImportedShift
        fields: list[str] = []


class ContactMethodFilter(ListFilter):
    """Contact methods by person and kind."""

    search_fields = ("address", "label")

    user = django_filters.ModelChoiceFilter(queryset=User.objects.all(), label=_("Person"))
    kind = django_filters.MultipleChoiceFilter(choices=ContactMethod.Kind.choices, label=_("Kind"))
    is_broken = django_filters.BooleanFilter("broken_reason", method="with_reason", label=_("Broken"))
    is_verified = django_filters.BooleanFilter("verified_at", lookup_expr="isnull", exclude=True, label=_("Verified"))

    class Meta:
        model = ContactMethod
        fields: list[str] = []

    def with_reason(self, queryset: QuerySet[ContactMethod], name: str, value: bool) -> QuerySet[ContactMethod]:
        return queryset.exclude(broken_reason="") if value else queryset.filter(broken_reason="")


class NotificationRuleFilter(ListFilter):
    """Notification rules by person and urgency."""

    search_fields = ("contact_method__address", "contact_method__label")

    user = django_filters.ModelChoiceFilter(queryset=User.objects.all(), label=_("Person"))
    urgency = django_filters.MultipleChoiceFilter(choices=Urgency.choices, label=_("Urgency"))

    class Meta:
        model = NotificationRule
        fields: list[str] = []


class QuietHoursFilter(ListFilter):
    """Quiet hours by person and country."""

    search_fields = ("user__name", "country")

    user = django_filters.ModelChoiceFilter(queryset=User.objects.all(), label=_("Person"))

    class Meta:
        model = OnCallProfile
        fields: list[str] = []


class PageFilter(ListFilter):
    """Pages by escalation, its status, person, state and channel."""

    search_fields = ("escalation__title",)

    escalation = django_filters.NumberFilter(field_name="escalation_id", label=_("Escalation"))
    status = django_filters.MultipleChoiceFilter(
        field_name="escalation__status", choices=Escalation.Status.choices, label=_("Escalation's status")
    )
    user = django_filters.ModelChoiceFilter(queryset=User.objects.all(), label=_("Person"))
    state = django_filters.MultipleChoiceFilter(choices=Page.State.choices, label=_("State"))
    channel = django_filters.CharFilter(label=_("Channel"))

    class Meta:
        model = Page
        fields: list[str] = []


class LedgerRootFilter(ListFilter):
    """Daily roots of the ledger by day."""

    search_fields = ("hash",)

    since = django_filters.DateFilter("day", lookup_expr="gte", label=_("Since"))
    until = django_filters.DateFilter("day", lookup_expr="lte", label=_("Until"))

    class Meta:
        model = LedgerRoot
        fields: list[str] = []


class PagingTestFilter(ListFilter):
    """Paging tests by what last came of them, and by whether they guard anything."""

    search_fields = ("name",)

    outcome = django_filters.MultipleChoiceFilter(choices=PagingTest.Outcome.choices, label=_("Outcome"))
    is_active = django_filters.BooleanFilter(label=_("Guards"))

    class Meta:
        model = PagingTest
        fields: list[str] = []
