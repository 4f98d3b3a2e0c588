"""The forms of routes: the fields, and rows of conditions, severities and notices beside them."""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar, cast

from django import forms
from django.db.models import Model, Q
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms import active_people, offer
from accounts.models import Team, User
from alerts.models import AlertRoute, RouteNotice
from alerts.routes import (
    LONGEST_GROUP_MINUTES,
    LONGEST_WAIT_SECONDS,
    MOST_NOTICES,
    Notice,
    check_notice,
    draft_route,
)
from events.condition_forms import ConditionFormSet, condition_rows, parsed_condition
from events.errors import Conflict, Invalid
from incidents.models import IncidentType, Severity
from oncall.forms.fields import OverrideReasonMixin
from oncall.models import EscalationPolicy

T = TypeVar("T")
Paging = AlertRoute.Paging
Kind = RouteNotice.Kind
MOST_SEVERITIES = 30
# A field that several places of one form need: only what tells them apart is said at each.
UNTYPED = {"autocomplete": "off", "spellcheck": "false"}


class InUseField(forms.ModelChoiceField[Any]):
    """One of the rows that are in use; what a route has chosen already stays on offer, shown as archived."""

    def keep(self, chosen: Q) -> None:
        """Offers those too that are chosen, whether they are in use or not."""
        self.queryset = self.queryset.model._default_manager.filter(Q(is_active=True) | chosen)  # type: ignore[union-attr]  # it has one from the start

    def label_from_instance(self, obj: Model) -> str:
        return str(obj) if obj.is_active else _("%(name)s (archived)") % {"name": obj}  # type: ignore[attr-defined]  # only such rows are offered


