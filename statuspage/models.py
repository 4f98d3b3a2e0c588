"""Status pages, their components, and the incidents that the public sees."""

import secrets
import string
from typing import ClassVar, Self

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import check_time_zone
from catalog.models import Service
from incidents.models import Incident

ALPHABET = string.ascii_lowercase + string.digits


def new_public_id() -> str:
    """A short random id, as Statuspage's clients expect: 12 lower-case letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(12))


class ComponentStatus(models.TextChoices):
    """In the public's words; worse comes later, but for maintenance."""

    OPERATIONAL = "operational", _("Operational")
    DEGRADED_PERFORMANCE = "degraded_performance", _("Degraded performance")
    PARTIAL_OUTAGE = "partial_outage", _("Partial outage")
    MAJOR_OUTAGE = "major_outage", _("Major outage")
    UNDER_MAINTENANCE = "under_maintenance", _("Under maintenance")


class StatusPage(models.Model):
    """A page that tells the public how things are."""

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    support_url = models.URLField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/status/{self.slug}/"


class Component(models.Model):
    """Something on the page that works or does not, bound to the services behind it."""

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(StatusPage, on_delete=models.CASCADE, related_name="components")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=25, choices=ComponentStatus, default=ComponentStatus.OPERATIONAL)
    services: models.ManyToManyField[Service, "models.Model"] = models.ManyToManyField(
        Service, blank=True, related_name="components"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["page", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["page", "name"], name="component_name")]

    def __str__(self) -> str:
        return self.name


class ComponentSpan(models.Model):
    """A stretch of time in which a component had one status; the open one has no end."""

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="spans")
    status = models.CharField(max_length=25, choices=ComponentStatus)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["component", "starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["component"], condition=Q(ends_at=None), name="component_span_one_open")
        ]

    def __str__(self) -> str:
        return f"{self.component} {self.status}"


class PublicIncidentQuerySet(models.QuerySet["PublicIncident"]):
    """What the public was told."""

    def unresolved(self) -> Self:
        return self.exclude(status=PublicIncident.Status.RESOLVED)

    def knowing_sources_of(self, actor: Actor) -> Self:
        """With `source_number`: the number of the internal incident behind each, None if the actor may not see it."""
        visible = Incident.objects.visible_to(actor).filter(pk=OuterRef("incident_id"))
        return self.annotate(source_number=Subquery(visible.values("number")))


class PublicIncident(models.Model):
    """What the public is told about something that is wrong."""

    class Status(models.TextChoices):
        INVESTIGATING = "investigating", _("Investigating")
        IDENTIFIED = "identified", _("Identified")
        MONITORING = "monitoring", _("Monitoring")
        RESOLVED = "resolved", _("Resolved")

    class Impact(models.TextChoices):
        NONE = "none", _("None")
        MINOR = "minor", _("Minor")
        MAJOR = "major", _("Major")
        CRITICAL = "critical", _("Critical")

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(StatusPage, on_delete=models.CASCADE, related_name="public_incidents")
    incident = models.ForeignKey(
        Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="public_incidents"
    )
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=15, choices=Status, default=Status.INVESTIGATING)
    impact = models.CharField(max_length=10, choices=Impact, default=Impact.MINOR)
    components: models.ManyToManyField[Component, "models.Model"] = models.ManyToManyField(
        Component, blank=True, related_name="public_incidents"
    )
    started_at = models.DateTimeField()
    monitoring_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects: ClassVar[PublicIncidentQuerySet] = PublicIncidentQuerySet.as_manager()  # type: ignore[assignment]  # it has its methods

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["page", "-started_at"], name="public_incident_page")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"{self.page.get_absolute_url()}incidents/{self.public_id}/"

    @property
    def is_resolved(self) -> bool:
        return self.status == self.Status.RESOLVED


class StatusUpdate(models.Model):
    """One public message of a public incident. `affected` lists the components that it changed:
    `{"id", "name", "old_status", "new_status"}`."""

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    public_incident = models.ForeignKey(PublicIncident, on_delete=models.CASCADE, related_name="updates")
    status = models.CharField(max_length=15, choices=PublicIncident.Status)
    body = models.TextField()
    affected = models.JSONField(default=list)
    author_name = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.body[:80]
