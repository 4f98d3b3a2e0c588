"""Wait, branch, loop, call another workflow: steps about the way itself. The engine does them (workflows/flow.py)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from workflows.facts import condition_words, named
from workflows.flow import instant_in_words, items_in_words, items_of, version_called, wait_until
from workflows.registry import Context, Group, Param, Step, minutes_in_words, short, step


@step
class Wait(Step):
    """A wait that survives everything; while the incident is paused, it stands still."""

    kind: ClassVar[str] = "wait"
    label: ClassVar[Any] = _("Wait")
    icon: ClassVar[str] = "hourglass"
    group: ClassVar[Group] = Group.FLOW
    needs_incident: ClassVar[bool] = False
    params: ClassVar[tuple[Param, ...]] = (
        Param("minutes", "minutes", _("Minutes"), default=5, is_template=True),
        Param("until", "text", _("Or until"), _("An instant: 2026-03-14T09:00:00+01:00."), is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Wait until {params['until']}" if params.get("until") else f"Wait {minutes_in_words(params['minutes'])}"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        return f"Would wait until {instant_in_words(wait_until(params, context.now))}"


@step
class Branch(Step):
    """One way if the conditions hold, another if not."""

    kind: ClassVar[str] = "branch"
    label: ClassVar[Any] = _("If … otherwise …")
    icon: ClassVar[str] = "git-branch"
    group: ClassVar[Group] = Group.FLOW
    needs_incident: ClassVar[bool] = False
    outputs: ClassVar[tuple[str, ...]] = ("taken",)
    params: ClassVar[tuple[Param, ...]] = (Param("conditions", "conditions", _("Conditions"), required=True),)

    def words(self, params: Mapping[str, Any]) -> str:
        return f"If {condition_words(params.get('conditions') or {})}"


@step
class Loop(Step):
    """The steps within it once for each item of a list, at most a hundred."""

    kind: ClassVar[str] = "loop"
    label: ClassVar[Any] = _("For each of a list")
    icon: ClassVar[str] = "repeat"
    group: ClassVar[Group] = Group.FLOW
    needs_incident: ClassVar[bool] = False
    outputs: ClassVar[tuple[str, ...]] = ("items",)
    params: ClassVar[tuple[Param, ...]] = (
        Param("over", "text", _("List"), _("The name of a fact, such as incident.services."), required=True),
        Param("as", "text", _("Its items are called"), required=True, default="it"),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"For each {params.get('as') or 'it'} of {named(str(params.get('over')))}"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        items = items_of(params, context.facts)
        if not items:
            return items_in_words(params, context.facts, items).rstrip(".")
        return (
            f"Would go through {named(str(params.get('over')))}: {', '.join(short(each, 40) for each in items[:5])}"
            + (f" and {len(items) - 5} more" if len(items) > 5 else "")
        )


@step
class CallWorkflow(Step):
    """Another workflow, for the same incident."""

    kind: ClassVar[str] = "call_workflow"
    label: ClassVar[Any] = _("Call another workflow")
    icon: ClassVar[str] = "arrow-ramp-right"
    group: ClassVar[Group] = Group.FLOW
    needs_incident: ClassVar[bool] = False
    outputs: ClassVar[tuple[str, ...]] = ("run", "state")
    params: ClassVar[tuple[Param, ...]] = (
        Param("workflow", "workflow", _("Workflow"), required=True),
        Param("wait", "boolean", _("Wait until it is done"), default=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Run the workflow {params.get('workflow')}" + (" and wait for it" if params.get("wait", True) else "")

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        return f"Would run “{version_called(str(params.get('workflow') or '')).workflow}”"
