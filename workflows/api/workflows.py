"""Workflows in the REST API: what they do, their versions, trying and starting them, import."""

from typing import Any

from django.db.models import F, Prefetch, QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actor import Actor
from accounts.models import Scope
from accounts.rest import ActionViewSet
from events.errors import NotFound
from incidents.models import Incident
from workflows import actions
from workflows.api.runs import WorkflowRunDetailSerializer
from workflows.context import doubts
from workflows.definition import masked, problems
from workflows.exchange import import_workflows, plan_import
from workflows.filters import WorkflowFilter
from workflows.masking import with_kept_secrets
from workflows.models import Workflow, WorkflowRun, WorkflowVersion
from workflows.permissions import can_configure
from workflows.runs import start_by_hand
from workflows.specimens import CALL, INCIDENT, KINDS, NOTHING, specimen_called
from workflows.subjects import address
from workflows.trial import Fate, try_workflow
from workflows.words import whole

FIELDS = ("name", "description", "folder", "is_enabled", "sees_private", "in_tests")


def in_force(workflow: Workflow) -> dict[str, Any]:
    """What the workflow does; read once for all workflows of an answer."""
    versions: list[WorkflowVersion] = getattr(workflow, "newest", [])
    return dict(versions[0].definition) if versions else {}


class WorkflowSerializer(serializers.ModelSerializer[Workflow]):
    """A workflow. `definition` is what it does (see the guide on workflows); dots in it stand for a secret and keep it.

    Another definition becomes the next version, with the `note`. Where `based_on` is given, a newer version than that
    is not written over: 409, `stale`.
    """

    definition = serializers.JSONField()
    words = serializers.SerializerMethodField()
    webhook = serializers.SerializerMethodField()
    note = serializers.CharField(required=False, allow_blank=True, max_length=200, write_only=True)
    based_on = serializers.IntegerField(required=False, min_value=0, write_only=True)

    class Meta:
        model = Workflow
        fields = [
            *("slug", *FIELDS, "definition", "words", "version", "trigger_kind", "events", "next_at", "webhook"),
            *("created_at", "updated_at", "note", "based_on"),
        ]
        read_only_fields = ["version", "trigger_kind", "events", "next_at", "created_at", "updated_at"]
        # That names and slugs are single is answered by the action.
        extra_kwargs = {"slug": {"required": False, "validators": []}, "name": {"validators": []}}
        validators: list[Any] = []

    def to_representation(self, instance: Workflow) -> dict[str, Any]:
        instance.definition = masked(in_force(instance))  # type: ignore[attr-defined]  # told with it, stored in a version
        return super().to_representation(instance)

    def get_words(self, workflow: Workflow) -> str:
        """All of it in words."""
        return whole(in_force(workflow))

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_webhook(self, workflow: Workflow) -> str | None:
        """Where a POST starts it; shown to managers only."""
        actor: Actor = self.context["view"].actor
        if not workflow.token or not can_configure(actor, sees_private=workflow.sees_private):
            return None
        return address(reverse("workflows:workflow-hook", args=[workflow.token]))


class WorkflowVersionSerializer(serializers.ModelSerializer[WorkflowVersion]):
    """One state of a workflow."""

    definition = serializers.SerializerMethodField()

    class Meta:
        model = WorkflowVersion
        fields = ["number", "note", "author", "author_name", "created_at", "definition"]
        read_only_fields = fields

    @extend_schema_field(serializers.DictField())
    def get_definition(self, version: WorkflowVersion) -> dict[str, Any]:
        """What it did; secrets as dots."""
        return masked(version.definition)


class VersionNumberSerializer(serializers.Serializer[Any]):
    """Which version."""

    number = serializers.IntegerField(min_value=1)


class TryWorkflowSerializer(serializers.Serializer[Any]):
    """With what to try a workflow; with a `definition`, that one instead of what is stored.

    An `incident` by its number; or what `about` says by its `id` (a schedule by its slug, an incident by its number, a
    call of the webhook by that of its run). Left out, it is tried as a clock, a person or a webhook starts it.
    """

    incident = serializers.IntegerField(required=False, min_value=1)
    about = serializers.ChoiceField(required=False, choices=[*KINDS, CALL, NOTHING])
    id = serializers.CharField(required=False, max_length=120)
    definition = serializers.DictField(required=False)


