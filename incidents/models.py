"""Incidents and what they are made of: severities, statuses, roles, types, updates and the timeline."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import User
from catalog.models import Service
from oncall.models import Escalation

# --- Configuration ----------------------------------------------------------------------------------------------------


class Severity(models.Model):
    """How bad. A higher `rank` is worse; never compare names."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    rank = models.PositiveSmallIntegerField(unique=True)
    description = models.TextField(blank=True)
    response = models.CharField(max_length=200, blank=True)
    acknowledge_target = models.DurationField(null=True, blank=True)
    resolve_target = models.DurationField(null=True, blank=True)
    update_interval = models.DurationField(null=True, blank=True)
    pages = models.BooleanField(default=True)
    requires_postmortem = models.BooleanField(default=False)
    first_minutes = models.BooleanField(default=False, help_text=_("Shows the first-five-minutes checklist."))

    class Meta:
        ordering = ["-rank"]
        verbose_name_plural = "severities"

    def __str__(self) -> str:
        return self.name


class StatusCategory(models.TextChoices):
    """What a status means for everything else."""

    TRIAGE = "triage", _("Triage")
    ACTIVE = "active", _("Active")
    POST_INCIDENT = "post_incident", _("Post-incident")
    CLOSED = "closed", _("Closed")
    DECLINED = "declined", _("Declined")
    MERGED = "merged", _("Merged")
    CANCELED = "canceled", _("Canceled")


OPEN_CATEGORIES = [StatusCategory.TRIAGE, StatusCategory.ACTIVE]


class IncidentStatus(models.Model):
    """A named step of the response, in a category."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    category = models.CharField(max_length=15, choices=StatusCategory)
    position = models.PositiveSmallIntegerField()
    description = models.TextField(blank=True)

    class Meta:
        ordering = ["position"]
        verbose_name_plural = "incident statuses"

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.category in OPEN_CATEGORIES


class IncidentRole(models.Model):
    """A part that somebody plays. The slug `lead` is the incident commander."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    short_name = models.CharField(max_length=20)
    description = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    required_for: models.ManyToManyField[Severity, "models.Model"] = models.ManyToManyField(
        Severity, blank=True, related_name="required_roles"
    )

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name


class IncidentType(models.Model):
    """A kind of incident, with its default visibility."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True)
    is_default = models.BooleanField(default=False)
    private_by_default = models.BooleanField(default=False)

    class Meta:
        ordering = ["-is_default", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="incident_type_one_default"
            )
        ]

    def __str__(self) -> str:
        return self.name


class UpdateTemplate(models.Model):
    """Words to start an update with, such as "We are looking into {description}"."""

    class Moment(models.TextChoices):
        INITIAL = "initial", _("First update")
        UPDATE = "update", _("Update")
        RESOLVED = "resolved", _("Resolved")

    moment = models.CharField(max_length=10, choices=Moment)
    locale = models.CharField(max_length=10, default="en")
    text = models.TextField()

    class Meta:
        ordering = ["moment", "locale"]
        constraints = [models.UniqueConstraint(fields=["moment", "locale"], name="update_template_once")]

    def __str__(self) -> str:
        return f"{self.moment} ({self.locale})"


# --- Incidents --------------------------------------------------------------------------------------------------------


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Incidents as an actor may see them."""

    def visible_to(self, actor: Actor) -> Self:
        """Public incidents and the private ones that the actor is a member of."""
        if actor.sees_everything:
            return self
        return self.filter(
            Q(visibility=Incident.Visibility.PUBLIC)
            | Q(pk__in=IncidentMember.objects.filter(user_id=actor.person_id).values("incident_id"))
        )

    def open(self) -> Self:
        return self.filter(status__category__in=OPEN_CATEGORIES)

    def for_lists(self) -> Self:
        """With all that a row of a list shows, in a constant number of queries."""
        return self.select_related("severity", "status", "incident_type").prefetch_related(
            models.Prefetch(
                "role_assignments",
                RoleAssignment.objects.filter(ended_at=None).select_related("role", "user").order_by("role__position"),
                to_attr="current_roles",
            ),
            models.Prefetch(
                "affected_services", IncidentService.objects.select_related("service"), to_attr="current_services"
            ),
        )


