"""Filters of people, teams and keys, for the pages and the API alike."""

import django_filters
from django.utils.translation import gettext_lazy as _

from accounts.lists import ListFilter, SlugFilter
from accounts.models import ApiKey, Role, SavedView, Team, User


class PersonFilter(ListFilter):
    """People by role, team and whether they are active."""

    search_fields = ("name", "email")

    role = django_filters.MultipleChoiceFilter(choices=Role.choices, label=_("Role"))
    team = SlugFilter(path="teams", queryset=Team.objects.all(), label=_("Team"))
    active = django_filters.TypedChoiceFilter(
        field_name="is_active",
        choices=[("true", _("Active")), ("false", _("Not active"))],
        coerce=lambda text: text == "true",
        label=_("Active"),
    )

    class Meta:
        model = User
        fields: list[str] = []


class TeamFilter(ListFilter):
    """Teams by name and member."""

    search_fields = ("name", "description")

    member = django_filters.ModelChoiceFilter(field_name="members", queryset=User.objects.all(), label=_("Member"))

    class Meta:
        model = Team
        fields: list[str] = []


class ApiKeyFilter(ListFilter):
    """Keys by name, and those that still work."""

    search_fields = ("name", "prefix")

    usable = django_filters.BooleanFilter(field_name="revoked_at", lookup_expr="isnull", label=_("Not revoked"))

    class Meta:
        model = ApiKey
        fields: list[str] = []


class SavedViewFilter(ListFilter):
    """Saved views by list."""

    search_fields = ("name",)

    list_name = django_filters.CharFilter(label=_("List"))
    shared = django_filters.BooleanFilter(field_name="is_shared", label=_("Shared"))

    class Meta:
        model = SavedView
        fields: list[str] = []
