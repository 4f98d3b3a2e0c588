"""What stands beside the editor while somebody writes: the workflow in words, its problems, and what it would do.

With what a workflow is tried is the field `subject`: `alert:12`, `nothing`; or `number`, that of an incident.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import Actor, actor_of
from events.templates import BadTemplate, fill
from workflows import actions
from workflows.context import doubts, gathered
from workflows.definition import is_template, problems
from workflows.forms.editor import Page, read
from workflows.forms.params import Field
from workflows.masking import with_kept_secrets
from workflows.models import Workflow
from workflows.specimens import INCIDENT, NOTHING, Specimen, kinds_for, offered, specimen_called
from workflows.trial import try_workflow
from workflows.words import opening, steps_in_words

LONGEST_SHOWN = 300


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The workflow in words with its problems, and the words of each step beside its row."""
    actor = actor_of(request)
    actions.require_configure(actor)
    said, stored = read(request.POST), _stored(request)
    found = problems(_with_secrets(stored, said.definition))
    page = Page(said.definition, found, keys=said.keys, opened=said.opened, doubts=doubts(said.definition))
    context = {
        "page": page,
        "problems": found,
        "opening": opening(said.definition),
        "words": steps_in_words(said.definition),
        "nodes": list(page.nodes()),
        "filled": _filled(page, _specimen(request, actor, said.definition, stored)),
    }
    try_with = to_try_with(actor, said.definition, stored)
    if request.POST.get("kinds") != try_with["kinds"]:
        context["try_with"] = try_with
    return render(request, "workflows/_preview.html", context)


def to_try_with(actor: Actor, definition: Mapping[str, Any], workflow: Workflow | None) -> dict[str, Any]:
    """What the panel offers to try a definition with; `kinds` tells whether that is still what it would offer."""
    kinds = kinds_for(definition)
    return {
        "kinds": " ".join(kinds),
        "groups": offered(actor, kinds, workflow),
        "by_number": INCIDENT in kinds,
        "only_nothing": kinds == [NOTHING],
    }


def _stored(request: HttpRequest) -> Workflow | None:
    """The workflow that is being changed; None for a new one."""
    return Workflow.objects.filter(slug=request.POST.get("workflow", "")).first()


def _with_secrets(stored: Workflow | None, definition: dict[str, Any]) -> Any:
    """The definition with the secrets that are stored, so that they do not count as missing."""
    version = actions.current_version(stored) if stored else None
    return with_kept_secrets(definition, version.definition if version else None)


def _specimen(
    request: HttpRequest, actor: Actor, definition: Mapping[str, Any], workflow: Workflow | None
) -> Specimen | None:
    """What was chosen to try it with; None for nothing, or something that the actor may not see."""
    number = request.POST.get("number", "").strip().upper().removeprefix("INC-")
    about, _colon, key = request.POST.get("subject", "").partition(":")
    if number:
        about, key = INCIDENT, number
    return specimen_called(actor, about, key, definition, workflow)


def _filled(page: Page, specimen: Specimen | None) -> list[tuple[str, str, bool]]:
    """What the templates of open steps say of it: the field's name, the text, whether it can't be read."""
    shown: list[tuple[str, str, bool]] = []
    if specimen is None:
        return shown
    facts = gathered(definition=page.definition, told=specimen.told, incident=specimen.incident, now=timezone.now())
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
    """What the workflow that is being written would do."""
    actor = actor_of(request)
    actions.require_configure(actor)
    stored = _stored(request)
    draft = Workflow(
        pk=stored.pk if stored else None,
        name=request.POST.get("name") or _("The new workflow"),
        sees_private=bool(request.POST.get("sees_private")),
        in_tests=bool(request.POST.get("in_tests")),
    )
    return _tried(request, actor, draft, _with_secrets(stored, read(request.POST).definition))


@require_POST
def workflow_try(request: HttpRequest, slug: str) -> HttpResponse:
    """What a stored workflow would do."""
    workflow = get_object_or_404(Workflow, slug=slug)
    version = actions.current_version(workflow)
    return _tried(request, actor_of(request), workflow, version.definition if version else {})


def _tried(request: HttpRequest, actor: Actor, workflow: Workflow, definition: dict[str, Any]) -> HttpResponse:
    specimen = _specimen(request, actor, definition, workflow)
    context: dict[str, Any] = {"specimen": specimen, "problems": problems(definition)}
    context["was_named"] = bool(request.POST.get("number", "").strip() or request.POST.get("subject"))
    if specimen is not None and not context["problems"]:
        context["trial"] = try_workflow(
            actor=actor, definition=definition, specimen=specimen, now=timezone.now(), workflow=workflow
        )
    return render(request, "workflows/_trial.html", context)
