"""Reports: pages by person and hour, nights, time to acknowledge, how often the next level was needed."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from oncall.forms.duty import ReportForm
from oncall.reports import PersonReport, Report, report
from oncall.roster import zone_of
from oncall.spreadsheets import csv_response
from oncall.views.signed_in import user_of

SHADES = 5
PEOPLE_HEADER = ("person", "email", "pages", "at night", "nights", *(f"{hour:02}:00" for hour in range(24)))
POLICIES_HEADER = (
    *("policy", "escalations", "acknowledged", "median seconds to acknowledge", "p90 seconds to acknowledge"),
    *("past the first level", "escalation rate"),
)


@dataclass(frozen=True)
class Cell:
    """An hour of somebody's day: how many pages, and how deep its colour is, 0 (none) to 5."""

    hour: int
    pages: int
    shade: int
    is_night: bool


@dataclass(frozen=True)
class Choice:
    """A menu of the report: what can be chosen, and what is."""

    name: str
    id: str
    label: str
    options: list[Any]
    chosen: list[str]


def choices_of(form: ReportForm, request: HttpRequest) -> list[Choice]:
    """The menus beside the two dates."""
    names = ("schedule", "policy", "team")
    fields: dict[str, Any] = {name: form.fields[name] for name in names}
    return [
        Choice(name, f"id_{name}", str(field.label), list(field.queryset.order_by("name")), request.GET.getlist(name))
        for name, field in fields.items()
    ]


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """The last thirty days, or what the filters say; `?csv=people` and `?csv=policies` are the same as files."""
    zone = zone_of(user_of(request).time_zone)
    form = ReportForm(given_of(request.GET), today=timezone.now().astimezone(zone).date())
    if not form.is_valid():
        days = {name: day_of(request.GET.get(name, "")) for name in ("first", "last")}
        refused = {"form": form, "choices": choices_of(form, request), **days}
        return render(request, "oncall/duty/reports.html", refused, status=400)
    made = report(form.question(zone))
    first, last = form.cleaned_data["first"], form.cleaned_data["last"]
    if request.GET.get("csv") == "people":
        return csv_response(f"pages-{first}-{last}.csv", PEOPLE_HEADER, (_person_row(each) for each in made.people))
    if request.GET.get("csv") == "policies":
        return csv_response(f"answers-{first}-{last}.csv", POLICIES_HEADER, _policy_rows(made))
    params = request.GET.copy()
    params.pop("csv", None)
    context = {
        "form": form,
        "report": made,
        "first": first,
        "last": last,
        "rows": [(each, cells_of(each, made.busiest)) for each in made.people],
        "day": range(24),
        "query": params.urlencode(),
        "choices": choices_of(form, request),
        "escalated_hint": _("%(part)d of %(all)d") % {"part": made.total.escalated, "all": made.total.escalations},
    }
    return render(request, "oncall/duty/reports.html", context)


def day_of(text: str) -> date | None:
    """A day as an address has it, to be shown again beside what is wrong with it."""
    try:
        return parse_date(text)
    except ValueError:
        return None


def given_of(params: QueryDict) -> QueryDict:
    """What was chosen; a menu that is left at "all" sends an empty text, which is no choice."""
    given = params.copy()
    for name in ("schedule", "policy", "team"):
        given.setlist(name, [slug for slug in params.getlist(name) if slug])
    return given


def cells_of(person: PersonReport, busiest: int) -> list[Cell]:
    """A person's day as cells; one page is never as pale as none."""
    return [
        Cell(hour, pages, -(-pages * SHADES // busiest) if pages else 0, hour >= 22 or hour < 6)
        for hour, pages in enumerate(person.hours)
    ]


def _person_row(each: PersonReport) -> list[object]:
    return [each.person.display_name, each.person.email, each.pages, each.at_night, each.nights, *each.hours]


def _policy_rows(made: Report) -> list[list[object]]:
    named = [(str(each.policy or "(gone)"), each) for each in made.policies] + [("all", made.total)]
    return [
        [
            *(name, each.escalations, each.acknowledged, each.median, each.p90),
            *(each.escalated, round(each.escalation_rate, 4)),
        ]
        for name, each in named
    ]
