"""Let people see a private incident."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.membership import add_member
from workflows.naming import missed, people_called
from workflows.registry import Context, Group, Outcome, Param, Skip, Step, listed, people_in_words, step


@step
class AddMember(Step):
    """Who may see it already is left alone."""

    kind: ClassVar[str] = "add_member"
    label: ClassVar[Any] = _("Let people in")
    icon: ClassVar[str] = "user-plus"
    group: ClassVar[Group] = Group.PEOPLE
    params: ClassVar[tuple[Param, ...]] = (Param("people", "people", _("Whom"), required=True, is_template=True),)

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Let {people_in_words(params.get('people'))} see the private incident"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        incident = context.require_incident()
        if not incident.is_private:
            raise Skip("Everybody here may see this incident.")
        found = people_called(params["people"], context, lets_in=True)
        members = set(incident.memberships.values_list("user_id", flat=True))
        new = [user for user in found.users if user.pk not in members]
        if not new:
            raise Skip(f"All of them see it already{missed(found)}." if found.users else f"Nobody{missed(found)}.")
        for user in new:
            add_member(actor=context.actor, incident=incident, user=user, now=context.now)
        return Outcome(f"Let {listed([user.display_name for user in new])} in{missed(found)}.")
