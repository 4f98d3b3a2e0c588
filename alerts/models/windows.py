"""When alerts are muted on purpose."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from alerts.models.sources import AlertSource
from catalog.models import Service


class MaintenanceWindow(models.Model):
    """From `starts_at` to `ends_at`, once or again and again, what matches pages nobody.

    Each of the lists that is not empty, and the conditions, must match. For one that recurs `starts_at` and `ends_at`
    are its first occurrence, `recurrence` an RRULE (RFC 5545) on the clocks of its time zone; `from_at` and `until_at`
    are the occurrence that runs or comes next, or nothing once it is over.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        COMING = "coming", _("Coming")
        OVER = "over", _("Over")
        CANCELED = "canceled", _("Ended early")

    name = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    services: models.ManyToManyField[Service, models.Model] = models.ManyToManyField(
        Service, blank=True, related_name="maintenance_windows"
    )
    sources: models.ManyToManyField[AlertSource, models.Model] = models.ManyToManyField(
        AlertSource, blank=True, related_name="maintenance_windows"
    )
    conditions = models.JSONField(default=dict, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    recurrence = models.CharField(max_length=500, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    from_at = models.DateTimeField(null=True, blank=True, editable=False)
    until_at = models.DateTimeField(null=True, blank=True, editable=False)
    notice_minutes = models.PositiveIntegerField(
        default=15, help_text=_("So long before its end its author is told; 0: not at all.")
    )
    noticed_until = models.DateTimeField(null=True, blank=True, editable=False)
    canceled_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    author = models.CharField(max_length=100, help_text=_("Who made it, as it was called then."))
    silence_id = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    matchers = models.JSONField(default=list, blank=True, help_text=_("As a silence of Alertmanager has them."))
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-starts_at", "-id"]
        indexes = [models.Index(fields=["until_at"], condition=Q(until_at__isnull=False), name="window_until")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="maintenance_window_order")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/alerts/windows/{self.pk}/"

    def state_at(self, now: datetime) -> str:
        """Whether it runs, will, was, or was ended."""
        if self.canceled_at is not None:
            return self.State.CANCELED
        if self.from_at is None or self.until_at is None or self.until_at <= now:
            return self.State.OVER
        return self.State.RUNNING if self.from_at <= now else self.State.COMING