class Incident(models.Model):
    """A declared response to something that is wrong."""

    class Mode(models.TextChoices):
        STANDARD = "standard", _("Standard")
        RETROSPECTIVE = "retrospective", _("Retrospective")
        TEST = "test", _("Test")

    class Visibility(models.TextChoices):
        PUBLIC = "public", _("Everybody here")
        PRIVATE = "private", _("Members only")

    number = models.PositiveIntegerField(unique=True)
    name = models.CharField(max_length=200)
    summary = models.TextField(blank=True)
    mode = models.CharField(max_length=15, choices=Mode, default=Mode.STANDARD)
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.PUBLIC)
    incident_type = models.ForeignKey(IncidentType, on_delete=models.PROTECT, related_name="incidents")
    severity = models.ForeignKey(Severity, on_delete=models.PROTECT, related_name="incidents")
    status = models.ForeignKey(IncidentStatus, on_delete=models.PROTECT, related_name="incidents")
    declared_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="declared_incidents"
    )
    declared_by_name = models.CharField(max_length=200)
    users_affected = models.PositiveIntegerField(null=True, blank=True)
    services: models.ManyToManyField[Service, "IncidentService"] = models.ManyToManyField(
        Service, through="IncidentService", related_name="incidents"
    )
    members: models.ManyToManyField[User, "IncidentMember"] = models.ManyToManyField(
        User, through="IncidentMember", related_name="private_incidents"
    )
    escalations: models.ManyToManyField[Escalation, "models.Model"] = models.ManyToManyField(
        Escalation, blank=True, related_name="incidents"
    )
    last_sequence = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True, help_text=_("When the impact began."))
    detected_at = models.DateTimeField(null=True, blank=True)
    declared_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    mitigated_at = models.DateTimeField(null=True, blank=True, help_text=_("When the impact was over."))
    resolved_at = models.DateTimeField(null=True, blank=True, help_text=_("When the cause was fixed."))
    closed_at = models.DateTimeField(null=True, blank=True)
    last_update_at = models.DateTimeField(null=True, blank=True)
    next_update_due_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[IncidentQuerySet] = IncidentQuerySet.as_manager()  # type: ignore[assignment]  # it has its methods

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "-id"], name="incident_status"),
            models.Index(fields=["severity", "-id"], name="incident_severity"),
            models.Index(fields=["visibility", "-id"], name="incident_visibility"),
            GinIndex(SearchVector("name", "summary", config="simple"), name="incident_search"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.name}"

    @property
    def reference(self) -> str:
        return f"INC-{self.number}"

    @property
    def is_open(self) -> bool:
        return self.status.is_open

    @property
    def is_private(self) -> bool:
        return self.visibility == self.Visibility.PRIVATE

    @property
    def lead(self) -> User | None:
        """Who leads now; reads `current_roles`, which `for_lists()` fills."""
        return next((row.user for row in getattr(self, "current_roles", []) if row.role.slug == "lead"), None)

    @property
    def live_topic(self) -> str:
        """The name of the topic that open pages of this incident watch."""
        return f"incident.{self.pk}"

    def duration(self, now: datetime) -> timedelta:
        """From declared until resolved, or until now."""
        return (self.resolved_at or now) - self.declared_at

    def get_absolute_url(self) -> str:
        return f"/incidents/{self.number}/"


class IncidentService(models.Model):
    """A service that the incident affects, and how much."""

    class Impact(models.TextChoices):
        DEGRADED_PERFORMANCE = "degraded_performance", _("Degraded performance")
        PARTIAL_OUTAGE = "partial_outage", _("Partial outage")
        MAJOR_OUTAGE = "major_outage", _("Major outage")

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="affected_services")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="incident_services")
    impact = models.CharField(max_length=25, choices=Impact, default=Impact.PARTIAL_OUTAGE)

    class Meta:
        ordering = ["incident", "service__tier", "service__name"]
        constraints = [models.UniqueConstraint(fields=["incident", "service"], name="incident_service_once")]

    def __str__(self) -> str:
        return f"{self.service}: {self.impact}"


class IncidentMember(models.Model):
    """Somebody who may see a private incident."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="incident_memberships")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["incident", "id"]
        constraints = [models.UniqueConstraint(fields=["incident", "user"], name="incident_member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.incident_id}"


class RoleAssignment(models.Model):
    """Who plays a role in an incident, from when until when."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="role_assignments")
    role = models.ForeignKey(IncidentRole, on_delete=models.PROTECT, related_name="assignments")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="role_assignments")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["incident", "role__position", "-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "role"], condition=Q(ended_at=None), name="role_assignment_one_current"
            )
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.user}"


class IncidentUpdate(models.Model):
    """An internal update: what is known, for everybody who follows."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="updates")
    text = models.TextField()
    severity = models.ForeignKey(Severity, on_delete=models.PROTECT, related_name="+")
    status = models.ForeignKey(IncidentStatus, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="incident_updates")
    author_name = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    next_update_due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.text[:80]


class TimelineEntry(models.Model):
    """One line of the human record. `sequence` counts from 1 within the incident without gaps."""

    class Kind(models.TextChoices):
        DECLARED = "declared", _("Declared")
        NOTE = "note", _("Note")
        UPDATE = "update", _("Update")
        STATUS = "status", _("Status")
        SEVERITY = "severity", _("Severity")
        ROLE = "role", _("Role")
        SERVICE = "service", _("Service")
        MEMBER = "member", _("Member")
        EDIT = "edit", _("Edit")
        ALERT = "alert", _("Alert")
        PAGE = "page", _("Page")
        STATUS_PAGE = "status_page", _("Status page")
        POSTMORTEM = "postmortem", _("Postmortem")

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="timeline")
    sequence = models.PositiveIntegerField()
    kind = models.CharField(max_length=15, choices=Kind)
    text = models.TextField(help_text=_("Plain words; for notes and updates, Markdown."))
    data = models.JSONField(default=dict)
    actor_kind = models.CharField(max_length=20)
    actor_name = models.CharField(max_length=200)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="timeline_entries")
    via = models.CharField(max_length=20)
    occurred_at = models.DateTimeField()
    is_key = models.BooleanField(default=False)

    class Meta:
        ordering = ["incident", "-sequence"]
        verbose_name_plural = "timeline entries"
        constraints = [models.UniqueConstraint(fields=["incident", "sequence"], name="timeline_sequence")]

    def __str__(self) -> str:
        return f"{self.sequence}. {self.text[:80]}"
