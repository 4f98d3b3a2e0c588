"""What people fill in to make a status page and to publish on it."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.models import Service
from statuspage.models import Component, ComponentStatus, PublicIncident, StatusPage

COMPONENT_PREFIX = "component-"
NOT_AFFECTED = ("", _("Not affected"))
UNCHANGED = ("", _("Unchanged"))


def zone_choices() -> list[tuple[str, str]]:
    """The time zones people choose from, UTC first."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class PageForm(forms.Form):
    """A status page's settings."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("As the public knows you, such as Example."))
    slug = forms.SlugField(
        label=_("Address"),
        max_length=60,
        help_text=_("Stands behind /status/ in the address of the page. Changing it breaks links."),
    )
    description = forms.CharField(
        label=_("Description"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Shown above the components. Markdown."),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices, initial="UTC")
    support_url = forms.URLField(label=_("Support"), required=False, max_length=500, assume_scheme="https")


class ComponentForm(forms.Form):
    """A component and the services behind it."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("In the public's words, such as Checkout."))
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    position = forms.IntegerField(
        label=_("Position"), required=False, min_value=1, max_value=1000, help_text=_("1 is first. Empty is last.")
    )
    services = forms.ModelMultipleChoiceField(
        label=_("Services behind it"),
        queryset=Service.objects.order_by("name"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("An incident on one of these suggests this component when you publish."),
    )


class MessageForm(forms.Form):
    """What every public message has: a status, a text, and the new status of each component that changes."""

    status = forms.ChoiceField(label=_("Status"), choices=PublicIncident.Status.choices)
    body = forms.CharField(
        label=_("Message"),
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Everybody can read this. Markdown."),
    )
    empty_choice = UNCHANGED

    def __init__(self, *args: Any, page: StatusPage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body"].widget.attrs["data-draft"] = f"public-{page.slug}"
        self.components: list[Component] = list(page.components.all())
        for component in self.components:
            self.fields[f"{COMPONENT_PREFIX}{component.pk}"] = forms.ChoiceField(
                label=component.name, choices=[self.empty_choice, *ComponentStatus.choices], required=False
            )

    @property
    def component_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(COMPONENT_PREFIX)]

    @property
    def message_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if not name.startswith(COMPONENT_PREFIX)]

    def changes(self) -> dict[Component, str]:
        """The components that were given a status, and which."""
        chosen = {each: self.cleaned_data.get(f"{COMPONENT_PREFIX}{each.pk}") for each in self.components}
        return {component: status for component, status in chosen.items() if status}


class PublishForm(MessageForm):
    """A new public incident. `private` asks for the confirmation that a private source needs."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("What the public notices."))
    impact = forms.ChoiceField(
        label=_("Impact"),
        choices=[("", _("Follows from the components")), *PublicIncident.Impact.choices],
        required=False,
    )
    confirm_private = forms.BooleanField(
        label=_("Everybody may read this"),
        required=False,
        help_text=_("The incident behind it is private. Nothing of it but what you write here becomes public."),
    )
    empty_choice = NOT_AFFECTED
    field_order = ["name", "status", "impact", "body", "confirm_private"]

    def __init__(self, *args: Any, private: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not private:
            del self.fields["confirm_private"]


def initial_changes(statuses: Mapping[Component, str]) -> dict[str, str]:
    """The form's initial values for these components."""
    return {f"{COMPONENT_PREFIX}{component.pk}": status for component, status in statuses.items()}
