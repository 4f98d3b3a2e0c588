"""Mitigations: what helps when a service is broken, kept with the service."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction

from accounts.actor import Actor
from catalog.models import Mitigation, Service
from catalog.permissions import can_change_service
from events.actions import publish
from events.errors import Invalid, require

SUGGESTIONS = Path(__file__).parent / "presets" / "mitigations.yaml"
LONGEST_COMMAND = 4_000
MOST = 30
_is_link = URLValidator(schemes=["http", "https"])


@dataclass(frozen=True)
class MitigationDraft:
    """A mitigation as somebody wrote it: a command to copy, a link to follow, both, or words alone."""

    label: str
    command: str = ""
    url: str = ""


def suggested_mitigations(service: Service | None = None) -> list[str]:
    """What can be offered to whoever fills a service's mitigations in, without what it has already."""
    labels: list[str] = yaml.safe_load(SUGGESTIONS.read_text())["mitigations"]
    has = {row.label.casefold() for row in service.mitigations.all()} if service else set()
    return [label for label in labels if label.casefold() not in has]


def mitigations_of(services: Iterable[Service]) -> list[Mitigation]:
    """What helps with these services: one query, in the order of the services' tiers and names."""
    found = Mitigation.objects.filter(service__in=[service.pk for service in services]).select_related("service")
    return list(found.order_by("service__tier", "service__name", "position", "id"))


@transaction.atomic
def save_mitigations(*, actor: Actor, service: Service, mitigations: Sequence[MitigationDraft]) -> list[Mitigation]:
    """Replaces a service's mitigations, in this order. The same ones again change nothing.

    Raises Invalid for one without a label, for an address that is none, and for more than thirty.
    """
    require(can_change_service(actor, service), "Only managers and the team that owns a service may change it.")
    service = Service.objects.select_for_update().get(pk=service.pk)
    drafts = [_checked(draft) for draft in mitigations]
    if len(drafts) > MOST:
        raise Invalid(f"A service has at most {MOST} mitigations.", field="mitigations", remedy="Keep those that help.")
    before = [MitigationDraft(row.label, row.command, row.url) for row in service.mitigations.all()]
    if drafts != before:
        service.mitigations.all().delete()
        Mitigation.objects.bulk_create(
            Mitigation(service=service, label=draft.label, command=draft.command, url=draft.url, position=position)
            for position, draft in enumerate(drafts)
        )
        data: dict[str, Any] = {"name": service.name, "mitigations": [draft.label for draft in drafts]}
        publish("service.mitigations_changed", subject=service, actor=actor, data=data)
    return list(service.mitigations.all())


def _checked(draft: MitigationDraft) -> MitigationDraft:
    label, command, url = draft.label.strip(), draft.command.strip(), draft.url.strip()
    if not label:
        raise Invalid(
            "A mitigation needs a label.", field="label", remedy="Say what it does: “Roll back the last deploy”."
        )
    if len(label) > 100:
        raise Invalid(f"“{label}” is longer than 100 characters.", field="label", remedy="Shorten it.")
    if len(command) > LONGEST_COMMAND:
        remedy = "Put it into a runbook and link that."
        raise Invalid(
            f"The command of “{label}” is longer than {LONGEST_COMMAND} characters.", field="command", remedy=remedy
        )
    if url:
        try:
            _is_link(url)
        except ValidationError:
            remedy = "Give a whole address that begins with https://."
            raise Invalid(f"“{url}” is not a link.", field="url", remedy=remedy) from None
    return MitigationDraft(label, command, url)
