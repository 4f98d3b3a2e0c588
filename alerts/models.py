"""Alert sources, the raw events they send, the alerts these become, and the routes that decide about them."""

from typing import ClassVar, Self
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Team, User
from accounts.secrets import SecretField
from alerts.dialects import DIALECTS
from alerts.dialects.format import Request
from catalog.models import Service
from incidents.models import Incident, IncidentType, Severity
from oncall.models import Escalation, EscalationPolicy, Urgency


class AlertSource(models.Model):
    """A place where alerts enter. The token in its address is looked up by hash and kept encrypted to be shown."""

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


class RawEvent(models.Model):
    """What a source sent, stored before anything else is done with it."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    class Outcome(models.TextChoices):
        PAGED = "paged", _("Paged")
        ATTACHED = "attached", _("Attached to an incident")
        RECORDED = "recorded", _("Recorded only: no route pages")
        DEDUPLICATED = "deduplicated", _("Counted on an open alert")
        RESOLVED = "resolved", _("Resolved an alert")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged an alert")
        NOTHING_OPEN = "nothing_open", _("Changed nothing: no alert was open")

    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="raw_events")
    received_at = models.DateTimeField()
    request_id = models.UUIDField(default=uuid4, editable=False)
    address = models.CharField(max_length=200, blank=True, help_text=_("Where it was sent, without the token."))
    query = models.JSONField(default=dict, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    outcomes = models.JSONField(default=list, help_text=_("One entry per event in the body: outcome and alert id."))
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    error = models.TextField(blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="raw_event_due"),
            models.Index(fields=["source", "-id"], name="raw_event_source"),
            models.Index(fields=["-id"], condition=Q(state="failed"), name="raw_event_failed"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} at {self.received_at:%Y-%m-%d %H:%M:%S} ({self.state})"

    def request(self) -> Request:
        """What was sent, as its dialect reads it."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.address, bytes(self.body), headers, self.query, str(self.request_id))


class AlertRoute(models.Model):
    """One rule of the ordered list: the first enabled route whose conditions hold decides what becomes of an alert."""

    class Paging(models.TextChoices):
        POLICY = "policy", _("Page the chosen escalation policy")
        SERVICE = "service", _("Page the escalation policy of the alert's service")
        NOBODY = "nobody", _("Page nobody")

    name = models.CharField(max_length=100, unique=True)
    position = models.PositiveIntegerField()
    is_enabled = models.BooleanField(default=True)
    conditions = models.JSONField(default=dict, blank=True)
    paging = models.CharField(max_length=10, choices=Paging, default=Paging.SERVICE)
    escalation_policy = models.ForeignKey(
        EscalationPolicy,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="alert_routes",
        help_text=_("The policy to page; for the service's policy, what to page when the service has none."),
    )
    urgency = models.CharField(max_length=4, choices=Urgency, blank=True, help_text=_("Empty: as the service says."))
    declares_incident = models.BooleanField(default=False)
    severity = models.ForeignKey(Severity, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    incident_type = models.ForeignKey(IncidentType, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(paging="policy") | Q(escalation_policy__isnull=False), name="alert_route_policy"
            ),
            models.CheckConstraint(
                condition=Q(declares_incident=False) | Q(severity__isnull=False), name="alert_route_severity"
            ),
        ]

    def __str__(self) -> str:
        return self.name


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
        return self.select_related("source", "service", "incident", "escalation__acknowledged_by", "route")


class Alert(models.Model):
    """A deduplicated signal: at most one is firing per source and `dedup_key`."""

    class Status(models.TextChoices):
        FIRING = "firing", _("Firing")
        RESOLVED = "resolved", _("Resolved")

    source = models.ForeignKey(AlertSource, on_delete=models.PROTECT, related_name="alerts")
    dedup_key = models.CharField(max_length=255)
    status = models.CharField(max_length=10, choices=Status, default=Status.FIRING)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    severity = models.CharField(max_length=60, blank=True, help_text=_("As the source named it."))
    service = models.ForeignKey(Service, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    service_named = models.CharField(max_length=100, blank=True, help_text=_("As the source named it."))
    attributes = models.JSONField(default=dict)
    source_url = models.CharField(max_length=1000, blank=True)
    count = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField(help_text=_("When it began, as the source tells."))
    first_event_at = models.DateTimeField()
    last_event_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    route = models.ForeignKey(AlertRoute, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    routing_note = models.CharField(max_length=300, blank=True, help_text=_("Why nobody was paged, if so."))
    escalation = models.ForeignKey(Escalation, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    incident = models.ForeignKey(Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    last_raw_event = models.ForeignKey(RawEvent, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

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
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/alerts/{self.pk}/"
