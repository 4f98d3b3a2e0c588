"""Page people: on call for the affected services, or whom the step names."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Service
from incidents.models import Incident
from incidents.paging import page_for_incident, page_service
from oncall.models import Escalation, EscalationPolicy
from workflows.naming import called, missed, people_called
from workflows.registry import Context, Group, Outcome, Param, Skip, Step, listed, people_in_words, step


@step
class Page(Step):
    """Starts escalations, but for what pages for the incident already."""

    kind: ClassVar[str] = "page"
    label: ClassVar[Any] = _("Page people")
    icon: ClassVar[str] = "bell-ringing"
    group: ClassVar[Group] = Group.PEOPLE
    outputs: ClassVar[tuple[str, ...]] = ("paged", "already")
    params: ClassVar[tuple[Param, ...]] = (
        Param("service", "service", _("Service"), _("Nothing chosen: each affected service."), is_template=True),
        Param("policy", "policy", _("Escalation policy"), _("Instead of that of a service."), is_template=True),
        Param("people", "people", _("People"), _("Instead of a policy: each of them is paged."), is_template=True),
        Param("message", "long_text", _("Message"), is_template=True),
        Param(
            "urgency",
            "choice",
            _("Urgency"),
            default="",
            choices=(("", _("As the service says")), ("high", _("High")), ("low", _("Low"))),
        ),
    )

    def words(self, params: Mapping[str, Any]) -> str:
        if params.get("people") and any(params["people"].values()):
            return f"Page {people_in_words(params['people'])}"
        if params.get("policy"):
            return f"Page along {params['policy']}"
        if params.get("service"):
            return f"Page whoever is on call for {params['service']}"
        return "Page whoever is on call for the affected services"

    def plan(self, context: Context, params: Mapping[str, Any]) -> str:
        incident = self._pageable(context)
        if people := params.get("people"):
            found = people_called(people, context)
            return f"Would page {listed(found.names) or 'nobody'}{missed(found)}"
        policies: list[EscalationPolicy | None] = [self._policy(params)] if params.get("policy") else []
        policies += [each.escalation_policy for each in self._services(incident, params) if not params.get("policy")]
        running = _running(incident)
        new = [str(policy) for policy in policies if policy and policy.pk not in running]
        if not new:
            raise Skip("All of it pages for the incident already.")
        return f"Would page along {listed(new)}"

    def run(self, context: Context, params: Mapping[str, Any]) -> Outcome:
        incident = self._pageable(context)
        message, urgency = str(params.get("message") or ""), str(params.get("urgency") or "")
        if people := params.get("people"):
            found = people_called(people, context)
            if not found.users:
                raise Skip(f"There is nobody to page{missed(found)}.")
            already = _paged_people(incident)
            new = [user for user in found.users if user.pk not in already]
            for user in new:
                page_for_incident(
                    actor=context.actor, incident=incident, user=user, message=message, urgency=urgency, now=context.now
                )
            return _said([user.display_name for user in new], len(found.users) - len(new), missed(found))
        if params.get("policy"):
            policy = self._policy(params)
            if policy.pk in _running(incident):
                return _said([], 1)
            page_for_incident(
                actor=context.actor, incident=incident, policy=policy, message=message, urgency=urgency, now=context.now
            )
            return _said([policy.name], 0)
        told = []
        services = self._services(incident, params)
        for service in services:
            paged = page_service(
                actor=context.actor,
                incident=incident,
                service=service,
                message=message,
                urgency=urgency,
                now=context.now,
            )
            if paged.is_new:
                told.append(service.name)
        return _said(told, len(services) - len(told))

    def _pageable(self, context: Context) -> Incident:
        incident = context.require_incident()
        if not incident.is_open:
            raise Skip("The incident is over.")
        return incident

    def _policy(self, params: Mapping[str, Any]) -> EscalationPolicy:
        return called(EscalationPolicy, params["policy"])

    def _services(self, incident: Incident, params: Mapping[str, Any]) -> list[Service]:
        """The services to page for; raises Skip without any that has a policy."""
        if params.get("service"):
            services = [called(Service, params["service"])]
        else:
            services = list(Service.objects.filter(incident_services__incident=incident).order_by("tier", "name"))
        found = [service for service in services if service.escalation_policy_id is not None]
        if not found:
            raise Skip("No affected service has an escalation policy.")
        return found


def _running(incident: Incident) -> set[int | None]:
    return set(incident.escalations.open().values_list("policy_id", flat=True))


def _paged_people(incident: Incident) -> set[int]:
    paged = Escalation.objects.open().filter(incidents=incident)
    return set(User.objects.filter(pages__escalation__in=paged).values_list("pk", flat=True))


def _said(names: list[str], already: int, more: str = "") -> Outcome:
    if not names:
        raise Skip(f"All of it pages for the incident already{more}.")
    return Outcome(f"Paged {listed(names)}{more}.", {"paged": names, "already": already})
