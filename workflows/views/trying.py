"""What stands beside the editor while somebody writes: the workflow in words, its problems, and what it would do."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import Actor, actor_of
from events.templates import BadTemplate, fill
from incidents.models import Incident
from workflows import actions
from workflows.context import doubts, gathered
from workflows.definition import is_template, problems
from workflows.forms.editor import Page, read
from workflows.forms.params import Field
from workflows.masking import with_kept_secrets
from workflows.models import Workflow
from workflows.trial import try_workflow
from workflows.words import opening, steps_in_words

LONGEST_SHOWN = 300


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The workflow in words with its problems, and the words of each step beside its row."""
    actor = actor_of(request)
    actions.require_configure(actor)
    said = read(request.POST)
    found = problems(_with_secrets(request, said.definition))
    page = Page(said.definition, found, keys=said.keys, opened=said.opened, doubts=doubts(said.definition))
    context = {
        "page": page,
        "problems": found,
        "opening": opening(said.definition),
        "words": steps_in_words(said.definition),
        "nodes": list(page.nodes()),
        "filled": _filled(page, _incident(request, actor)),
    }
    return render(request, "workflows/_preview.html", context)


def _with_secrets(request: HttpRequest, definition: dict[str, Any]) -> Any:
    """The definition with the secrets that are stored, so that they do not count as missing."""
    stored = Workflow.objects.filter(slug=request.POST.get("workflow", "")).first()
    version = actions.current_version(stored) if stored else None
    return with_kept_secrets(definition, version.definition if version else None)


def _incident(request: HttpRequest, actor: Actor) -> Incident | None:
    """The incident that was chosen to try it with; None for none, or one that the actor may not see."""
    number = request.POST.get("incident", "").strip().upper().removeprefix("INC-")
    if not number.isdecimal() or len(number) > 9:
        return None
    known = Incident.objects.visible_to(actor).select_related("severity", "status", "incident_type", "parent")
    return known.filter(number=int(number)).first()


def _filled(page: Page, incident: Incident | None) -> list[tuple[str, str, bool]]:
    """What the templates of open steps say of the incident: the field's name, the text, whether it can't be read."""
    shown: list[tuple[str, str, bool]] = []
    if incident is None:
        return shown
    told = {"event": {"name": "", "by": "", "data": {}}}
    facts = gathered(definition=page.definition, told=told, incident=incident, now=timezone.now())
    for node in page.nodes():
        params = node.step.get("params") or {}
        for field in node.fields:
            value = params.get(field.place.removeprefix("params.")) if isinstance(field, Field) else None
            if isinstance(field, Field) and is_template(value):
                try:
                    shown.append((field.name, fill(str(value), facts)[:LONGEST_SHOWN], False))
                except BadTemplate as error:
                    shown.append((field.name, str(error), True))
    return shown


@require_POST
def draft_try(request: HttpRequest) -> HttpResponse:
    """What the workflow that is being written would do for an incident."""
    actor = actor_of(request)
    actions.require_configure(actor)
    said = _with_secrets(request, read(request.POST).definition)
    workflow = Workflow(
        name=request.POST.get("name") or _("The new workflow"),
        sees_private=bool(request.POST.get("sees_private")),
        in_tests=bool(request.POST.get("in_tests")),
    )
    return _tried(request, actor, workflow, said)


@require_POST
def workflow_try(request: HttpRequest, slug: str) -> HttpResponse:
    """What a stored workflow would do for an incident."""
    workflow = get_object_or_404(Workflow, slug=slug)
    version = actions.current_version(workflow)
    return _tried(request, actor_of(request), workflow, version.definition if version else {})


def _tried(request: HttpRequest, actor: Actor, workflow: Workflow, definition: dict[str, Any]) -> HttpResponse:
    incident = _incident(request, actor)
    context: dict[str, Any] = {"incident": incident, "problems": problems(definition)}
    if incident is not None and not context["problems"]:
        context["trial"] = try_workflow(
            actor=actor, definition=definition, incident=incident, now=timezone.now(), workflow=workflow
        )
    return render(request, "workflows/_trial.html", context)
