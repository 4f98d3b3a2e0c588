"""Incidents, the services that they affect, and how they become part of each other."""

from datetime import datetime
from typing import ClassVar, Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import User
from catalog.models import Service
from incidents.chronology import TIMES
from incidents.durations import Durations, Stretch, durations
from incidents.models.configuration import COUNTED_CATEGORIES, OPEN_CATEGORIES, IncidentStatus, IncidentType, Severity
from incidents.models.people import IncidentMember, RoleAssignment
from oncall.models import Escalation


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
        """Those that go on. Each that ended has a time at which it did (`incidents/rules.py`), which an index knows."""
        return self.filter(status__category__in=OPEN_CATEGORIES, resolved_at=None, closed_at=None)

    def counting(self) -> Self:
        """Those that numbers are made of: no tests and game days, none that was no incident or is part of another."""
        return self.exclude(mode__in=[Incident.Mode.TEST, Incident.Mode.GAME_DAY]).filter(
            status__category__in=COUNTED_CATEGORIES, parent=None
        )

    def with_required_roles(self) -> Self:
        """With what `incidents.roles.missing_roles` asks for, in a constant number of queries."""
        return self.prefetch_related("severity__required_roles", "incident_type__roles")

    def with_kin(self, actor: Actor) -> Self:
        """With parent, target of a merge and streams as far as the actor may see them: `visible_parent`, …"""
        seen = Incident.objects.visible_to(actor)
        return self.prefetch_related(
            models.Prefetch("parent", seen, to_attr="visible_parent"),
            models.Prefetch("merged_into", seen, to_attr="visible_target"),
            models.Prefetch("streams", seen.order_by("number"), to_attr="visible_streams"),
        )

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
        GAME_DAY = "game_day", _("Game day")

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
    revenue_lost = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    tickets = models.PositiveIntegerField(null=True, blank=True, help_text=_("How many customers wrote."))
    impact = models.TextField(blank=True, help_text=_("What customers notice, in plain words."))
    root_cause = models.TextField(blank=True)
    call_url = models.URLField(max_length=500, blank=True, help_text=_("Where people talk: the address of a call."))
    fields = models.JSONField(default=dict, blank=True, help_text=_("The values of custom fields, by slug."))
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="streams",
        help_text=_("The incident of which this is a stream."),
    )
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged")
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
    last_change = models.PositiveIntegerField(default=0, help_text=_("Counts the changes of entries."))
    started_at = models.DateTimeField(null=True, blank=True, help_text=_("When the impact began."))
    detected_at = models.DateTimeField(null=True, blank=True)
    declared_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    mitigated_at = models.DateTimeField(null=True, blank=True, help_text=_("When the impact was over."))
    resolved_at = models.DateTimeField(null=True, blank=True, help_text=_("When the cause was fixed."))
    closed_at = models.DateTimeField(null=True, blank=True)
    last_update_at = models.DateTimeField(null=True, blank=True)
    next_update_due_at = models.DateTimeField(null=True, blank=True)
    update_interval = models.DurationField(
        null=True,
        blank=True,
        help_text=_("How often updates are due, where somebody set it; zero: not at all. Empty: as its severity says."),
    )
    nudged_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When an update that was due was last reminded of.")
    )
    paused_at = models.DateTimeField(null=True, blank=True, help_text=_("Since when its timers stand still."))
    paused_seconds = models.PositiveIntegerField(default=0, help_text=_("How long they stood still in all, before."))
    pauses = models.JSONField(
        default=list, blank=True, help_text=_("When they stood still, before: pairs of instants, from and until.")
    )

    objects: ClassVar[IncidentQuerySet] = IncidentQuerySet.as_manager()  # type: ignore[assignment]  # it has its methods

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "-id"], name="incident_status"),
            models.Index(fields=["severity", "-id"], name="incident_severity"),
            models.Index(fields=["visibility", "-id"], name="incident_visibility"),
            models.Index(fields=["incident_type", "-id"], name="incident_type"),
            models.Index(fields=["mode", "-id"], name="incident_mode"),
            models.Index(fields=["-declared_at", "-id"], name="incident_declared"),
            models.Index(
                fields=["next_update_due_at"],
                condition=Q(next_update_due_at__isnull=False, paused_at=None),
                name="incident_update_due",
            ),
            GinIndex(fields=["fields"], opclasses=["jsonb_path_ops"], name="incident_fields"),
            GinIndex(Func(F("name"), F("summary"), function="incident_words"), name="incident_search"),
            # (the database finds the few that are open among all that are over)
            models.Index(fields=["number"], condition=Q(resolved_at=None, closed_at=None), name="incident_open"),
            models.Index(fields=["name"], name="incident_name"),
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

    @property
    def ended_at(self) -> datetime | None:
        """When it was over: resolved, or declined, canceled or merged, which does not count as resolved."""
        return self.resolved_at or self.closed_at

    @property
    def time_stood(self) -> list[Stretch]:
        """When its timers stood still, from and until, without the pause that goes on."""
        return [(datetime.fromisoformat(begun), datetime.fromisoformat(over)) for begun, over in self.pauses]

    def times(self) -> dict[str, datetime | None]:
        """Its times by their columns, in the order in which they come."""
        return {column: getattr(self, column) for column in TIMES}

    def durations(self, now: datetime) -> Durations:
        """How long things took; a pause that goes on is left out until now."""
        goes_on = [(self.paused_at, max(now, self.paused_at))] if self.paused_at else []
        return durations(self.times(), pauses=[*self.time_stood, *goes_on], now=now)

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


class IncidentMerge(models.Model):
    """One incident that became part of another, and what moved with it, so that it can be taken back."""

    source = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="merges_out")
    target = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="merges_in")
    status_before = models.ForeignKey(IncidentStatus, on_delete=models.PROTECT, related_name="+")
    moved = models.JSONField(default=dict, help_text=_("What moved, by its kind: ids."))
    merged_at = models.DateTimeField()
    merged_by_name = models.CharField(max_length=200)
    unmerged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(unmerged_at=None), name="incident_merge_one_current"
            ),
            models.CheckConstraint(condition=~Q(source=F("target")), name="incident_merge_not_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} into {self.target_id}"
