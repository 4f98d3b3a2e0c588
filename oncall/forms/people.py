"""What people fill in to say how they want to be reached: contact methods, rules, quiet hours."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from oncall.contact_methods import LONGEST_DELAY_MINUTES, MOST_STEPS, RuleDraft
from oncall.forms.fields import TimeInput
from oncall.models import ContactMethod, OnCallProfile

# A browser is added by its own button, which asks it for a subscription.
ADDED_BY_FORM = [(value, label) for value, label in ContactMethod.Kind.choices if value != ContactMethod.Kind.PUSH]


class ContactMethodForm(forms.Form):
    """A new way to be reached."""

    kind = forms.ChoiceField(label=_("Kind"), choices=ADDED_BY_FORM)
    address = forms.CharField(
        label=_("Address"),
        max_length=500,
        required=False,
        help_text=_(
            "An e-mail address, a phone number (+49 30 123456), the address of a webhook, or of a service: "
            "ntfys://ntfy.sh/my-topic, tgram://bot-token/chat, … Nothing for the browser."
        ),
    )
    label = forms.CharField(
        label=_("Name"), max_length=60, required=False, help_text=_("Such as “Work phone”. It may stay empty.")
    )


class CodeForm(forms.Form):
    """The code that was sent through a contact method."""

    code = forms.CharField(
        label=_("Code"),
        max_length=10,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


class RuleForm(forms.Form):
    """One step: through what, how many minutes after the page was decided."""

    contact_method = forms.TypedChoiceField(label=_("Page me by"), coerce=int)
    delay_minutes = forms.IntegerField(
        label=_("after minutes"), min_value=0, max_value=LONGEST_DELAY_MINUTES, initial=0
    )

    def __init__(self, *args: Any, methods: Sequence[ContactMethod], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The browser always shows what pages the person: there is nothing to wait for.
        rings = [method for method in methods if method.kind != ContactMethod.Kind.WEB]
        cast(forms.TypedChoiceField, self.fields["contact_method"]).choices = [(each.pk, str(each)) for each in rings]


class BaseRuleFormSet(forms.BaseFormSet[RuleForm]):
    """The steps of one urgency."""

    def drafts(self) -> list[RuleDraft]:
        """The steps that are kept."""
        methods = {method.pk: method for method in self.form_kwargs["methods"]}
        kept = [form.cleaned_data for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        return [RuleDraft(methods[given["contact_method"]], given["delay_minutes"]) for given in kept]


RuleFormSet = cast(
    type[BaseRuleFormSet],
    forms.formset_factory(RuleForm, formset=BaseRuleFormSet, extra=0, can_delete=True, max_num=MOST_STEPS),
)


class QuietHoursForm(forms.Form):
    """When low urgency stays quiet."""

    quiet_from = forms.TimeField(label=_("Quiet from"), widget=TimeInput, required=False)
    quiet_until = forms.TimeField(
        label=_("until"),
        widget=TimeInput,
        required=False,
        help_text=_("In your own time zone, also past midnight. High urgency always gets through."),
    )
    digest_at = forms.TimeField(
        label=_("Once a day at"),
        widget=TimeInput,
        help_text=_("Low urgency of policies that send it once a day, in one message."),
    )
    country = forms.CharField(
        label=_("Country"), max_length=10, required=False, help_text=_("For public holidays: DE, TH, US-CA.")
    )

    @staticmethod
    def initial_of(user: User) -> dict[str, Any]:
        """A person's quiet hours as the form's first values."""
        profile = OnCallProfile.objects.filter(user=user).first() or OnCallProfile(user=user)
        return {name: getattr(profile, name) for name in ("quiet_from", "quiet_until", "digest_at", "country")}
