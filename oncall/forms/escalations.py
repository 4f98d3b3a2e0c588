"""What people fill in to page somebody by hand."""

from django import forms
from django.utils.translation import gettext_lazy as _

from oncall.models import EscalationPolicy


class EscalationForm(forms.Form):
    """Paging people by hand."""

    policy = forms.ModelChoiceField(label=_("Escalation policy"), queryset=EscalationPolicy.objects.all())
    title = forms.CharField(label=_("What is wrong"), max_length=300)
    detail = forms.CharField(label=_("Detail"), required=False, widget=forms.Textarea(attrs={"rows": 4}))
