"""What definitions are made of, for programs that write them: the kinds of steps, and the events that can start one."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from accounts.rest import ActionViewSet
from workflows.definition import BLOCKS
from workflows.models import Workflow
from workflows.registry import KINDS, Group, Step, steps
from workflows.triggers import HAPPENINGS


class StepChoiceSerializer(serializers.Serializer[Any]):
    """One value that a parameter can have."""

    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the wire name; Field.label is not used


class StepParameterSerializer(serializers.Serializer[Any]):
    """A parameter of a step. How its value is stored follows from `kind`; see the guide on workflows."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=[(kind, kind) for kind in KINDS])
    label = serializers.CharField()  # type: ignore[assignment]  # the wire name
    help = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]  # the wire name
    default = serializers.JSONField(allow_null=True)
    choices = StepChoiceSerializer(many=True)
    is_template = serializers.BooleanField()


class WorkflowStepSerializer(serializers.Serializer[Any]):
    """A kind of step: its parameters, the blocks of steps within it, and what later steps can ask it for."""

    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the wire name
    group = serializers.ChoiceField(choices=Group.choices)
    params = StepParameterSerializer(many=True)
    blocks = serializers.ListField(child=serializers.CharField())
    outputs = serializers.ListField(child=serializers.CharField())
    is_outside = serializers.BooleanField()
    needs_incident = serializers.BooleanField()


def told(step: Step) -> dict[str, Any]:
    """A kind of step as the API tells it."""
    names = ("kind", "label", "group", "outputs", "is_outside", "needs_incident")
    return {
        **{name: getattr(step, name) for name in names},
        "blocks": BLOCKS.get(step.kind, ()),
        "params": [
            {
                **{name: getattr(param, name) for name in ("name", "kind", "label", "help", "required", "default")},
                "choices": [{"value": value, "label": label} for value, label in param.choices],
                "is_template": param.is_template,
            }
            for param in step.params
        ],
    }


class WorkflowStepViewSet(ActionViewSet):
    """The kinds of steps that a definition can have."""

    queryset = Workflow.objects.none()
    serializer_class = WorkflowStepSerializer
    write_scope = Scope.WORKFLOWS
    pagination_class = None
    filter_backends: list[Any] = []

    @extend_schema(responses=WorkflowStepSerializer(many=True))
    def list(self, request: Request) -> Response:
        return Response(WorkflowStepSerializer([told(step) for step in steps()], many=True).data)


class WorkflowEventSerializer(serializers.Serializer[Any]):
    """An event that can start a workflow; `about` is under which name its facts stand."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the wire name
    about = serializers.CharField()


class WorkflowEventViewSet(ActionViewSet):
    """The events that can start a workflow."""

    queryset = Workflow.objects.none()
    serializer_class = WorkflowEventSerializer
    write_scope = Scope.WORKFLOWS
    pagination_class = None
    filter_backends: list[Any] = []

    @extend_schema(responses=WorkflowEventSerializer(many=True))
    def list(self, request: Request) -> Response:
        return Response(WorkflowEventSerializer(list(HAPPENINGS.values()), many=True).data)
