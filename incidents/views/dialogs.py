"""The dialogs of an incident's page and the menus of its inline edits, which the page asks for once it is shown."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.actor import actor_of
from accounts.models import Role, User
from incidents.forms.changes import EditForm, MemberForm, PageForm, ServiceForm
from incidents.forms.lifecycle import lifecycle_forms
from incidents.kinds import offered_severities
from incidents.models import PLAIN_CATEGORIES, Incident, IncidentService, IncidentStatus
from incidents.permissions import can_respond
from incidents.views.finding import visible
from oncall.models import EscalationPolicy


@require_safe
def dialogs(request: HttpRequest, number: int) -> HttpResponse:
    """What somebody who may respond opens from the page; nothing for others."""
    incident = visible(request, number)
    if not can_respond(actor_of(request), incident):
        return HttpResponse()
    context = {
        "incident": incident,
        "statuses": IncidentStatus.objects.filter(is_active=True, category__in=PLAIN_CATEGORIES),
        "severities": offered_severities(incident.incident_type),
        "impacts": IncidentService.Impact.choices,
        "people": User.objects.filter(is_active=True).exclude(role=Role.VIEWER).order_by("name"),
        "service_form": ServiceForm(auto_id="service-%s"),
        "member_form": MemberForm(auto_id="member-%s"),
        "page_form": page_form(incident),
        "lifecycle": lifecycle_forms({"incident_type": incident.incident_type.slug}),
        "members": incident.memberships.select_related("user") if incident.is_private else [],
    }
    return render(request, "incidents/dialogs/_later.html", context)


def page_form(incident: Incident) -> PageForm:
    """Whom to page: the policy of the first affected service that has one, or else the first policy there is."""
    affected: list[IncidentService] = getattr(incident, "current_services", [])
    own = next((row.service.escalation_policy_id for row in affected if row.service.escalation_policy_id), None)
    policy = own or EscalationPolicy.objects.values_list("pk", flat=True).first()
    return PageForm(auto_id="page-%s", initial={"policy": policy})


def edit_form(incident: Incident) -> EditForm:
    """The facts as they are now; the form remembers them, so that nobody overwrites what they have not seen."""
    facts = {name: getattr(incident, name) for name in EditForm.FACTS}
    was = {name: None if value is None else str(value) for name, value in facts.items()}
    return EditForm(initial={**facts, "was": was}, auto_id="edit-%s")
