"""How workflows and their runs can be filtered, on screen and in the API."""

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor, actor_of
from accounts.authentication import api_actor
from accounts.lists import ListFilter, SlugFilter
from workflows.models import Workflow, WorkflowRun
from workflows.trouble import in_trouble_for


class WorkflowFilter(ListFilter):
    search_fields = ("name", "description", "folder")

    trigger = django_filters.MultipleChoiceFilter(
        field_name="trigger_kind", choices=Workflow.TriggerKind.choices, label=_("Trigger")
    )
    folder = django_filters.CharFilter(field_name="folder", lookup_expr="iexact", label=_("Folder"))
    enabled = django_filters.BooleanFilter(field_name="is_enabled", label=_("Switched on"))
    failing = django_filters.BooleanFilter(method="in_trouble", label=_("Failing"))
    event = django_filters.CharFilter(method="started_by", label=_("Started by the event"))

    class Meta:
        model = Workflow
        fields: list[str] = []

    def in_trouble(self, queryset: QuerySet[Workflow], name: str, value: bool) -> QuerySet[Workflow]:
        viewer = api_actor(self.request) if hasattr(self.request, "auth") else actor_of(self.request)
        found = in_trouble_for(viewer, timezone.now()).values("pk")
        return queryset.filter(pk__in=found) if value else queryset.exclude(pk__in=found)

    def started_by(self, queryset: QuerySet[Workflow], name: str, value: str) -> QuerySet[Workflow]:
        return queryset.filter(events__contains=[value])


class RunFilter(ListFilter):
    search_fields = ("workflow__name", "started_by_name", "incident__name")

    state = django_filters.MultipleChoiceFilter(choices=WorkflowRun.State.choices, label=_("State"))
    workflow = SlugFilter(path="workflow", queryset=Workflow.objects.order_by("name"), label=_("Workflow"))
    incident = django_filters.NumberFilter(field_name="incident__number", label=_("Incident number"))
    after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label=_("Started after"))
    before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt", label=_("Started before"))

    class Meta:
        model = WorkflowRun
        fields: list[str] = []


def runs_for_lists(viewer: Actor) -> QuerySet[WorkflowRun]:
    """Those that the viewer may see, with all that a row shows, in a constant number of queries."""
    return (
        WorkflowRun.objects.visible_to(viewer)
        .select_related("workflow", "version", "incident", "started_by")
        .defer("facts", "version__definition", "position")
    )
