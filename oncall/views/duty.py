"""Handovers, surveys after a shift, hours and pay."""

from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actor import Actor, actor_of
from accounts.lists import list_page
from events.errors import require
from events.forms import try_action
from oncall import duty, pay, permissions, surveys
from oncall.duty_filters import HandoverFilter, RateTableFilter, StatementFilter, SurveyFilter
from oncall.forms.duty import HandoverNoteForm, MonthForm, RateTableForm, SurveyForm
from oncall.models import DutyStatement, Handover, RateTable, Schedule, ShiftSurvey
from oncall.spreadsheets import csv_response
from oncall.views.signed_in import user_of

# --- Handovers --------------------------------------------------------------------------------------------------------


@require_safe
def handover_list(request: HttpRequest) -> HttpResponse:
    """Every change of shift, the newest first, and notes that wait for theirs."""
    found = Handover.objects.select_related("schedule", "note_by").prefetch_related("going", "coming")
    listing = list_page(request, found.order_by("-at", "-id"), HandoverFilter, sortable=("at",))
    slugs = request.GET.getlist("schedule")
    schedule = Schedule.objects.filter(slug=slugs[0]).first() if len(slugs) == 1 else None
    context = {
        "list": listing,
        "schedule": schedule,
        "may_write": schedule is not None and duty.can_write_note(actor_of(request), schedule),
        "now": timezone.now(),
    }
    return render(request, "oncall/duty/handover_list.html", context)


