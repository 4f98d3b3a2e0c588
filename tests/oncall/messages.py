"""Messages to send in tests of the channels."""

from datetime import UTC, datetime
from typing import Any

from oncall.channels import Message

LINKS = {verb: f"http://localhost/p/{verb}-token/" for verb in ("acknowledge", "escalate", "decline", "received")}


def message(**fields: Any) -> Message:
    """A page about payments to Ana."""
    defaults: dict[str, Any] = {
        "page_id": 12,
        "attempt": 1,
        "person": "Ana",
        "title": "Payment API returning 500 errors",
        "detail": "Since the deploy.",
        "facts": {"Severity": "SEV1", "Service": "payments", "Runbook": "https://example.com/runbook"},
        "since": datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC),
        "level": 1,
        "link": "http://localhost/p/token/",
        "links": LINKS,
        "reference": "page-12-1",
    }
    return Message(**{**defaults, **fields})


def code_message(code: str = "042517") -> Message:
    """A code that verifies a contact method."""
    return message(page_id=0, purpose="code", code=code, facts={}, detail="", links={}, reference="code-7-1773480413")


def a_test_message() -> Message:
    """A test page."""
    return message(
        page_id=0,
        purpose="test",
        title="This is a test page",
        detail="Nothing is wrong.",
        facts={},
        link="http://localhost/prove/token/",
        links={"received": "http://localhost/prove/token/"},
        reference="test-7-1773480413",
    )
