"""What people fill in about themselves, each other, teams and API keys; and the fields that other apps' forms share."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, Scope, Team, User

LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("A year")), ("", _("No end"))]


def zone_choices() -> list[tuple[str, str]]:
    """The time zones people choose from, UTC first."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


def active_people() -> QuerySet[User]:
    """Those who can be chosen for anything."""
    return User.objects.filter(is_active=True)


def offer(form: forms.Form, name: str, people: QuerySet[User]) -> None:
    """Says who can be chosen in this field of the form."""
    cast(forms.ModelChoiceField[User], form.fields[name]).queryset = people


class ManySelects(forms.Widget):
    """Several menus of the same name, one below the other: the chosen in their order, then `spare` empty ones.

    Works without a script; with one, more can be added.
    """

    template_name = "accounts/widgets/many_selects.html"
    use_fieldset = True

    def __init__(self, attrs: dict[str, Any] | None = None, *, spare: int = 2) -> None:
        super().__init__(attrs)
        self.spare = spare
        self.choices: Iterable[Any] = ()

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        values = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
        return [value for value in values if value]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str | None, index: int | str | None = None) -> str:
        return ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = [str(getattr(each, "pk", each)) for each in value or []]
        menus = [*chosen, *[""] * max(self.spare, 1 if chosen else 2)]
        groups: list[tuple[str, list[tuple[str, str]]]] = []
        plain: list[tuple[str, str]] = []
        for key, label in self.choices:
            if isinstance(label, list | tuple):
                groups.append((str(key), [(str(inner), str(words)) for inner, words in label]))
            elif str(key):
                plain.append((str(key), str(label)))
        context["widget"].update(menus=menus, groups=[*([("", plain)] if plain else []), *groups])
        return context


class OrderedPeopleField(forms.ModelMultipleChoiceField[User]):
    """People in the order in which they were chosen; somebody may come more than once."""

    widget = ManySelects

    def clean(self, value: Any) -> list[User]:  # type: ignore[override]  # a list, because the order matters
        super().clean(value)
        people = User.objects.none() if self.queryset is None else self.queryset
        found = {str(user.pk): user for user in people.filter(pk__in=value or [])}
        return [found[str(pk)] for pk in value or []]


class SlugFromNameMixin(forms.Form):
    """A form whose address part is made of its name when it is left empty."""

    def clean(self) -> dict[str, Any] | None:
        given = super().clean() or self.cleaned_data
        if not given.get("slug") and "slug" in self.fields and "slug" not in self.errors:
            given["slug"] = slugify(given.get("name", ""))[:100]
            if not given["slug"] and given.get("name"):
                self.add_error("slug", _("Give it an address in Latin letters, digits and hyphens."))
        return given


class ProfileForm(forms.Form):
    """How a person is named, and their time zone and language."""

    name = forms.CharField(label=_("Name"), max_length=150)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zone_choices, help_text=_("Every time on screen is shown in it.")
    )
    locale = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)


class InviteForm(forms.Form):
    """A new person."""

    email = forms.EmailField(label=_("E-mail address"))
    name = forms.CharField(label=_("Name"), max_length=150)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.RESPONDER)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices, initial="UTC")


class PersonForm(forms.Form):
    """What a person may do."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    is_active = forms.BooleanField(
        label=_("Active"),
        required=False,
        help_text=_("Without it they can't sign in, are not paged, and their API keys stop working."),
    )


class TeamForm(SlugFromNameMixin):
    """A team and who is in it."""

    name = forms.CharField(label=_("Name"), max_length=100)
    slug = forms.SlugField(
        label=_("Address"), max_length=100, required=False, help_text=_("Made of the name when empty.")
    )
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    members = forms.ModelMultipleChoiceField(
        label=_("Members"), queryset=User.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, team: Team | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Q(is_active=True) | (Q(teams=team) if team else Q())
        offer(self, "members", User.objects.filter(people).distinct())


class ApiKeyForm(forms.Form):
    """A new API key."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What uses it, such as “deploy script”."))
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=Scope.choices,
        initial=[Scope.READ],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Your own role still applies to everything that it does."),
    )
    days = forms.ChoiceField(label=_("Ends after"), choices=LIFETIMES, required=False, initial="90")

    def lifetime(self) -> timedelta | None:
        """How long the key lives, None for ever."""
        days = self.cleaned_data["days"]
        return timedelta(days=int(days)) if days else None
