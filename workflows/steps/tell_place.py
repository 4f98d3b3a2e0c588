"""Tell a place: a chat by its Apprise address, or a webhook."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from workflows.registry import Context, Group, Outcome, Param, Skip, Step, step
from workflows.steps.notify import TITLE
from workflows.telling import tell_place


@step
class TellPlace(Step):
    """Posts to an address that the step holds; of a private incident only that it is there."""

    kind: ClassVar[str] = "tell_place"
    label: ClassVar[Any] = _("Tell a chat or a webhook")
    icon: ClassVar[str] = "message"
    group: ClassVar[Group] = Group.PEOPLE
    needs_incident: ClassVar[bool] = False
    params: ClassVar[tuple[Param, ...]] = (
        Param("name", "text", _("What it is called"), _("Such as #incidents.")),
        Param("address", "secret", _("Address"), _("https://… for a webhook, or any address that Apprise knows.")),
        Param("secret", "secret", _("Secret"), _("Signs what a webhook is sent (X-Sitrep-Signature).")),
        Param("title", "text", _("Title"), required=True, default=TITLE, is_template=True),
        Param("text", "long_text", _("Text"), is_template=True),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Tell {params.get('name') or 'a place'}"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        if not params.get("address"):
            raise Skip("The step has no address.")
        return f"Would tell {params.get('name') or 'the place'}: {params.get('title')}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        if not params.get("address"):
            raise Skip("The step has no address.")
        tell_place(context)
        return Outcome(f"Told {params.get('name') or 'the place'}.")
