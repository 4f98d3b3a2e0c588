"""Give a role to somebody."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.models import IncidentRole
from incidents.roles import assign_role
from workflows.naming import called, missed, people_called
from workflows.registry import Context, Group, Outcome, Param, Skip, Step, people_in_words, step


@step
class SetRole(Step):
    """Who has it already keeps it, unless the step says otherwise."""

    kind: ClassVar[str] = "set_role"
    label: ClassVar[Any] = _("Assign a role")
    icon: ClassVar[str] = "user-star"
    group: ClassVar[Group] = Group.INCIDENT
    outputs: ClassVar[tuple[str, ...]] = ("person",)
    params: ClassVar[tuple[Param, ...]] = (
        Param("role", "role", _("Role"), required=True),
        Param("people", "people", _("To whom"), _("The first who is found."), required=True, is_template=True),
        Param("keep", "boolean", _("Whoever has the role keeps it"), default=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Make {people_in_words(params.get('people'))} {params.get('role')}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        incident, role = context.require_incident(), called(IncidentRole, params["role"])
        current = incident.role_assignments.filter(role=role, ended_at=None).select_related("user").first()
        if current is not None and params.get("keep", True):
            raise Skip(f"{current.user.display_name} is {role} already.")
        found = people_called(params["people"], context)
        if not found.users:
            raise Skip(f"There is nobody to take the role{missed(found)}.")
        user = found.users[0]
        assign_role(actor=context.actor, incident=incident, role=role, user=user, now=context.now)
        return Outcome(f"Made {user.display_name} {role}.", {"person": user.display_name})