class AskedSerializer(serializers.Serializer[Any]):
    """One condition, and whether it holds."""

    words = serializers.CharField()
    holds = serializers.BooleanField()


class TriedStepSerializer(serializers.Serializer[Any]):
    """What would become of a step."""

    number = serializers.CharField()
    path = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField()
    words = serializers.CharField()
    state = serializers.ChoiceField(choices=Fate.choices)
    detail = serializers.CharField()
    inputs = serializers.DictField()
    asked = AskedSerializer(many=True)


class TrialSerializer(serializers.Serializer[Any]):
    """Whether it would run, why not, which conditions hold, and what each step would do. Nothing was done."""

    would_run = serializers.BooleanField()
    reason = serializers.CharField()
    asked = AskedSerializer(many=True)
    steps = TriedStepSerializer(many=True)


class StartWorkflowSerializer(serializers.Serializer[Any]):
    """For which incident (its number), or for none; the same `request_key` starts it once. `facts`: `event.data`."""

    incident = serializers.IntegerField(required=False, min_value=1)
    facts = serializers.DictField(required=False)
    request_key = serializers.CharField(required=False, max_length=80)


class ImportWorkflowsSerializer(serializers.Serializer[Any]):
    """A file of YAML or JSON; with `plan` nothing is written."""

    text = serializers.CharField()
    plan = serializers.BooleanField(default=False)


class PlannedSerializer(serializers.Serializer[Any]):
    """What importing does to one workflow."""

    name = serializers.CharField()
    verb = serializers.ChoiceField(choices=["created", "changed", "unchanged", "refused"])
    changes = serializers.ListField(child=serializers.CharField())
    problems = serializers.ListField(child=serializers.CharField())


class DefinitionSerializer(serializers.Serializer[Any]):
    """What a workflow would do."""

    definition = serializers.DictField()


class ProblemsSerializer(serializers.Serializer[Any]):
    """What is wrong with a definition, each with its place, and all of it in words as far as it goes.

    `doubts` are facts that it asks for and that will be empty as things are; it can be saved with them.
    """

    problems = serializers.ListField(child=serializers.CharField())
    doubts = serializers.ListField(child=serializers.CharField())
    words = serializers.CharField()


class WorkflowViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActionViewSet):
    """Workflows, by slug."""

    write_scope = Scope.WORKFLOWS
    serializer_class = WorkflowSerializer
    filterset_class = WorkflowFilter
    ordering_fields = ["id", "name", "updated_at"]
    lookup_field = "slug"

    def get_queryset(self) -> QuerySet[Workflow]:
        newest = WorkflowVersion.objects.filter(number=F("workflow__version"))
        return Workflow.objects.prefetch_related(Prefetch("versions", newest, to_attr="newest"))

    @extend_schema(responses={201: WorkflowSerializer})
    def create(self, request: Request) -> Response:
        saved = actions.save_workflow(actor=self.actor, now=timezone.now(), **self.validated())
        return self.answer(saved, status=201)

    def partial_update(self, request: Request, slug: str) -> Response:
        workflow = self.get_object()
        serializer = self.get_serializer(workflow, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        data = {"name": workflow.name, "definition": in_force(workflow), **serializer.validated_data}
        data.pop("slug", None)
        return self.answer(actions.save_workflow(actor=self.actor, workflow=workflow, now=timezone.now(), **data))

    def destroy(self, request: Request, slug: str) -> Response:
        actions.remove_workflow(actor=self.actor, workflow=self.get_object())
        return Response(status=204)

    def _switched(self, *, is_enabled: bool) -> Response:
        switched = actions.switch_workflow(
            actor=self.actor, workflow=self.get_object(), is_enabled=is_enabled, now=timezone.now()
        )
        return self.answer(switched)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, slug: str) -> Response:
        """Switches it on."""
        return self._switched(is_enabled=True)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, slug: str) -> Response:
        """Switches it off; runs under way go on."""
        return self._switched(is_enabled=False)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="rotate-token")
    def rotate_token(self, request: Request, slug: str) -> Response:
        """Gives its webhook another address; the old one stops working at once."""
        return self.answer(actions.rotate_token(actor=self.actor, workflow=self.get_object()))

    @extend_schema(responses=WorkflowVersionSerializer(many=True), parameters=[OpenApiParameter("slug", str, "path")])
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def versions(self, request: Request, slug: str) -> Response:
        """Its versions, the newest first."""
        return Response(WorkflowVersionSerializer(self.get_object().versions.order_by("-number"), many=True).data)

    @extend_schema(request=VersionNumberSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, slug: str) -> Response:
        """Makes what an earlier version did the newest version."""
        number = self.validated(VersionNumberSerializer)["number"]
        restored = actions.restore_version(
            actor=self.actor, workflow=self.get_object(), number=number, now=timezone.now()
        )
        return self.answer(restored)

    def _incident(self, number: int) -> Incident:
        known = Incident.objects.visible_to(self.actor)
        found = known.select_related("severity", "status", "incident_type", "parent").filter(number=number).first()
        if found is None:
            raise NotFound(f"There is no incident {number}.")
        return found

    @extend_schema(request=TryWorkflowSerializer, responses=TrialSerializer)
    @action(detail=True, methods=["post"], url_path="try")
    def dry_run(self, request: Request, slug: str) -> Response:
        """What it would do with something of the past, step by step. Nothing is written and nobody is told."""
        workflow, data = self.get_object(), self.validated(TryWorkflowSerializer)
        definition = with_kept_secrets(data.get("definition"), in_force(workflow)) or in_force(workflow)
        about, key = data.get("about", NOTHING), data.get("id", "")
        if "incident" in data:
            about, key = INCIDENT, data["incident"]
        specimen = specimen_called(self.actor, about, str(key), definition, workflow)
        if specimen is None:
            raise NotFound(f"There is no such {about.replace('_', ' ')}.")
        trial = try_workflow(
            actor=self.actor, definition=definition, specimen=specimen, now=timezone.now(), workflow=workflow
        )
        return Response(TrialSerializer(trial).data)

    @extend_schema(request=StartWorkflowSerializer, responses={201: WorkflowRunDetailSerializer})
    @action(detail=True, methods=["post"])
    def start(self, request: Request, slug: str) -> Response:
        """Starts one that waits for a person, for an incident or for none."""
        data = self.validated(StartWorkflowSerializer)
        run = start_by_hand(
            actor=self.actor,
            workflow=self.get_object(),
            incident=self._incident(data["incident"]) if "incident" in data else None,
            facts=data.get("facts"),
            request_key=data.get("request_key", ""),
            now=timezone.now(),
        )
        whole_run = WorkflowRun.objects.select_related("workflow", "version", "incident").get(pk=run.pk)
        return Response(WorkflowRunDetailSerializer(whole_run).data, status=201)

    @extend_schema(request=ImportWorkflowsSerializer, responses=PlannedSerializer(many=True))
    @action(detail=False, methods=["post"], url_path="import", pagination_class=None, filter_backends=[])
    def import_file(self, request: Request) -> Response:
        """Makes or changes the workflows of a file, all of them or none; the answer tells what it did, or would do."""
        data = self.validated(ImportWorkflowsSerializer)
        planned = plan_import(actor=self.actor, text=data["text"])
        if not data["plan"]:
            import_workflows(actor=self.actor, text=data["text"], now=timezone.now())
        return Response(
            [
                {
                    "name": each.name,
                    "verb": each.verb,
                    "changes": [str(change) for change in each.changes],
                    "problems": [str(problem) for problem in each.problems],
                }
                for each in planned
            ]
        )

    @extend_schema(request=DefinitionSerializer, responses=ProblemsSerializer)
    @action(detail=False, methods=["post"], pagination_class=None, filter_backends=[])
    def check(self, request: Request) -> Response:
        """What is wrong with a definition; nothing is written."""
        definition = self.validated(DefinitionSerializer)["definition"]
        found, doubtful = problems(definition), doubts(definition)
        return Response(
            {
                "problems": [str(each) for each in found],
                "doubts": [str(each) for each in doubtful],
                "words": whole(definition),
            }
        )
