"""What tests of incidents start from."""

from datetime import datetime

import pytest

from accounts.actor import Actor
from incidents.models import Incident
from tests.factories import accounts, incidents


@pytest.fixture
def responder(db: None) -> Actor:
    return accounts.actor(name="Ana Ferreira")


@pytest.fixture
def incident(responder: Actor, now: datetime) -> Incident:
    """A SEV2 that Ana has just declared."""
    return incidents.incident(responder, now=now)
