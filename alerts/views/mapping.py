"""The screen of a source's mapping: its rules, and what they find in what it sends."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import actor_of
from alerts.actions import NOT_A_MANAGER
from alerts.dialects.mapping import FIELDS
from alerts.facts import paths_in
from alerts.forms.mapping import MappingForm, RuleFormSet, initial_rows, rules_of
from alerts.forms.previews import PayloadForm
from alerts.mapping import save_mapping, try_mapping
from alerts.models import AlertSource
from alerts.permissions import can_configure
from events.errors import Invalid, require
from events.forms import try_action

LOOKED_THROUGH = 50


def source_mapping(request: HttpRequest, slug: str) -> HttpResponse:
    """The rules of a source as rows, and beside them a payload to try them on."""
    actor, now = actor_of(request), timezone.now()
    require(can_configure(actor), NOT_A_MANAGER)
    source = get_object_or_404(AlertSource.objects.select_related("team"), slug=slug)
    data = request.POST if request.method == "POST" else None
    form = MappingForm(data)
    rows = RuleFormSet(data, prefix="rules", initial=initial_rows(source.mapping))
    if data is not None and form.is_valid() and rows.is_valid():
        reason = form.cleaned_data["override_reason"]
        save = partial(save_mapping, actor=actor, source=source, mapping=rules_of(rows), now=now)
        if try_action(form, partial(save, override_reason=reason)) is not None:
            messages.success(request, _("The mapping is saved. It holds for what is sent from now on."))
            return redirect("alerts:source", source.slug)
    raw_id = request.GET.get("event")
    context = {
        "source": source,
        "form": form,
        "rows": rows,
        "fields": [*FIELDS, *_attributes(source)],
        "payload": PayloadForm.start(source, now, viewer=actor, raw_id=raw_id),
        "shown": source.slug,
    }
    return render(request, "alerts/source_mapping.html", context, status=422 if data is not None else 200)


def _attributes(source: AlertSource) -> list[str]:
    """What the newest alerts of a source have as attributes: a rule may fill or merge them."""
    newest = source.alerts.order_by("-id").values_list("attributes", flat=True)[:LOOKED_THROUGH]
    return sorted({path for each in newest for path in paths_in(each) if "." not in path} - set(FIELDS))


@require_POST
def mapping_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """What the rules, as they stand in the form, find in a payload, as a fragment. Nothing is stored."""
    actor = actor_of(request)
    require(can_configure(actor), NOT_A_MANAGER)
    source = get_object_or_404(AlertSource.objects.select_related("team"), slug=slug)
    form = PayloadForm(request.POST, now=timezone.now(), viewer=actor, source=source)
    rows = RuleFormSet(request.POST, prefix="rules")
    context: dict[str, Any] = {}
    if not (rows.is_valid() and form.is_valid()):
        texts = [text for each in (*rows.forms, form) for errors in each.errors.values() for text in errors]
        return render(request, "alerts/_mapping_preview.html", {"problems": [str(text) for text in texts]})
    try:
        context["tried"] = try_mapping(form.raw(), rules_of(rows))
    except Invalid as error:
        context["problems"] = [error.message]
    return render(request, "alerts/_mapping_preview.html", context)
