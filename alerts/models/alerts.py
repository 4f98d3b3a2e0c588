"""Alerts, what was done about them, and the ends that came before their beginnings."""

from typing import ClassVar, Self

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Team, User
from alerts.models.routes import AlertGroup, AlertRoute
from alerts.models.sources import AlertSource, Outcome, RawEvent
from alerts.models.windows import MaintenanceWindow
from catalog.models import Service
from incidents.models import Incident
from oncall.models import Escalation


class AlertQuerySet(models.QuerySet["Alert"]):
    """Alerts as an actor may see them."""

    def visible_to(self, actor: Actor) -> Self:
        """All but those whose incident is private to others."""
        if actor.sees_everything:
            return self
        return self.filter(Q(incident=None) | Q(incident__in=Incident.objects.visible_to(actor)))

    def firing(self) -> Self:
        return self.filter(status=Alert.Status.FIRING)

    def for_lists(self) -> Self:
        return self.select_related(
            "source", "service", "incident", "escalation__acknowledged_by", "route", "assigned_to"
        )


class Alert(models.Model):
    """A deduplicated signal: at most one is firing per source and `dedup_key`."""

    class Status(models.TextChoices):
        FIRING = "firing", _("Firing")
        RESOLVED = "resolved", _("Resolved")

    class Held(models.TextChoices):
        WAITING = "waiting", _("Waits whether it ends by itself")
        MUTED = "muted", _("Muted by a maintenance window")
        FLAPPING = "flapping", _("Flaps: it counts as over once it is quiet")

    class Noise(models.TextChoices):
        NOISE = "noise", _("Noise")
        FALSE_POSITIVE = "false_positive", _("False positive")

    source = models.ForeignKey(AlertSource, on_delete=models.PROTECT, related_name="alerts")
    dedup_key = models.CharField(max_length=255)
    status = models.CharField(max_length=10, choices=Status, default=Status.FIRING)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    severity = models.CharField(max_length=60, blank=True, help_text=_("As the source named it."))
    priority = models.PositiveSmallIntegerField(default=3, help_text=_("From 1, the highest, to 5."))
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    service = models.ForeignKey(Service, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    service_named = models.CharField(max_length=100, blank=True, help_text=_("As the source named it."))
    attributes = models.JSONField(default=dict)
    tags = models.JSONField(default=list)
    unresolved = models.JSONField(default=list, help_text=_("What it names and nobody knows: field and text of each."))
    source_url = models.CharField(max_length=1000, blank=True)
    count = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField(help_text=_("When it began, as the source tells."))
    told_at = models.DateTimeField(
        null=True, blank=True, help_text=_("The newest time at which it fired, as the source tells.")
    )
    first_event_at = models.DateTimeField()
    last_event_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was over, as the source tells."))
    expires_at = models.DateTimeField(null=True, blank=True, help_text=_("When it is over unless it is sent again."))
    resolved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    route = models.ForeignKey(AlertRoute, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    routing_note = models.CharField(max_length=300, blank=True, help_text=_("Why nobody was paged, if so."))
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.RECORDED)
    held = models.CharField(max_length=10, choices=Held, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text=_("When what is held is looked at again."))
    muted_by = models.ForeignKey(
        MaintenanceWindow, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts"
    )
    group = models.ForeignKey(AlertGroup, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    escalation = models.ForeignKey(Escalation, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    incident = models.ForeignKey(Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    assigned_to = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    noise = models.CharField(max_length=15, choices=Noise, blank=True)
    noise_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    noise_at = models.DateTimeField(null=True, blank=True)
    # What was sent is deleted by the month, long before the alert: the ids may lead nowhere.
    first_raw_event = models.ForeignKey(
        RawEvent, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False
    )
    last_raw_event = models.ForeignKey(
        RawEvent, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False
    )

    objects: ClassVar[AlertQuerySet] = AlertQuerySet.as_manager()  # type: ignore[assignment]  # it has its methods

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "dedup_key"], condition=Q(status="firing"), name="alert_one_firing"
            )
        ]
        indexes = [
            models.Index(fields=["-id"], condition=Q(status="firing"), name="alert_firing"),
            models.Index(fields=["service", "-id"], name="alert_service"),
            models.Index(fields=["source", "dedup_key", "-id"], name="alert_key"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="alert_due"),
            models.Index(fields=["expires_at"], condition=Q(status="firing"), name="alert_expires"),
            models.Index(fields=["outcome", "-id"], name="alert_outcome"),
            models.Index(fields=["priority", "-id"], name="alert_priority"),
            models.Index(fields=["-id"], condition=~Q(noise=""), name="alert_noise"),
            # Rows come in the order of time: a summary of each stretch of the table costs next to nothing to keep.
            BrinIndex(fields=["first_event_at"], name="alert_first_event", pages_per_range=32, autosummarize=True),
            GinIndex(Func(F("title"), F("dedup_key"), F("service_named"), function="alert_words"), name="alert_words"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/alerts/{self.pk}/"


class AlertEntry(models.Model):
    """Something that was done about an alert, beside firing, paging and resolving, which the alert itself tells."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField()
    kind = models.CharField(max_length=30, help_text=_("As note, priority, snoozed, muted."))
    text = models.TextField()
    author = models.CharField(max_length=200)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "alert entries"
        indexes = [models.Index(fields=["alert", "id"], name="alert_entry_alert")]

    def __str__(self) -> str:
        return self.text


class EarlyEnd(models.Model):
    """A resolve under whose key nothing fired, as its sender dated it: what began before it has ended already."""

    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="+")
    dedup_key = models.CharField(max_length=255)
    ended_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "dedup_key"], name="early_end_key")]
        indexes = [models.Index(fields=["seen_at"], name="early_end_seen")]

    def __str__(self) -> str:
        return self.dedup_key
