"""Workflows as files: export, and import with a plan first."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.actor import actor_of
from events.errors import DomainError
from workflows import actions
from workflows.exchange import LONGEST_FILE, exported, import_workflows, plan_import
from workflows.models import Workflow


@require_safe
def workflow_export(request: HttpRequest) -> HttpResponse:
    """All workflows, those of `?folder=`, or one (`?workflow=`), as a file of YAML."""
    actions.require_configure(actor_of(request))
    found = Workflow.objects.order_by("folder", "name")
    name = "workflows"
    if "workflow" in request.GET:
        one = get_object_or_404(Workflow, slug=request.GET["workflow"])
        found, name = found.filter(pk=one.pk), f"workflow-{one.slug}"
    elif request.GET.get("folder"):
        found = found.filter(folder__iexact=request.GET["folder"])
    response = HttpResponse(exported(found), content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.yaml"'
    return response


def workflow_import(request: HttpRequest) -> HttpResponse:
    """Shows what a file would change, and does so once it is confirmed as it was shown."""
    actor = actor_of(request)
    actions.require_configure(actor)
    if request.method != "POST":
        return render(request, "workflows/import.html", {"text": ""})
    given = request.FILES.get("file")
    text = given.read(LONGEST_FILE * 4).decode("utf-8", "replace") if given else request.POST.get("text", "")
    context: dict[str, Any] = {"text": text}
    try:
        context["planned"] = plan_import(actor=actor, text=text)
        if "confirmed" in request.POST:
            saved = import_workflows(actor=actor, text=text, now=timezone.now())
            count = len(saved)
            said = ngettext("%(count)s workflow is imported.", "%(count)s workflows are imported.", count)
            messages.success(request, said % {"count": count})
            return redirect("workflows:list")
    except DomainError as error:
        context["error"] = str(error)
        return render(request, "workflows/import.html", context, status=422)
    context["may_import"] = not any(each.problems for each in context["planned"])
    return render(request, "workflows/import.html", context)
