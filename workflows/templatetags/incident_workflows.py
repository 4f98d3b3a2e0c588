"""What the page of an incident shows of workflows. Whoever sees it sees its runs: all its viewers get the same."""

from django import template

from incidents.models import Incident
from workflows.models import Workflow, WorkflowRun
from workflows.starting import not_for

register = template.Library()
SHOWN = 8
State = WorkflowRun.State


@register.simple_tag
def runs_of(incident: Incident) -> list[WorkflowRun]:
    """`{% runs_of incident as runs %}`: its newest runs; those whose conditions were not met are left out."""
    runs = WorkflowRun.objects.filter(incident=incident).exclude(state=State.NOT_MET)
    return list(runs.select_related("workflow").defer("facts", "position").order_by("-id")[:SHOWN])


@register.simple_tag
def startable_for(incident: Incident) -> list[Workflow]:
    """`{% startable_for incident as workflows %}`: those that people can start for it."""
    by_hand = Workflow.objects.filter(is_enabled=True, trigger_kind=Workflow.TriggerKind.PERSON)
    return [workflow for workflow in by_hand.order_by("name") if not not_for(workflow, incident)]
