"""Escalate: the next level is paged at once."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _

from events.errors import Conflict
from oncall.actions import escalate_now
from oncall.models import Escalation
from workflows.registry import Context, Group, Outcome, Param, Skip, Step, listed, step


@step
class Escalate(Step):
    """Moves on what pages for the incident and nobody has answered."""

    kind: ClassVar[str] = "escalate"
    label: ClassVar[Any] = _("Escalate to the next level")
    icon: ClassVar[str] = "stairs-up"
    group: ClassVar[Group] = Group.PEOPLE
    outputs: ClassVar[tuple[str, ...]] = ("escalated",)
    params: ClassVar[tuple[Param, ...]] = (
        Param(
            "quiet_minutes",
            "minutes",
            _("Leave alone what has paged a new level within (minutes)"),
            _("So that nobody is passed over whom the policy has just paged by itself."),
            default=2,
        ),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return "Escalate what nobody has acknowledged to the next level"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        found = self._unanswered(context, params)
        return f"Would escalate {listed([each.title for each in found])}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        escalated = []
        for escalation in self._unanswered(context, params):
            try:
                escalate_now(actor=context.actor, escalation=escalation, now=context.now)
            except Conflict:  # every level has been tried
                continue
            escalated.append(str(escalation.path.get("policy", "")))
        if not escalated:
            raise Skip("Every level has been tried.")
        return Outcome(f"Escalated {listed(escalated)} to the next level.", {"escalated": escalated})

    def _unanswered(self, context: Context, params: Mapping[str, Any]) -> list[Escalation]:
        incident = context.require_incident()
        quiet = timedelta(minutes=float(params.get("quiet_minutes") or 0))
        running = Escalation.objects.filter(incidents=incident, status=Escalation.Status.TRIGGERED)
        if not running.exists():
            raise Skip("Nothing pages for this incident that nobody has acknowledged.")
        # The first level counts as paged when paging began.
        lately = Q(newest__gt=context.now - quiet, level__gt=1)
        found = list(running.annotate(newest=Max("pages__created_at")).exclude(lately).order_by("pk"))
        if not found:
            raise Skip("The next level has just been paged.")
        return found
