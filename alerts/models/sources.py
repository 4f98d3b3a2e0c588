"""Alert sources, what they send, and what of it could not be read."""

from uuid import uuid4

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from accounts.secrets import SecretField
from alerts.dialects import DIALECTS, spoken_at
from alerts.dialects.format import Request

KEPT_DAYS = 30


class AlertSource(models.Model):
    """A place where alerts enter. The token in its address is looked up by hash and kept encrypted to be shown.

    `mapping` fills fields of its alerts from what it sends (alerts/mapping.py).
    """

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    dialect = models.CharField(max_length=30, help_text=_("The wire format that it speaks."))
    description = models.TextField(blank=True)
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="alert_sources")
    token = SecretField()
    token_hash = models.CharField(max_length=64, unique=True)
    signing_secret = SecretField(
        blank=True, default="", help_text=_("What the sender signs with, where its format knows that.")
    )
    mapping = models.JSONField(default=list, blank=True)
    kept_days = models.PositiveSmallIntegerField(
        default=KEPT_DAYS, help_text=_("For how long what it sent is kept as it was sent.")
    )
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    last_event_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def dialect_label(self) -> str:
        """What people call its wire format."""
        return DIALECTS[self.dialect].label


class Outcome(models.TextChoices):
    """What became of an event. Each accepted one has exactly one of these, or has failed and can be seen."""

    PAGED = "paged", _("Paged")
    ATTACHED = "attached", _("Attached to an incident")
    GROUPED = "grouped", _("Joined what pages already")
    RECORDED = "recorded", _("Recorded only: no route pages")
    SUPPRESSED = "suppressed", _("Suppressed")
    WAITING = "waiting", _("Waits whether it ends by itself")
    DEDUPLICATED = "deduplicated", _("Counted on an open alert")
    RESOLVED = "resolved", _("Resolved an alert")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged an alert")
    CHANGED = "changed", _("Changed an alert")
    LATE = "late", _("Came too late: something newer was known")
    NOTHING_OPEN = "nothing_open", _("Changed nothing: no alert was open")
    NOTED = "noted", _("Noted as a change")


class RawEvent(models.Model):
    """What a source sent, stored before anything else is done with it.

    Its table is divided by the month in which it was received (alerts/partitions.py), so that a month goes at once.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        SET_ASIDE = "set_aside", _("Failed, and set aside by somebody")

    # (the index by source and number serves it)
    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="raw_events", db_index=False)
    received_at = models.DateTimeField()
    request_id = models.UUIDField(default=uuid4, editable=False)
    method = models.CharField(max_length=7, default="POST")
    address = models.CharField(max_length=1000, blank=True, help_text=_("Where it was sent, without the token."))
    query = models.JSONField(default=dict, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    event_count = models.PositiveIntegerField(
        null=True, help_text=_("How many events the sender was told are accepted: each has an outcome in the end.")
    )
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    outcomes = models.JSONField(default=list, help_text=_("One entry per event in the body: outcome and alert id."))
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    is_verified = models.BooleanField(
        default=True, help_text=_("Off while the signature is still to be looked at (alerts/signatures.py).")
    )
    error = models.TextField(blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="raw_event_due"),
            models.Index(fields=["source", "-id"], name="raw_event_source"),
            models.Index(fields=["-id"], condition=Q(state="failed"), name="raw_event_failed"),
            models.Index(fields=["request_id"], name="raw_event_request"),
            # Rows come in the order of time: a summary of each stretch of the table costs next to nothing to keep.
            BrinIndex(fields=["received_at"], name="raw_event_received", pages_per_range=32, autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} at {self.received_at:%Y-%m-%d %H:%M:%S} ({self.state})"

    def request(self) -> Request:
        """What was sent, as its dialect reads it."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        spoken = spoken_at(self.address, self.method)
        address, parts = (spoken.address, spoken.parts) if spoken else (self.address, {})
        return Request(
            address=address,
            body=bytes(self.body),
            headers=headers,
            query=self.query,
            id=str(self.request_id),
            method=self.method,
            parts=parts,
            mapping=self.source.mapping,
            received_at=self.received_at,
        )


class Rejection(models.Model):
    """What a source sent and nobody could read: counted by its reason, with the newest as a sample."""

    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="rejections")
    reason = models.CharField(max_length=30)
    message = models.CharField(max_length=300)
    field_name = models.CharField(max_length=100, blank=True)
    remedy = models.CharField(max_length=300, blank=True)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    content_type = models.CharField(max_length=100, blank=True)
    sample = models.BinaryField(default=bytes, help_text=_("How the newest body began."))

    class Meta:
        ordering = ["-last_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["source", "reason", "message"], name="rejection_reason")]

    def __str__(self) -> str:
        return f"{self.source_id}: {self.message}"
