"""A step that leaves one fact in the log, and nothing that would have to be drawn; imported, it is there."""

from typing import Any

from events.actions import publish
from workflows.models import WorkflowRun
from workflows.registry import Context, Group, Outcome, Param, Step, step


@step
class Mark(Step):
    """Says in the log that it was done."""

    kind = "mark"
    label = "Mark"
    icon = "flag"
    group = Group.WORK
    needs_incident = False
    params = (Param("text", "text", "Text", is_template=True),)

    def words(self, params: Any) -> str:
        return "Mark"

    def run(self, context: Context, params: Any) -> Outcome:
        run = WorkflowRun(pk=context.run_id)
        publish("chaos.marked", subject=run, actor=context.actor, data={"text": params["text"]})
        return Outcome("Marked.")