@require_safe
def handover_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One change of shift: who went and came, the note, the summary."""
    found = Handover.objects.select_related("schedule", "note_by").prefetch_related("going", "coming")
    handover = get_object_or_404(found, pk=pk)
    may_write = not handover.summary and duty.can_write_note(actor_of(request), handover.schedule)
    return render(request, "oncall/duty/handover_detail.html", {"handover": handover, "may_write": may_write})


def handover_note(request: HttpRequest, slug: str) -> HttpResponse:
    """Writes the note for whoever comes next on a schedule."""
    schedule = get_object_or_404(Schedule, slug=slug)
    actor, now = actor_of(request), timezone.now()
    require(duty.can_write_note(actor, schedule), "Only those who are on this schedule may write its handover note.")
    waiting = duty.waiting_note(schedule, now)
    note = waiting.note if waiting else ""
    form = HandoverNoteForm(request.POST or None, initial={"note": note, "before": note})
    if request.method == "POST" and form.is_valid():
        write = partial(duty.write_handover_note, actor=actor, schedule=schedule, now=now, **form.cleaned_data)
        written = try_action(form, write)
        if written is not None or not form.errors:
            messages.success(request, _("The note waits for them.") if written else _("The note is gone."))
            return redirect(f"{reverse('oncall:handovers')}?schedule={schedule.slug}")
    context = {"form": form, "schedule": schedule, "change": duty.next_handover(schedule, now), "waiting": waiting}
    return render(request, "oncall/duty/handover_note.html", context)


# --- Surveys ----------------------------------------------------------------------------------------------------------


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """The two questions behind a mailed link, without signing in; only POST stores an answer."""
    asked = (
        ShiftSurvey.objects.select_related("schedule", "user")
        .filter(pk=surveys.survey_of_token(token) or 0, user__is_active=True)
        .first()
    )
    if asked is None:
        return render(request, "oncall/duty/survey_unknown.html", status=404)
    with timezone.override(asked.user.time_zone):
        answered = _answered(request, asked, Actor.of_user(asked.user, via="email"))
        if isinstance(answered, HttpResponse):
            return answered
        return redirect(f"{reverse('oncall:survey', args=[token])}?thanks=yes")


def survey_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """The same for whoever is signed in."""
    asked = get_object_or_404(ShiftSurvey.objects.select_related("schedule", "user"), pk=pk, user=user_of(request))
    answered = _answered(request, asked, actor_of(request))
    if isinstance(answered, HttpResponse):
        return answered
    messages.success(request, _("Thank you."))
    return redirect("oncall:surveys")


def _answered(request: HttpRequest, asked: ShiftSurvey, actor: Actor) -> HttpResponse | ShiftSurvey:
    initial = {"score": asked.score, "what_hurt": asked.what_hurt}
    form = SurveyForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        store = partial(surveys.answer_survey, actor=actor, survey=asked, now=timezone.now(), **form.cleaned_data)
        stored = try_action(form, store)
        if stored is not None:
            return stored
    is_thanked = request.method != "POST" and bool(request.GET.get("thanks"))
    context = {"form": form, "survey": asked, "is_thanked": is_thanked}
    return render(request, "oncall/duty/survey.html", context)


@require_safe
def survey_list(request: HttpRequest) -> HttpResponse:
    """The viewer's own surveys; managers see each schedule's results, without names."""
    actor, now = actor_of(request), timezone.now()
    own = ShiftSurvey.objects.filter(user=user_of(request)).select_related("schedule").order_by("-shift_end", "-id")
    may_see_results = permissions.can_configure(actor)
    slug = request.GET.get("results", "")
    chosen = Schedule.objects.filter(slug=slug).first() if slug and may_see_results else None
    context = {
        "list": list_page(request, own, SurveyFilter, sortable=("shift_end",)),
        "averages": surveys.averages(actor, now) if may_see_results else [],
        "results": surveys.results_of(chosen, actor, now) if chosen else None,
    }
    return render(request, "oncall/duty/survey_list.html", context)


# --- Hours and pay ----------------------------------------------------------------------------------------------------


@require_safe
def statement_list(request: HttpRequest) -> HttpResponse:
    """Statements: everybody's for managers, else the viewer's own."""
    actor = actor_of(request)
    found = pay.visible_statements(actor).order_by("-starts_on", "schedule__name", "user__name", "-id")
    may_configure = permissions.can_configure(actor)
    listing = list_page(request, found, StatementFilter, sortable=("starts_on", "amount", "pages"))
    last_month = pay.first_of_month(pay.first_of_month(timezone.localdate()) - timedelta(days=1))
    context = {
        "list": listing,
        "may_configure": may_configure,
        "month_form": MonthForm(initial={"month": last_month}) if may_configure else None,
        "rows": [
            (row, row.status == DutyStatement.Status.DRAFT and pay.can_approve(actor, row)) for row in listing.page
        ],
        "query": request.GET.urlencode(),
    }
    return render(request, "oncall/duty/statement_list.html", context)


@require_POST
def statements_compute(request: HttpRequest) -> HttpResponse:
    """Computes a month anew, of all schedules that have rates."""
    form = MonthForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a month, such as 2026-03."))
        return redirect("oncall:statements")
    month: date = form.cleaned_data["month"]
    made = try_action(form, partial(pay.draft_statements, actor=actor_of(request), month=month, now=timezone.now()))
    if made is None:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("oncall:statements")
    words = _("%(count)d statements for %(month)s.") % {"count": len(made), "month": f"{month:%Y-%m}"}
    messages.success(request, words)
    return redirect(f"{reverse('oncall:statements')}?month={month:%Y-%m}")


@require_POST
def statements_approve(request: HttpRequest) -> HttpResponse:
    """Approves the statements whose ids are posted, all or none."""
    actor = actor_of(request)
    ids = [int(pk) for pk in request.POST.getlist("statement") if pk.isdecimal()]
    chosen = list(pay.visible_statements(actor).filter(pk__in=ids))
    pay.approve_statements(actor=actor, statements=chosen, now=timezone.now())
    messages.success(request, _("%(count)d approved.") % {"count": len(chosen)})
    month = chosen[0].starts_on if chosen else None
    return redirect(f"{reverse('oncall:statements')}?month={month:%Y-%m}" if month else "oncall:statements")


@require_safe
def statements_export(request: HttpRequest) -> HttpResponse:
    """The statements that the filters of the list leave, as CSV."""
    found = pay.visible_statements(actor_of(request)).order_by("-starts_on", "schedule__name", "user__name", "id")
    rows = StatementFilter(request.GET, queryset=found, request=request).qs
    month = request.GET.get("month", "")
    name = f"on-call-pay-{month}.csv" if _is_month(month) else "on-call-pay.csv"
    return csv_response(name, pay.HEADER, (pay.row_of(row) for row in rows.iterator(chunk_size=500)))


def _is_month(text: str) -> bool:
    try:
        return bool(datetime.strptime(text, "%Y-%m"))  # noqa: DTZ007 (a month has no zone)
    except ValueError:
        return False


@require_safe
def rate_table_list(request: HttpRequest) -> HttpResponse:
    """What hours are worth, and where."""
    found = RateTable.objects.prefetch_related("schedules").order_by("name")
    context: dict[str, Any] = {
        "list": list_page(request, found, RateTableFilter, sortable=("name",)),
        "may_configure": permissions.can_configure(actor_of(request)),
    }
    return render(request, "oncall/duty/rate_table_list.html", context)


def rate_table_form(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Makes a rate table or changes one."""
    actor = actor_of(request)
    require(permissions.can_configure(actor), pay.NOT_A_MANAGER)
    table = get_object_or_404(RateTable, pk=pk) if pk else None
    form = RateTableForm(request.POST or None, initial=RateTableForm.initial_of(table) if table else None)
    if request.method == "POST" and form.is_valid():
        save = partial(pay.save_rate_table, actor=actor, table=table, **form.cleaned_data)
        if try_action(form, save) is not None:
            messages.success(request, _("The rates are saved. Compute the months that they change anew."))
            return redirect("oncall:rate-tables")
    return render(request, "oncall/duty/rate_table_form.html", {"form": form, "table": table})


@require_POST
def rate_table_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a rate table away."""
    table = get_object_or_404(RateTable, pk=pk)
    pay.remove_rate_table(actor=actor_of(request), table=table)
    messages.success(request, _("%(name)s is gone.") % {"name": table.name})
    return redirect("oncall:rate-tables")
