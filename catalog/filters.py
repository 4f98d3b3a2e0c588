"""How services and functionalities can be filtered, on screen and in the API."""

import django_filters
from django.utils.translation import gettext_lazy as _

from accounts.lists import ListFilter, SlugFilter
from accounts.models import Team
from catalog.models import Functionality, Service
from oncall.models import EscalationPolicy


class ServiceFilter(ListFilter):
    search_fields = ("name", "slug", "description")

    tier = django_filters.MultipleChoiceFilter(choices=Service.Tier.choices, label=_("Tier"))
    lifecycle = django_filters.MultipleChoiceFilter(choices=Service.Lifecycle.choices, label=_("Lifecycle"))
    team = SlugFilter(path="team", queryset=Team.objects.all(), label=_("Team"))
    functionality = SlugFilter(path="functionalities", queryset=Functionality.objects.all(), label=_("Functionality"))
    escalation_policy = SlugFilter(path="escalation_policy", queryset=EscalationPolicy.objects.all(), label=_("Policy"))

    class Meta:
        model = Service
        fields: list[str] = []


class FunctionalityFilter(ListFilter):
    search_fields = ("name", "description")

    class Meta:
        model = Functionality
        fields: list[str] = []
