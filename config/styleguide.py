"""The style guide: every component in every state, from samples and without the database. Staff only."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib.admin.views.decorators import staff_member_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

LONG_TITLE = (
    "Payment API returns 500 errors for every customer in Thailand and Viet Nam since the campaign started; " * 2
)
THAI = "ระบบชำระเงินขัดข้อง: ลูกค้าไม่สามารถชำระเงินได้ตั้งแต่เวลา 14:30 น."
CURL = """curl -sS -X POST http://localhost:8000/in/example-token/ \\
  -H 'Content-Type: application/json' \\
  -d '{"title": "PaymentErrorRate", "severity": "critical", "service": "payments"}'"""


@dataclass(frozen=True)
class SampleSeverity:
    """Stands for a severity."""

    name: str
    rank: int
    description: str = ""


@dataclass(frozen=True)
class SampleStatus:
    """Stands for an incident's status."""

    name: str
    slug: str
    category: str


@dataclass(frozen=True)
class SamplePerson:
    """Stands for a user."""

    pk: int
    display_name: str
    initials: str


@dataclass(frozen=True)
class SampleEntry:
    """Stands for a timeline entry."""

    sequence: int
    kind: str
    actor_name: str
    text: str
    via: str
    occurred_at: datetime
    is_key: bool = False
    data: dict[str, Any] = field(default_factory=dict)
    pinned_at: datetime | None = None

    def get_kind_display(self) -> str:
        return self.kind.replace("_", " ").capitalize()

    @property
    def is_markdown(self) -> bool:
        return self.kind in {"note", "update", "message", "decision", "finding"}


@dataclass(frozen=True)
class SampleIncident:
    """Stands for a row of a list."""

    reference: str
    name: str
    severity: SampleSeverity
    status: SampleStatus
    lead: SamplePerson | None
    services: str
    declared_at: datetime


SEVERITIES = [
    SampleSeverity("SEV1 Critical", 4, "Complete outage or data loss, all users"),
    SampleSeverity("SEV2 Major", 3, "A main feature is broken, many users"),
    SampleSeverity("SEV3 Minor", 2, "Degraded, some users, a workaround exists"),
    SampleSeverity("SEV4 Low", 1, "Cosmetic, an edge case"),
]
STATUSES = [
    SampleStatus("Triage", "triage", "triage"),
    SampleStatus("Investigating", "investigating", "active"),
    SampleStatus("Fixing", "fixing", "active"),
    SampleStatus("Monitoring", "monitoring", "active"),
    SampleStatus("Resolved", "resolved", "post_incident"),
    SampleStatus("Closed", "closed", "closed"),
    SampleStatus("Declined", "declined", "declined"),
]
PEOPLE = [
    SamplePerson(1, "Ana Souza", "AS"),
    SamplePerson(2, "Bob Novak", "BN"),
    SamplePerson(3, "Dan Okafor", "DO"),
    SamplePerson(4, "Mali Srisuk", "MS"),
    SamplePerson(5, "Priya Raman", "PR"),
    SamplePerson(6, "Jens Lind", "JL"),
]
STATES = [
    *("firing", "resolved", "triggered", "acknowledged", "exhausted", "pending", "sent", "failed", "dead"),
    *("operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"),
    *("draft", "in_review", "published", "planned", "in_progress", "done", "overdue", "private", "test"),
]


class SampleForm(forms.Form):
    """One field of every kind."""

    name = forms.CharField(label="What is happening?", help_text="One line, as you would say it on a call.")
    service = forms.ChoiceField(choices=[("", "Choose a service"), ("payments", "payments"), ("checkout", "checkout")])
    summary = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3, "data-draft": "styleguide"}))
    due = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    visibility = forms.ChoiceField(
        choices=[("public", "Everybody here"), ("private", "Members only")], widget=forms.RadioSelect, initial="public"
    )
    attachment = forms.FileField(required=False)
    notify = forms.BooleanField(label="Page whoever is on call", required=False, initial=True)


class SampleFilters(forms.Form):
    """The filters of a list."""

    q = forms.CharField(required=False)
    status = forms.MultipleChoiceField(
        required=False, choices=[(status.slug, status.name) for status in STATUSES], label="Status"
    )
    severity = forms.MultipleChoiceField(
        required=False, choices=[(str(severity.rank), severity.name) for severity in SEVERITIES], label="Severity"
    )
    team = forms.ChoiceField(required=False, choices=[("", "Any"), ("core", "Core"), ("web", "Web")], label="Team")
    mine = forms.BooleanField(required=False, label="Mine")


