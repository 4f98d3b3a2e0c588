"""The editor of a workflow: making one, changing one, its parts while it is written, and the same as JSON."""

import json
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import Actor, actor_of
from events.errors import Conflict
from events.forms import try_action
from workflows import actions
from workflows.beginnings import beginning_called, beginnings
from workflows.context import doubts, known_names
from workflows.definition import free_id, masked, problems, walk
from workflows.differences import changes
from workflows.forms.editor import Node, Page, Read, WorkflowForm, open_node, read, read_step
from workflows.forms.params import Offers
from workflows.masking import with_kept_secrets
from workflows.models import Workflow
from workflows.permissions import can_configure
from workflows.registry import Group, step_called, steps
from workflows.views.trying import to_try_with
from workflows.words import opening, steps_in_words, words_of

EMPTY: dict[str, Any] = {"trigger": {"kind": "event", "events": ["incident.declared"]}, "steps": []}


@require_safe
def workflow_new(request: HttpRequest) -> HttpResponse:
    """What to begin with: nothing, or a workflow that ships with Sitrep."""
    actions.require_configure(actor_of(request))
    taken = set(Workflow.objects.values_list("slug", flat=True))
    shown = [
        {"preset": each, "opening": opening(each.definition), "is_here": each.slug in taken} for each in beginnings()
    ]
    return render(request, "workflows/new.html", {"presets": shown})


