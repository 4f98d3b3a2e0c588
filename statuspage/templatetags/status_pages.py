"""The status pages that there are, for the pages of other apps that lead to them."""

from django import template
from django.db.models import QuerySet

from statuspage.models import StatusPage

register = template.Library()


@register.simple_tag(name="status_pages")
def status_pages() -> QuerySet[StatusPage]:
    """`{% status_pages as pages %}`"""
    return StatusPage.objects.all()
