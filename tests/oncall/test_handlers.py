"""Whoever is new can be paged at once."""

import pytest

from accounts.actions import invite_user
from events.models import Event
from oncall.handlers import give_first_contact_method
from oncall.models import ContactMethod
from tests.factories import oncall

pytestmark = pytest.mark.django_db


def test_a_new_person_is_reached_by_mail_unless_they_have_said_how() -> None:
    ana = invite_user(actor=oncall.SYSTEM, email="ana@example.com", name="Ana")
    event = Event.objects.get(name="user.invited")
    assert event.deliveries.get().handler == "oncall.first_contact_method"
    give_first_contact_method(event)
    give_first_contact_method(event)
    assert [method.address for method in ana.contact_methods.all()] == ["ana@example.com"]
    assert ana.contact_methods.get().is_usable
    ContactMethod.objects.update(kind="web", address="")
    give_first_contact_method(event)
    assert ana.contact_methods.get().kind == "web"
