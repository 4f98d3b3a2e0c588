"""Let people follow the incident."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.followers import follow
from incidents.models import IncidentFollower
from workflows.naming import missed, people_called
from workflows.registry import Context, Group, Outcome, Param, Skip, Step, listed, people_in_words, step


@step
class Follow(Step):
    """Who follows it already goes on as they chose."""

    kind: ClassVar[str] = "follow"
    label: ClassVar[Any] = _("Let people follow")
    icon: ClassVar[str] = "eye"
    group: ClassVar[Group] = Group.PEOPLE
    params: ClassVar[tuple[Param, ...]] = (
        Param("people", "people", _("Who"), required=True, is_template=True),
        Param("pace", "choice", _("Pace"), default="each", choices=tuple(IncidentFollower.Pace.choices)),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Let {people_in_words(params.get('people'))} follow the incident"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        incident, found = context.require_incident(), people_called(params["people"], context)
        follows = set(incident.followers.values_list("user_id", flat=True))
        new = [user for user in found.users if user.pk not in follows]
        if not new:
            raise Skip(f"All of them follow it already{missed(found)}." if found.users else f"Nobody{missed(found)}.")
        for user in new:
            follow(actor=context.actor, incident=incident, user=user, pace=str(params["pace"]), now=context.now)
        return Outcome(f"{listed([user.display_name for user in new])} will be told what is new{missed(found)}.")
