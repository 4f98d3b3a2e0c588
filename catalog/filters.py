"""How services and functionalities can be filtered, on screen and in the API."""

import django_filters
from django.utils.translation import gettext_lazy as _

from accounts.lists import ListFilter
from accounts.models import Team
from catalog.models import Functionality, Service
from oncall.models import EscalationPolicy


class ServiceFilter(ListFilter):
    search_fields = ("name", "slug", "description")

    tier = django_filters.MultipleChoiceFilter(choices=Service.Tier.choices, label=_("Tier"))
    lifecycle = django_filters.MultipleChoiceFilter(choices=Service.Lifecycle.choices, label=_("Lifecycle"))
    team = django_filters.ModelMultipleChoiceFilter(queryset=Team.objects.all(), to_field_name="slug", label=_("Team"))
    functionality = django_filters.ModelMultipleChoiceFilter(
        queryset=Functionality.objects.all(),
        to_field_name="slug",
        field_name="functionalities",
        label=_("Functionality"),
    )
    escalation_policy = django_filters.ModelMultipleChoiceFilter(
        queryset=EscalationPolicy.objects.all(), to_field_name="slug", label=_("Policy")
    )

    class Meta:
        model = Service
        fields: list[str] = []


class FunctionalityFilter(ListFilter):
    search_fields = ("name", "description")

    class Meta:
        model = Functionality
        fields: list[str] = []
