"""Signs of life, and changes that senders tell of."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from accounts.secrets import SecretField
from alerts.models.sources import AlertSource, RawEvent
from catalog.models import Service


class Heartbeat(models.Model):
    """Something that must be heard of every `interval_seconds`; later than that and the grace, it is an alert.

    The alert belongs to its source, under a key of its own, and resolves with the next ping.
    """

    class State(models.TextChoices):
        NEW = "new", _("Not heard of yet")
        ON_TIME = "on_time", _("On time")
        LATE = "late", _("Late")
        DISABLED = "disabled", _("Off")

    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="heartbeats")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    token = SecretField()
    token_hash = models.CharField(max_length=64, unique=True)
    interval_seconds = models.PositiveIntegerField()
    grace_seconds = models.PositiveIntegerField(default=60)
    is_enabled = models.BooleanField(default=True)
    severity = models.CharField(max_length=60, default="critical")
    message = models.CharField(max_length=300, blank=True, help_text=_("What the alert is called."))
    tags = models.JSONField(default=list, blank=True)
    service = models.ForeignKey(Service, on_delete=models.SET_NULL, null=True, blank=True, related_name="heartbeats")
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="heartbeats")
    last_ping_at = models.DateTimeField(null=True, blank=True)
    last_ping_from = models.CharField(max_length=300, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text=_("When it is late, unless it is heard of."))
    late_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["source", "name"], name="heartbeat_name")]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="heartbeat_due")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/alerts/heartbeats/{self.pk}/"

    @property
    def state(self) -> str:
        """How it stands, as the last check found it."""
        if not self.is_enabled:
            return self.State.DISABLED
        if self.late_since:
            return self.State.LATE
        return self.State.ON_TIME if self.last_ping_at else self.State.NEW

    @property
    def dedup_key(self) -> str:
        """What its alert goes by."""
        return f"heartbeat:{self.pk}"


class Change(models.Model):
    """Something that somebody changed: a deployment, a merge, a switched flag. It pages nobody; it explains.

    One without a source was noted by a person or a program through the API.
    """

    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, null=True, blank=True, related_name="changes")
    summary = models.CharField(max_length=1024)
    at = models.DateTimeField()
    service = models.ForeignKey(Service, on_delete=models.SET_NULL, null=True, blank=True, related_name="changes")
    service_named = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=30, blank=True, help_text=_("As deployment, pull_request, change."))
    author = models.CharField(max_length=200, blank=True)
    links = models.JSONField(default=list, blank=True, help_text=_("Each with href and text."))
    details = models.JSONField(default=dict, blank=True)
    raw_event = models.ForeignKey(
        RawEvent, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False
    )

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="change_at"),
            models.Index(fields=["service", "-at"], name="change_service"),
        ]

    def __str__(self) -> str:
        return self.summary

    def get_absolute_url(self) -> str:
        return f"/alerts/changes/{self.pk}/"
