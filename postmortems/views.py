"""The pages on which postmortems are read and written."""

from functools import partial

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.actor import Actor, actor_of
from accounts.lists import list_page
from events.errors import Conflict, require
from events.forms import try_action
from incidents.models import Incident
from incidents.permissions import can_respond
from postmortems import actions
from postmortems.document import action_items_of, current_text, parts_of, roles_of
from postmortems.filters import PostmortemFilter
from postmortems.forms import PostmortemForm, SectionForm
from postmortems.models import ActionItem, Postmortem, PostmortemSection, Source

SORTABLE = ("title", "incident__severity__rank", "created_at", "published_at")
OPEN_ITEMS = Q(incident__action_items__status__in=[ActionItem.Status.PLANNED, ActionItem.Status.IN_PROGRESS])


def visible(actor: Actor) -> QuerySet[Postmortem]:
    """The postmortems that the actor may read, with the incident of each."""
    found = Postmortem.objects.visible_to(actor)
    return found.select_related("incident__severity", "incident__status").prefetch_related("authors")


@require_safe
def postmortem_list(request: HttpRequest) -> HttpResponse:
    """Postmortems, the newest first."""
    found = visible(actor_of(request)).annotate(
        open_items=Count("incident__action_items", filter=OPEN_ITEMS, distinct=True)
    )
    listing = list_page(request, found.order_by("-id"), PostmortemFilter, sortable=SORTABLE)
    return render(request, "postmortems/list.html", {"list": listing})


@require_safe
def postmortem_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole document."""
    actor = actor_of(request)
    postmortem = get_object_or_404(visible(actor), pk=pk)
    context = {
        "postmortem": postmortem,
        "incident": postmortem.incident,
        "parts": parts_of(postmortem),
        "roles": roles_of(postmortem.incident),
        "action_items": action_items_of(postmortem.incident),
        "statuses": Postmortem.Status.choices,
        "item_statuses": ActionItem.Status.choices,
        "may_write": can_respond(actor, postmortem.incident),
        "today": timezone.localdate(),
    }
    return render(request, "postmortems/detail.html", context)


@require_POST
def start(request: HttpRequest, number: int) -> HttpResponse:
    """Starts the postmortem of an incident, or opens the one that it has."""
    actor = actor_of(request)
    incident = get_object_or_404(Incident.objects.visible_to(actor), number=number)
    postmortem = actions.start_postmortem(actor=actor, incident=incident, now=timezone.now())
    return redirect(postmortem)


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes the title and the authors."""
    actor = actor_of(request)
    postmortem = get_object_or_404(visible(actor), pk=pk)
    require(can_respond(actor, postmortem.incident), actions.MAY_NOT_WRITE)
    initial = {"title": postmortem.title, "authors": postmortem.authors.all()}
    form = PostmortemForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        act = partial(
            actions.edit_postmortem, actor=actor, postmortem=postmortem, now=timezone.now(), **form.cleaned_data
        )
        if try_action(form, act) is not None:
            return redirect(postmortem)
    status = 422 if request.method == "POST" else 200
    return render(request, "postmortems/edit.html", {"form": form, "postmortem": postmortem}, status=status)


@require_POST
def change_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Moves the postmortem to review, publishes it, or takes it back."""
    actor = actor_of(request)
    postmortem = get_object_or_404(visible(actor), pk=pk)
    status = request.POST.get("status", "")
    postmortem = actions.change_status(actor=actor, postmortem=postmortem, status=status, now=timezone.now())
    messages.success(request, _("The postmortem is now: %(status)s.") % {"status": postmortem.get_status_display()})
    return redirect(postmortem)


def section(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """The editor of one section. On a conflict it keeps what was typed and shows what was saved in between."""
    actor = actor_of(request)
    postmortem = get_object_or_404(visible(actor), pk=pk)
    require(can_respond(actor, postmortem.incident), actions.MAY_NOT_WRITE)
    found = get_object_or_404(postmortem.sections.select_related("updated_by", "owner_role"), slug=slug)
    initial = {"text": current_text(found, postmortem), "version": found.version}
    form = SectionForm(request.POST or None, initial=initial, section=found)
    context = {"postmortem": postmortem, "section": found, "form": form, "theirs": None}
    if request.method == "POST" and form.is_valid():
        try:
            actions.save_section(actor=actor, section=found, now=timezone.now(), **form.cleaned_data)
        except Conflict as error:
            found.refresh_from_db()
            context |= conflict(found, form, str(error))
            return render(request, "postmortems/section.html", context, status=409)
        else:
            return redirect(f"{postmortem.get_absolute_url()}#{slug}")
    return render(request, "postmortems/section.html", context)


def conflict(found: PostmortemSection, form: SectionForm, words: str) -> dict[str, object]:
    """What the editor shows when somebody was quicker: their text, and a form that saves over it knowingly."""
    typed = {"text": form.cleaned_data["text"], "version": found.version}
    again = SectionForm(typed, section=found)
    again.add_error(None, words)
    return {"form": again, "theirs": found.text, "section": found}


@require_POST
def refresh_section(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """Fills a generated section in again from the incident."""
    actor = actor_of(request)
    postmortem = get_object_or_404(visible(actor), pk=pk)
    found = get_object_or_404(postmortem.sections.exclude(source=Source.WRITTEN), slug=slug)
    overwrite = request.POST.get("overwrite") == "true"
    actions.refresh_section(actor=actor, section=found, overwrite=overwrite, now=timezone.now())
    messages.success(request, _("%(section)s is filled in again.") % {"section": found.title})
    return redirect(f"{postmortem.get_absolute_url()}#{slug}")


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Markdown as it will be read; nothing is kept."""
    return render(request, "postmortems/_preview.html", {"text": request.POST.get("text", "")})
