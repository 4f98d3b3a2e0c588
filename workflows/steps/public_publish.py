"""Publish a public incident."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from incidents.models import Incident
from statuspage.actions import publish_incident
from statuspage.models import PublicIncident, StatusPage
from statuspage.suggestions import suggest
from workflows.naming import called
from workflows.registry import Context, Group, Outcome, Param, Skip, Step, listed, step
from workflows.subjects import address


@step
class PublicPublish(Step):
    """On each status page whose components stand for what is affected, unless the public was told there already."""

    kind: ClassVar[str] = "public_publish"
    label: ClassVar[Any] = _("Publish on the status page")
    icon: ClassVar[str] = "broadcast"
    group: ClassVar[Group] = Group.PUBLIC
    outputs: ClassVar[tuple[str, ...]] = ("pages", "url")
    params: ClassVar[tuple[Param, ...]] = (
        Param("page", "status_page", _("Status page"), _("Nothing chosen: each that shows what is affected.")),
        Param("name", "text", _("Name"), _("Empty: “Problems with …”, with the names of the components.")),
        Param("text", "long_text", _("Text"), _("Empty: the template for a first update."), is_template=True),
        Param(
            "status",
            "choice",
            _("Status"),
            default="investigating",
            choices=tuple((name, label) for name, label in PublicIncident.Status.choices if name != "resolved"),
        ),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        return f"Publish “{params.get('status')}” on {params.get('page') or 'the status page'}"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        pages = self._pages(context, params)
        return f"Would publish “{params.get('status')}” on {listed([page.name for page in pages])}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        incident = context.require_incident()
        told = []
        for page in self._pages(context, params):
            suggestion = suggest(page, incident)
            public = publish_incident(
                actor=context.actor,
                page=page,
                incident=incident,
                name=str(params.get("name") or suggestion.name or _("Problems")),
                body=str(params.get("text") or suggestion.body),
                status=str(params["status"]),
                components=suggestion.components,
                now=context.now,
            )
            told.append(public)
        names = [public.page.name for public in told]
        output = {"pages": names, "url": address(told[0].get_absolute_url())}
        return Outcome(f"Published on {listed(names)}.", output)

    def _pages(self, context: Context, params: Mapping[str, Any]) -> list[StatusPage]:
        incident = context.require_incident()
        refuse_private(incident)
        if params.get("page"):
            pages = [called(StatusPage, params["page"])]
        else:
            services = incident.affected_services.values("service_id")
            pages = list(StatusPage.objects.filter(components__services__in=services).distinct().order_by("name"))
        if not pages:
            raise Skip("No component of a status page stands for what is affected.")
        told = set(PublicIncident.objects.unresolved().filter(incident=incident).values_list("page_id", flat=True))
        left = [page for page in pages if page.pk not in told]
        if not left:
            raise Skip("The public was told already.")
        return left


def refuse_private(incident: Incident) -> None:
    """Raises Skip for a private incident: only a person decides what becomes public of it."""
    if incident.is_private:
        raise Skip("The incident is private: a person has to decide what the public may know.")


def published(incident: Incident) -> list[PublicIncident]:
    """What the public was told of the incident and is not resolved; raises Skip for nothing, and for a private one."""
    refuse_private(incident)
    found = list(PublicIncident.objects.unresolved().filter(incident=incident).select_related("page").order_by("pk"))
    if not found:
        raise Skip("The public was not told of this incident.")
    return found
