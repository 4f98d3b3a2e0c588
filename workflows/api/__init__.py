"""Workflows in the REST API: a module per subject, joined here."""

from typing import Any

from rest_framework import viewsets

from workflows.api.runs import WorkflowRunViewSet
from workflows.api.steps import WorkflowEventViewSet, WorkflowStepViewSet
from workflows.api.workflows import WorkflowViewSet

routes: list[tuple[str, type[viewsets.GenericViewSet[Any]], str]] = [
    ("workflows", WorkflowViewSet, "workflow"),
    ("workflow-steps", WorkflowStepViewSet, "workflow-step"),
    ("workflow-events", WorkflowEventViewSet, "workflow-event"),
    ("workflow-runs", WorkflowRunViewSet, "workflow-run"),
]