def sample_entries(now: datetime) -> list[SampleEntry]:
    """A timeline with an entry of every kind, newest first."""
    kinds = [
        ("severity", "Ana Souza", "raised severity SEV2 → SEV1", "web", True),
        ("update", "Bob Novak", "Connection pool exhausted after the campaign. Raising it to **200**.", "slack", False),
        ("status_page", "Workflow", "opened public incident on Example Status", "workflow", False),
        ("page", "Sitrep", "paged Ana Souza by e-mail (level 1)", "system", False),
        ("role", "Ana Souza", "took the role of Incident Commander", "phone", False),
        ("note", "Mali Srisuk", THAI, "web", False),
        ("alert", "Alertmanager", "PaymentErrorRate is firing (count 14)", "api", False),
        ("status", "Ana Souza", "changed status Triage → Investigating", "web", False),
        ("declared", "Alertmanager", "declared the incident from an alert", "api", True),
    ]
    return [
        SampleEntry(len(kinds) - index, kind, actor, text, via, now - timedelta(minutes=7 * index), is_key=key)
        for index, (kind, actor, text, via, key) in enumerate(kinds)
    ]


def sample_calendar(today: date) -> dict[str, Any]:
    """Two weeks of a schedule: shifts, an override and a gap, in percent of the width."""
    start = today - timedelta(days=today.weekday())
    days = [
        {
            "date": start + timedelta(days=index),
            "is_today": start + timedelta(days=index) == today,
            "is_weekend": index % 7 > 4,
            "note": "+1 h" if index == 6 else "",
        }
        for index in range(14)
    ]

    def bar(kind: str, first: float, length: float, person: SamplePerson | None, label: str = "") -> dict[str, Any]:
        name = person.display_name if person else label
        return {
            "kind": kind,
            "start": round(100 * first / 14, 3),
            "width": round(100 * length / 14, 3),
            "label": label or name,
            "title": f"{name}, {length:g} days",
            "person_id": person.pk if person else "",
            "url": "#calendar",
        }

    weekly = [bar("shift", 0, 4.4, PEOPLE[0]), bar("shift", 4.4, 7, PEOPLE[1]), bar("shift", 11.4, 2.6, PEOPLE[2])]
    nights = [bar("shift", 0, 2, PEOPLE[3]), bar("gap", 2, 1.5, None, "36 h"), bar("shift", 3.5, 10.5, PEOPLE[4])]
    final = [
        *(bar("shift", 0, 4.4, PEOPLE[0]), bar("shift", 4.4, 2, PEOPLE[1]), bar("override", 6.4, 1.6, PEOPLE[5])),
        *(bar("shift", 8, 3.4, PEOPLE[1]), bar("shift", 11.4, 2.6, PEOPLE[2])),
    ]
    return {
        "days": days,
        "rows": [
            {"name": "Weekly", "hint": "layer 1", "is_final": False, "bars": weekly},
            {"name": "Nights", "hint": "layer 2", "is_final": False, "bars": nights},
            {"name": "On call", "hint": "final", "is_final": True, "bars": final},
        ],
        "now_percent": round(100 * (today.weekday() + 0.6) / 14, 3),
    }


def sample_incidents(now: datetime) -> list[SampleIncident]:
    """Rows of a list, one with a title that is far too long."""
    names = [
        (LONG_TITLE[:200], 0, 1, 0, "payments, checkout +2", 42),
        ("Checkout is slow for guests", 1, 2, 1, "checkout", 95),
        (THAI, 1, 3, 3, "payments", 200),
        ("Search index lags behind by 20 minutes", 2, 0, None, "search", 260),
        ("Invoice PDFs miss their logo", 3, 4, 4, "invoices", 3000),
    ]
    return [
        SampleIncident(
            f"INC-{142 - index}",
            name,
            SEVERITIES[severity],
            STATUSES[status],
            None if lead is None else PEOPLE[lead],
            services,
            now - timedelta(minutes=minutes),
        )
        for index, (name, severity, status, lead, services, minutes) in enumerate(names)
    ]


@staff_member_required
def styleguide(request: HttpRequest) -> HttpResponse:
    """The page that shows them all."""
    now = timezone.now()
    context = {
        "severities": SEVERITIES,
        "statuses": STATUSES,
        "states": STATES,
        "people": PEOPLE,
        "hues": range(1, 13),
        "entries": sample_entries(now),
        "incidents": sample_incidents(now),
        "calendar": sample_calendar(now.date()),
        "empty_form": SampleForm(),
        "failed_form": SampleForm({"name": "", "service": "search", "visibility": "public"}),
        "filters": SampleFilters(request.GET),
        "page": Paginator(range(240), 25).page(3),
        "curl": CURL,
        "long_title": LONG_TITLE[:200],
        "soon": now + timedelta(minutes=8, seconds=12),
        "late": now - timedelta(minutes=3),
        "since": now - timedelta(minutes=42, seconds=10),
        "yesterday": now - timedelta(days=1, hours=3),
        "banner_samples": [
            {
                "kind": "down",
                "text": "You are being paged: PaymentErrorRate on payments. Open it.",
                "url": "#banners",
                "icon": "phone-calling",
            },
            {
                "kind": "warn",
                "text": "The paging engine is 40 s late. Pages may come late.",
                "url": "#banners",
                "icon": "alert-triangle",
            },
        ],
    }
    return render(request, "config/styleguide.html", context)
