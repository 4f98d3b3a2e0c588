"""Runs of workflows in the REST API."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from accounts.rest import ActionViewSet
from incidents.models import Incident
from workflows.filters import RunFilter
from workflows.models import StepRun, Workflow, WorkflowRun
from workflows.runs import cancel_run, rerun_from


class StepRunSerializer(serializers.ModelSerializer[StepRun]):
    """One step of a run: what went in (secrets as dots), what came out, and why it was skipped or failed."""

    class Meta:
        model = StepRun
        fields = [
            *("path", "kind", "name", "state", "inputs", "output", "detail", "attempts", "started_at", "ended_at"),
        ]
        read_only_fields = fields


class WorkflowRunSerializer(serializers.ModelSerializer[WorkflowRun]):
    """One time that a workflow runs; `incident` is its number."""

    workflow = serializers.SlugRelatedField[Workflow](slug_field="slug", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    incident = serializers.SlugRelatedField[Incident](slug_field="number", read_only=True)

    class Meta:
        model = WorkflowRun
        fields = [
            *("id", "workflow", "version", "incident", "state", "trigger", "started_by", "started_by_name", "caller"),
            *("due_at", "created_at", "started_at", "ended_at", "error"),
        ]
        read_only_fields = fields


class WorkflowRunDetailSerializer(WorkflowRunSerializer):
    """One run with all of its steps, and what the trigger told."""

    steps = StepRunSerializer(many=True, read_only=True)

    class Meta(WorkflowRunSerializer.Meta):
        fields = [*WorkflowRunSerializer.Meta.fields, "facts", "steps"]
        read_only_fields = fields


class RunAgainSerializer(serializers.Serializer[Any]):
    """From which step on: its `path`, as the run's `steps` have it."""

    path = serializers.CharField(max_length=200)


class WorkflowRunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Runs of workflows. Those of incidents that the caller may not see do not exist."""

    write_scope = Scope.WORKFLOWS
    serializer_class = WorkflowRunSerializer
    filterset_class = RunFilter
    ordering_fields = ["id", "created_at", "ended_at"]

    def get_queryset(self) -> QuerySet[WorkflowRun]:
        if getattr(self, "swagger_fake_view", False):
            return WorkflowRun.objects.none()
        runs = WorkflowRun.objects.visible_to(self.actor).select_related("workflow", "version", "incident")
        return runs if self.action == "list" else runs.prefetch_related("steps")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return WorkflowRunSerializer if self.action == "list" else WorkflowRunDetailSerializer

    @extend_schema(request=None, responses=WorkflowRunDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Ends the run where it stands; what it has done stays done."""
        return self.answer(cancel_run(actor=self.actor, run=self.get_object(), now=timezone.now()))

    @extend_schema(request=RunAgainSerializer, responses={201: WorkflowRunDetailSerializer})
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str) -> Response:
        """Runs it again from one of its steps on; the answer is the new run."""
        path = self.validated(RunAgainSerializer)["path"]
        again = rerun_from(actor=self.actor, run=self.get_object(), path=path, now=timezone.now())
        return self.answer(again, status=201)