class RouteForm(OverrideReasonMixin):
    """What becomes of alerts that match. Conditions too deep for the rows are edited as JSON.

    What a choice makes needless is hidden on the page, and counts as not said.
    """

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    is_enabled = forms.BooleanField(label=gettext_lazy("Switched on"), required=False, initial=True)
    combine = forms.ChoiceField(
        label=gettext_lazy("Matches when"),
        choices=[("all", gettext_lazy("all of these hold")), ("any", gettext_lazy("any of these holds"))],
        required=False,
    )
    conditions_json = forms.CharField(
        label=gettext_lazy("Conditions as JSON"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono"}),
    )
    paging = forms.ChoiceField(
        label=gettext_lazy("Who is paged?"), choices=AlertRoute.Paging.choices, initial=Paging.SERVICE
    )
    escalation_policy = forms.ModelChoiceField(
        EscalationPolicy.objects.order_by("name"),
        label=gettext_lazy("Escalation policy"),
        required=False,
        empty_label=gettext_lazy("– none –"),
        help_text=gettext_lazy("For the policy of a service or team: what is paged where there is none."),
    )
    urgency = forms.ChoiceField(
        label=gettext_lazy("How loudly?"),
        choices=[
            ("", gettext_lazy("As the service says")),
            ("high", gettext_lazy("High urgency")),
            ("low", gettext_lazy("Low urgency")),
        ],
        required=False,
    )
    suppress_reason = forms.CharField(
        label=gettext_lazy("Why is it suppressed?"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Stands on each alert that this route suppresses."),
    )
    continues = forms.BooleanField(
        label=gettext_lazy("Let the next routes decide too"),
        required=False,
        help_text=gettext_lazy("This one only notifies and declares; whom to page is left to those below."),
    )
    wait_seconds = forms.IntegerField(
        label=gettext_lazy("Wait so many seconds"),
        min_value=0,
        max_value=LONGEST_WAIT_SECONDS,
        initial=0,
        required=False,
        help_text=gettext_lazy("What ends by itself within that time pages nobody. 0: act at once."),
    )
    group_by = forms.CharField(
        label=gettext_lazy("Alerts are one matter when these are the same"),
        required=False,
        widget=forms.TextInput(attrs={"list": "condition-facts", **UNTYPED}),
        help_text=gettext_lazy("Such as service, labels.cluster; parted by commas. Empty: each alert by itself."),
    )
    group_minutes = forms.IntegerField(
        label=gettext_lazy("Others may join for (minutes)"),
        min_value=1,
        max_value=LONGEST_GROUP_MINUTES,
        required=False,
        help_text=gettext_lazy("Empty: as long as its escalation or incident is open."),
    )
    group_window = forms.ChoiceField(
        label=gettext_lazy("The minutes are"), choices=AlertRoute.Window.choices, initial=AlertRoute.Window.ROLLING
    )
    joining = forms.ChoiceField(
        label=gettext_lazy("One that joins pages again"),
        choices=AlertRoute.Joining.choices,
        initial=AlertRoute.Joining.RISES,
    )
    attaches_to_open = forms.BooleanField(
        label=gettext_lazy("Attach it to the open incident of its service, if there is one"), required=False
    )
    declares_incident = forms.BooleanField(label=gettext_lazy("Declare an incident"), required=False)
    severity = InUseField(
        Severity.objects.filter(is_active=True),
        label=gettext_lazy("Severity of the incident"),
        required=False,
        empty_label=gettext_lazy("– choose –"),
    )
    incident_type = InUseField(
        IncidentType.objects.filter(is_active=True),
        label=gettext_lazy("Type of the incident"),
        required=False,
        empty_label=gettext_lazy("– as usual –"),
    )
    in_triage = forms.BooleanField(
        label=gettext_lazy("In triage: somebody accepts or declines it first"), required=False
    )
    name_template = forms.CharField(
        label=gettext_lazy("Name of the incident"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"class": "mono", "placeholder": "{{ title }}", **UNTYPED}),
        help_text=gettext_lazy("With facts as blanks: {{ service_name }}: {{ title }}. Empty: the alert's title."),
    )
    summary_template = forms.CharField(
        label=gettext_lazy("Summary of the incident"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "placeholder": "{{ description }}"}),
        help_text=gettext_lazy("Empty: the alert's description."),
    )

    def __init__(self, *args: Any, route: AlertRoute | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if route is not None:
            cast(InUseField, self.fields["severity"]).keep(Q(pk=route.severity_id))
            cast(InUseField, self.fields["incident_type"]).keep(Q(pk=route.incident_type_id))

    def clean_conditions_json(self) -> dict[str, Any] | None:
        return parsed_condition(self.cleaned_data["conditions_json"])

    def clean_wait_seconds(self) -> int:
        return self.cleaned_data["wait_seconds"] or 0

    def clean_group_by(self) -> list[str]:
        said = [part.strip() for part in self.cleaned_data["group_by"].split(",")]
        return list(dict.fromkeys(part for part in said if part))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        data["continues"] = data.get("continues", False) and data.get("paging") == Paging.NOBODY
        if data.get("paging") == Paging.SUPPRESS:
            data["declares_incident"] = data["attaches_to_open"] = False
        return data


class SeverityForm(forms.Form):
    """What an alert calls its severity, and which severity its incident gets for that."""

    said = forms.CharField(
        label=gettext_lazy("The alert says"), max_length=60, required=False, widget=forms.TextInput(attrs=UNTYPED)
    )
    severity = InUseField(
        Severity.objects.filter(is_active=True),
        label=gettext_lazy("The incident gets"),
        required=False,
        to_field_name="slug",
        empty_label=gettext_lazy("– as above –"),
    )

    def __init__(self, *args: Any, chosen: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if chosen:
            cast(InUseField, self.fields["severity"]).keep(Q(slug__in=chosen))


class NoticeForm(forms.Form):
    """Somebody or something that is told. An address is never shown again; left empty it stays as it was."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Tell"), choices=[("", gettext_lazy("– nobody –")), *Kind.choices], required=False
    )
    user = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Person"), required=False, empty_label=gettext_lazy("– choose –")
    )
    team = forms.ModelChoiceField(
        Team.objects.all(), label=gettext_lazy("Team"), required=False, empty_label=gettext_lazy("– choose –")
    )
    name = forms.CharField(label=gettext_lazy("What it is called"), max_length=100, required=False)
    address = forms.CharField(
        label=gettext_lazy("Address"), max_length=1000, required=False, widget=forms.TextInput(attrs=UNTYPED)
    )

    def __init__(self, *args: Any, known: Mapping[tuple[str, str], str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known = known or {}
        offer(self, "user", active_people())
        if (self["kind"].value(), self["name"].value()) in self._known:
            self.fields["address"].widget.attrs["placeholder"] = _("kept as it is")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        notice = self.notice()
        if notice is None or self.errors:
            return data
        stored = self._known.get((notice.kind, notice.name), "")
        try:
            check_notice(RouteNotice(**{**vars(notice), "address": notice.address or stored}))
        except Invalid as error:
            places = {Kind.USER: "user", Kind.TEAM: "team"}
            self.add_error(places.get(Kind(notice.kind), "address" if notice.name else "name"), str(error))
        return data

    def notice(self) -> Notice | None:
        """What the row says; None for an empty one."""
        data = self.cleaned_data
        kind = data.get("kind", "")
        if kind == Kind.USER:
            return Notice(kind, user=data.get("user"))
        if kind == Kind.TEAM:
            return Notice(kind, team=data.get("team"))
        if not kind:
            return None
        return Notice(kind, name=data.get("name", "").strip(), address=data.get("address", "").strip())


SeverityFormSet = forms.formset_factory(SeverityForm, extra=1, max_num=MOST_SEVERITIES)
NoticeFormSet = forms.formset_factory(NoticeForm, extra=1, max_num=MOST_NOTICES)


class RouteForms:
    """Everything that somebody fills in about a route, new or stored."""

    def __init__(self, data: QueryDict | None, route: AlertRoute | None) -> None:
        # (rows that were sent speak for themselves: one like the stored one is none that nobody has touched)
        begins = route if data is None else None
        initial, rows = _initial(begins)
        notices = list(route.notices.all()) if route else []
        known = {(row.kind, row.name): row.address for row in notices if row.address}
        told = [{"kind": row.kind, "user": row.user_id, "team": row.team_id, "name": row.name} for row in notices]
        said = begins.severity_map.items() if begins else ()
        self.route = route
        self.form = RouteForm(data, initial=initial, route=route)
        self.conditions = ConditionFormSet(data, initial=rows, prefix="conditions")
        self.severities = SeverityFormSet(
            data,
            initial=[{"said": named, "severity": slug} for named, slug in said],
            prefix="severities",
            form_kwargs={"chosen": sorted(set(route.severity_map.values())) if route else []},
        )
        self.notices = NoticeFormSet(
            data, initial=told if begins else None, prefix="notices", form_kwargs={"known": known}
        )

    def is_valid(self) -> bool:
        """Whether every field and row makes sense by itself."""
        return all(each.is_valid() for each in (self.form, self.conditions, self.severities, self.notices))

    def fields(self) -> dict[str, Any]:
        """What they say, but for whom the route notifies, as `draft_route` takes it."""
        left_out = {"combine", "conditions_json", "override_reason"}
        given = {name: value for name, value in self.form.cleaned_data.items() if name not in left_out}
        rows = [row.cleaned_data for row in self.severities.forms if row.cleaned_data.get("said")]
        mapped = {row["said"].strip(): row["severity"].slug for row in rows if row["severity"]}
        return {**given, "conditions": self._conditions(), "severity_map": mapped}

    def told(self) -> list[Notice]:
        """Whom the route notifies."""
        rows = [row.notice() for row in self.notices.forms]
        return [notice for notice in rows if notice is not None]

    def _conditions(self) -> dict[str, Any]:
        data = self.form.cleaned_data
        if data["conditions_json"] is not None:
            return dict(data["conditions_json"])
        comparisons = [condition for row in self.conditions if (condition := row.condition())]
        return {data["combine"] or "all": comparisons} if comparisons else {}

    def draft(self) -> AlertRoute | None:
        """The route as it would be, not stored; None if it makes no sense: `problems` then says why.

        Whom it notifies plays no part in what it decides.
        """
        if not all(each.is_valid() for each in (self.form, self.conditions, self.severities)):
            return None
        return self.attempt(partial(draft_route, route=self.route, **self.fields()))

    def attempt(self, action: Callable[[], T]) -> T | None:
        """What the action returns; None when it says Invalid or Conflict, which then stands where it belongs."""
        try:
            return action()
        except (Invalid, Conflict) as error:
            rows: dict[str, forms.BaseFormSet[Any]] = {
                "conditions": self.conditions,
                "severity_map": self.severities,
                "notices": self.notices,
            }
            if error.field in rows:
                rows[error.field].non_form_errors().append(str(error))
            else:
                self.form.add_error(error.field if error.field in self.form.fields else None, str(error))
            return None

    def problems(self) -> list[str]:
        """What is wrong with a draft, each with the field that it stands at."""
        form = self.form
        named = [
            f"{form.fields[name].label}: {text}" if name in form.fields else str(text)
            for name, texts in form.errors.items()
            for text in texts
        ]
        sets: tuple[forms.BaseFormSet[Any], ...] = (self.conditions, self.severities)
        rows = [text for each in sets for row in each.forms for texts in row.errors.values() for text in texts]
        return [*named, *map(str, rows), *(str(text) for each in sets for text in each.non_form_errors())]


def _initial(route: AlertRoute | None) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The first values of the form, and of its rows of conditions."""
    if route is None:
        return {}, []
    initial = {name: getattr(route, name) for name in RouteForm.base_fields if hasattr(route, name)}
    initial["group_by"] = ", ".join(route.group_by)
    shown = condition_rows(route.conditions)
    if shown is None:
        return {**initial, "conditions_json": json.dumps(route.conditions, indent=2)}, []
    return {**initial, "combine": shown[0]}, shown[1]
