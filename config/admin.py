"""What the Django admin is called here, and what of Django's own has no place in it."""

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

admin.site.site_header = admin.site.site_title = _("Sitrep administration")
admin.site.index_title = _("Everything that is stored")

# Roles take the place of groups; addresses are changed by the people whose they are.
for model in (Group, EmailAddress):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
