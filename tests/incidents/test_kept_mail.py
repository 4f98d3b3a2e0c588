"""Kept mail about a private incident is shown to its members alone."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from incidents import membership
from oncall.mailbox import KeptMailBackend, kept_mails
from tests.factories import accounts, incidents

pytestmark = pytest.mark.django_db


def test_mail_that_names_a_private_incident_is_for_its_members(settings: Any, tmp_path: Path, now: datetime) -> None:
    settings.VAR_DIR, settings.MAIL_IS_KEPT = tmp_path, True
    bob, admin = accounts.actor(), accounts.user(role=Role.ADMINISTRATOR)
    public = incidents.incident(bob, now=now)
    private = incidents.incident(bob, visibility="private", now=now)
    said = {
        f"To do now in {private.reference}": "Look at it",
        "Somebody mentioned you": f"http://localhost:8000{private.get_absolute_url()}brief/",
        f"To do now in {public.reference}": "Look at it",
        f"INC-{private.number}0 is another one": "/incidents/",
    }
    for subject, text in said.items():
        KeptMailBackend().send_messages([EmailMessage(subject, text, to=["bob@example.com"])])
    client = Client()
    client.force_login(admin)

    def shown() -> list[str]:
        page = client.get(reverse("oncall:mails"))
        return sorted(mail.subject for mail in page.context["mails"])

    assert shown() == sorted([f"To do now in {public.reference}", f"INC-{private.number}0 is another one"])
    hidden = next(mail for mail in kept_mails() if mail.subject == "Somebody mentioned you")
    address = reverse("oncall:mail", args=[hidden.name])
    assert client.get(address).status_code == 404
    membership.add_member(actor=bob, incident=private, user=admin, now=now)
    assert shown() == sorted(said)
    assert client.get(address).status_code == 200
