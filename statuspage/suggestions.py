"""What a public incident starts with when it is made from an internal one."""

from dataclasses import dataclass

from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from incidents.models import Incident, UpdateTemplate
from statuspage.indicator import worst_status
from statuspage.models import Component, StatusPage


@dataclass(frozen=True)
class Suggestion:
    """The name, the first message and the components' status. Nothing in it is taken from the incident's own words."""

    name: str
    body: str
    components: dict[Component, str]


def suggest(page: StatusPage, incident: Incident | None, locale: str = "en") -> Suggestion:
    """The components bound to the affected services, each with the worst impact of its services, and words for them."""
    components: dict[Component, str] = {}
    if incident is not None:
        impacts = dict(incident.affected_services.values_list("service_id", "impact"))
        for component in page.components.filter(services__in=impacts).distinct().prefetch_related("services"):
            bound = [impacts[service.pk] for service in component.services.all() if service.pk in impacts]
            components[component] = worst_status(bound)
    names = get_text_list([component.name for component in components], _("and"))
    template = UpdateTemplate.objects.filter(moment=UpdateTemplate.Moment.INITIAL, locale=locale).first()
    problem = _("a problem")
    words = template.text if template else _("We are looking into {description}, which affects {impact}.")
    return Suggestion(
        name=_("Problems with %(names)s") % {"names": names} if names else "",
        body=words.replace("{description}", problem).replace("{impact}", names or _("some of our users")),
        components=components,
    )