def workflow_edit(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Makes a workflow (`?from=<preset>` to begin with), or changes one."""
    actor = actor_of(request)
    workflow = get_object_or_404(Workflow, slug=slug) if slug else None
    actions.require_configure(actor, sees_private=workflow.sees_private if workflow else False)
    if request.method == "POST":
        return _save(request, actor, workflow)
    definition, initial = _start(request, workflow)
    found = problems(_whole(workflow, definition)) if definition["steps"] else []
    page = Page(definition, found, doubts=doubts(definition))
    form = WorkflowForm(initial=initial, may_private=can_configure(actor, sees_private=True))
    return _editor(request, actor, workflow, form, page)


def _start(request: HttpRequest, workflow: Workflow | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The definition and the fields to begin with."""
    if workflow is not None:
        version = actions.current_version(workflow)
        return (masked(version.definition) if version else EMPTY), WorkflowForm.initial_of(workflow)
    preset = beginning_called(request.GET.get("from", ""))
    if preset is None:
        return EMPTY, {"is_enabled": False}
    taken = Workflow.objects.filter(name__iexact=preset.name).exists()
    name = _("%(name)s (copy)") % {"name": preset.name} if taken else preset.name
    return preset.definition, {"name": name, "description": preset.description, "folder": preset.folder}


def _whole(workflow: Workflow | None, definition: Any) -> Any:
    """The definition with the secrets that are stored: they are shown as dots only, and are not missing."""
    version = actions.current_version(workflow) if workflow else None
    return with_kept_secrets(definition, version.definition if version else None)


def _save(request: HttpRequest, actor: Actor, workflow: Workflow | None) -> HttpResponse:
    may_private = can_configure(actor, sees_private=True)
    form, said = WorkflowForm(request.POST, may_private=may_private), read(request.POST)
    stale: dict[str, Any] = {}
    if form.is_valid():
        save = partial(actions.save_workflow, actor=actor, workflow=workflow, now=timezone.now())
        try:
            saved = try_action(form, partial(_unless_stale, save, said, form.fields_to_save()))
        except Stale:
            saved = None
            stale = _theirs(form, workflow, said.definition)
            form = WorkflowForm(_based_on(request, workflow), may_private=may_private)
        if saved is not None:
            messages.success(request, _("Saved as version %(version)s.") % {"version": saved.version})
            return redirect(saved)
    found = problems(_whole(workflow, said.definition))
    page = Page(said.definition, found, keys=said.keys, opened=said.opened, doubts=doubts(said.definition))
    return _editor(request, actor, workflow, form, page, status=409 if stale else 422, **stale)


def _based_on(request: HttpRequest, workflow: Workflow | None) -> QueryDict:
    """What the form said, based on the newest version: saving it again puts it on top."""
    data = request.POST.copy()
    data["based_on"] = str(workflow.version) if workflow else ""
    return data


class Stale(Exception):
    """Somebody has saved meanwhile."""


def _unless_stale(save: Any, said: Read, fields: dict[str, Any]) -> Workflow:
    try:
        saved: Workflow = save(definition=said.definition, **fields)
    except Conflict as error:
        if error.code == actions.STALE:
            raise Stale from error
        raise
    return saved


def _theirs(form: WorkflowForm, workflow: Workflow | None, mine: dict[str, Any]) -> dict[str, Any]:
    """What somebody else has saved meanwhile, and how mine differs from it."""
    if workflow is None:
        return {}
    begun = workflow.versions.filter(number=form.cleaned_data["based_on"] or 0).first()
    workflow.refresh_from_db()
    newest = actions.current_version(workflow)
    theirs = changes(begun.definition, newest.definition) if begun and newest else []
    return {"newest": newest, "theirs": theirs, "against": changes(newest.definition, mine) if newest else []}


def _editor(
    request: HttpRequest,
    actor: Actor,
    workflow: Workflow | None,
    form: WorkflowForm,
    page: Page,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    folders = Workflow.objects.exclude(folder="").order_by("folder").values_list("folder", flat=True).distinct()
    context = {
        "workflow": workflow,
        "form": form,
        "page": page,
        "folders": folders,
        "names": known_names(page.definition),
        "groups": picker(),
        "try_with": to_try_with(actor, page.definition, workflow),
        "words": steps_in_words(page.definition),
        "opening": opening(page.definition),
        "kinds": Workflow.TriggerKind.choices,
        **more,
    }
    return render(request, "workflows/edit.html", context, status=status)


def picker() -> list[tuple[Any, list[Any]]]:
    """The steps to choose from, by their groups."""
    known = steps()
    return [(group.label, [each for each in known if each.group == group]) for group in Group]


# --- Parts of the editor while somebody writes ------------------------------------------------------------------------


@require_POST
def step_new(request: HttpRequest) -> HttpResponse:
    """A step of the kind that was chosen, open, to be put where the editor wants it."""
    actions.require_configure(actor_of(request))
    known = step_called(request.POST.get("kind", ""))
    if known is None:
        return HttpResponseBadRequest("No step is called so.")
    taken = {str(step.get("id")) for _path, step in walk(read(request.POST).definition)}
    step = {"id": free_id(known.kind, taken), "kind": known.kind, "params": {}}
    node = Page({"steps": [step]}, []).steps[0]
    open_node(node, Offers())
    return render(request, "workflows/_step.html", {"node": node})


@require_POST
def step_form(request: HttpRequest, key: str) -> HttpResponse:
    """The fields of a step whose row was folded."""
    actions.require_configure(actor_of(request))
    step = read_step(request.POST, key)
    node = Node(key, "steps.0", step, step_called(str(step.get("kind"))), words_of(step))
    open_node(node, Offers())
    return render(request, "workflows/_step_form.html", {"node": node})


@require_POST
def step_copy(request: HttpRequest, key: str) -> HttpResponse:
    """A copy of a step with those within it, folded, under names of its own."""
    actions.require_configure(actor_of(request))
    said = read(request.POST)
    path = next((path for path, known in said.keys.items() if known == key), "")
    steps_by_path = dict(walk(said.definition))
    if path not in steps_by_path:
        return HttpResponseBadRequest("There is no such step.")
    copied = json.loads(json.dumps(steps_by_path[path]))
    taken = {str(step.get("id")) for step in steps_by_path.values()}
    for _path, step in walk({"steps": [copied]}):
        step["id"] = free_id(str(step.get("kind")), taken)  # type: ignore[index]  # the copy may be changed
        taken.add(step["id"])
    return render(request, "workflows/_step.html", {"node": Page({"steps": [copied]}, []).steps[0]})


# --- The same as JSON -------------------------------------------------------------------------------------------------


def workflow_json(request: HttpRequest, slug: str) -> HttpResponse:
    """The definition as JSON, for whoever wants its full power, or has no script."""
    actor = actor_of(request)
    workflow = get_object_or_404(Workflow, slug=slug)
    actions.require_configure(actor, sees_private=workflow.sees_private)
    version = actions.current_version(workflow)
    typed = json.dumps(masked(version.definition) if version else EMPTY, indent=2, ensure_ascii=False)
    context: dict[str, Any] = {"workflow": workflow, "typed": typed, "based_on": workflow.version}
    if request.method != "POST":
        return render(request, "workflows/json.html", context)
    typed, note = request.POST.get("definition", ""), request.POST.get("note", "")
    based_on = request.POST.get("based_on", "")
    context |= {"typed": typed, "note": note, "based_on": based_on}
    try:
        definition = json.loads(typed)
    except ValueError as error:
        context["errors"] = [_("This is not JSON: %(error)s") % {"error": error}]
        return render(request, "workflows/json.html", context, status=422)
    context["errors"] = [str(each) for each in problems(_whole(workflow, definition))]
    if not context["errors"]:
        try:
            actions.save_workflow(
                actor=actor,
                workflow=workflow,
                name=workflow.name,
                definition=definition,
                note=note,
                based_on=int(based_on) if based_on.isdecimal() else None,
                now=timezone.now(),
            )
        except Conflict as error:
            workflow.refresh_from_db()
            context |= {"errors": [str(error)], "based_on": workflow.version}
            return render(request, "workflows/json.html", context, status=409)
        messages.success(request, _("Saved."))
        return redirect(workflow)
    return render(request, "workflows/json.html", context, status=422)
