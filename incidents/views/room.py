"""The room of an incident: writing, commands, entries, files, links."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.actor import actor_of
from events.errors import Invalid
from incidents import entries, export, files, links, reactions
from incidents.commands import Answer, complete, is_command, run_command
from incidents.forms.changes import first_error
from incidents.forms.room import ComposerForm, EntryForm, EntryMarksForm, LinkForm, ReactionForm
from incidents.models import Incident, IncidentFile, IncidentLink, TimelineEntry
from incidents.permissions import can_rewrite
from incidents.serving import file_response
from incidents.views.finding import visible


def checked(form: Form) -> dict[str, Any]:
    """What a form holds; raises Invalid with its first mistake."""
    if not form.is_valid():
        error = first_error(form)
        raise Invalid(error["message"], field=error["field"])
    return form.cleaned_data


def entry_of(request: HttpRequest, number: int, sequence: int) -> TimelineEntry:
    """The entry that a request is about; 404 for one of an incident that the viewer may not see."""
    incident = visible(request, number)
    entry = TimelineEntry.objects.for_timeline().filter(incident=incident, sequence=sequence).first()
    if entry is None:
        raise Http404
    entry.incident = incident
    return entry


def done(request: HttpRequest, incident: Incident) -> HttpResponse:
    """What follows a change: nothing, for the live page shows it; without scripts the page."""
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return HttpResponse(status=204, headers={"HX-Trigger": "closeDialog"})
    return HttpResponseRedirect(incident.get_absolute_url())


# --- Writing ----------------------------------------------------------------------------------------------------------


@require_POST
def write(request: HttpRequest, number: int) -> HttpResponse:
    """Writes what the composer holds, or does what it says; answers with what only its author is told."""
    incident = visible(request, number)
    form = ComposerForm(request.POST, request.FILES)
    data = checked(form)
    answer = _written(request, incident, data)
    told = notices(answer)
    still_there = Incident.objects.visible_to(actor_of(request)).filter(pk=incident.pk).exists()
    if not request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        for notice in told:
            messages.info(request, notice)
        return HttpResponseRedirect(incident.get_absolute_url() if still_there else "/incidents/")
    if not still_there:
        return HttpResponse(status=204, headers={"HX-Redirect": "/incidents/"})
    return render(request, "incidents/_answer.html", {"notices": told})


def _written(request: HttpRequest, incident: Incident, data: dict[str, Any]) -> Answer:
    actor, now = actor_of(request), timezone.now()
    kind = data["kind"] or TimelineEntry.Kind.MESSAGE
    if is_command(data["text"]) and not data["attachments"]:
        return run_command(actor=actor, incident=incident, text=data["text"], now=now)
    reply_to = None
    if data["reply_to"]:
        reply_to = TimelineEntry.objects.filter(incident=incident, sequence=data["reply_to"]).first()
        if reply_to is None:
            raise Invalid("The entry that you reply to is not there.", field="reply_to")
    given = {"actor": actor, "incident": incident, "text": data["text"], "reply_to": reply_to, "now": now}
    if data["attachments"]:
        return Answer(entry=files.attach_files(files=data["attachments"], **given))
    return Answer(entry=entries.write_entry(kind=kind, **given))


def notices(answer: Answer) -> list[str]:
    """What whoever wrote it has to know: a command's answer, who was not told, which picture tells its place."""
    told = [answer.text] if answer.text else []
    if answer.entry is not None:
        if answer.entry.not_told:
            names = ", ".join(answer.entry.not_told)
            told.append(_("Not told, for they may not see this incident: %(names)s.") % {"names": names})
        for name in answer.entry.data.get("tells_place", []):
            told.append(_("%(name)s tells where it was taken. Everybody here can read that.") % {"name": name})
    return told


@require_GET
def completions(request: HttpRequest, number: int) -> HttpResponse:
    """What can come next at the end of `?text=`, as JSON."""
    incident = visible(request, number)
    text = request.GET.get("text", "")[:2000]
    found = complete(actor=actor_of(request), incident=incident, text=text, now=timezone.now())
    suggestions = [{"insert": each.insert, "title": each.title, "about": each.about} for each in found.suggestions]
    return JsonResponse({"start": found.start, "usage": found.usage, "help": found.help, "suggestions": suggestions})


# --- Entries ----------------------------------------------------------------------------------------------------------


def entry(request: HttpRequest, number: int, sequence: int) -> HttpResponse:
    """The form that edits or moves an entry, with how it stood before; and its answer."""
    found = entry_of(request, number, sequence)
    actor = actor_of(request)
    rewrites = can_rewrite(actor, found)
    if request.method == "POST":
        data = checked(EntryForm(request.POST, entry=found, can_rewrite=rewrites))
        entries.edit_entry(actor=actor, entry=found, now=timezone.now(), **data)
        return done(request, found.incident)
    initial = {"text": found.text, "occurred_at": found.occurred_at}
    form = EntryForm(initial=initial, entry=found, can_rewrite=rewrites)
    context = {"entry": found, "form": form, "revisions": found.revisions.all(), "incident": found.incident}
    return render(request, "incidents/dialogs/_entry_fields.html", context)


@require_POST
def mark_entry(request: HttpRequest, number: int, sequence: int) -> HttpResponse:
    found = entry_of(request, number, sequence)
    data = checked(EntryMarksForm(request.POST))
    changes = {name: value for name, value in data.items() if value is not None}
    entries.edit_entry(actor=actor_of(request), entry=found, now=timezone.now(), **changes)
    return done(request, found.incident)


@require_POST
def remove_entry(request: HttpRequest, number: int, sequence: int) -> HttpResponse:
    found = entry_of(request, number, sequence)
    entries.remove_entry(actor=actor_of(request), entry=found, now=timezone.now())
    return done(request, found.incident)


@require_POST
def restore_entry(request: HttpRequest, number: int, sequence: int) -> HttpResponse:
    found = entry_of(request, number, sequence)
    entries.restore_entry(actor=actor_of(request), entry=found, now=timezone.now())
    return done(request, found.incident)


@require_POST
def react(request: HttpRequest, number: int, sequence: int) -> HttpResponse:
    found = entry_of(request, number, sequence)
    data = checked(ReactionForm(request.POST))
    reactions.react(actor=actor_of(request), entry=found, now=timezone.now(), **data)
    return done(request, found.incident)


# --- Files, links, export ---------------------------------------------------------------------------------------------


@require_GET
def file(request: HttpRequest, public_id: UUID) -> FileResponse:
    """A file, for those who may see its incident; one that was removed is gone."""
    seen = Incident.objects.visible_to(actor_of(request))
    found = IncidentFile.objects.filter(entry__incident__in=seen, entry__removed_at=None, public_id=public_id).first()
    if found is None:
        raise Http404
    return file_response(found)


@require_POST
def add_link(request: HttpRequest, number: int) -> HttpResponse:
    incident = visible(request, number)
    data = checked(LinkForm(request.POST))
    links.add_link(actor=actor_of(request), incident=incident, now=timezone.now(), **data)
    return done(request, incident)


@require_POST
def remove_link(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    incident = visible(request, number)
    found = IncidentLink.objects.filter(incident=incident, pk=pk).first()
    if found is not None:
        links.remove_link(actor=actor_of(request), link=found, now=timezone.now())
    return done(request, incident)


@require_GET
def export_timeline(request: HttpRequest, number: int, form: str) -> StreamingHttpResponse:
    """The whole timeline as a file to keep: Markdown, JSON or CSV."""
    return export.timeline_response(visible(request, number), form)
