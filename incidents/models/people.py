"""The people of an incident: members, roles, followers."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.configuration import IncidentRole


class IncidentMember(models.Model):
    """Somebody who may see a private incident."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="incident_memberships")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["incident", "id"]
        constraints = [models.UniqueConstraint(fields=["incident", "user"], name="incident_member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.incident_id}"


class RoleAssignment(models.Model):
    """Who plays a role in an incident, from when until when."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="role_assignments")
    role = models.ForeignKey(IncidentRole, on_delete=models.PROTECT, related_name="assignments")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="role_assignments")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    assigned_by_name = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True, help_text=_("What whoever hands over wants the next one to know."))

    class Meta:
        ordering = ["incident", "role__position", "-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "role"], condition=Q(ended_at=None), name="role_assignment_one_current"
            )
        ]
        indexes = [
            models.Index(fields=["user", "role", "incident"], condition=Q(ended_at=None), name="role_assignment_held"),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.user}"


class IncidentFollower(models.Model):
    """Somebody who is told of an incident's updates: each at once, or those of a while together."""

    class Pace(models.TextChoices):
        EACH = "each", _("Each update at once")
        QUARTER = "quarter", _("At most every 15 minutes")
        HOUR = "hour", _("At most every hour")

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="followers")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="followed_incidents")
    pace = models.CharField(max_length=10, choices=Pace, default=Pace.EACH)
    since = models.DateTimeField()
    told_until = models.BigIntegerField(default=0, help_text=_("The id of the newest entry that they were told of."))
    due_at = models.DateTimeField(null=True, blank=True, help_text=_("When they are told of what is new."))

    class Meta:
        ordering = ["incident", "id"]
        constraints = [models.UniqueConstraint(fields=["incident", "user"], name="incident_follower_once")]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="incident_follower_due")]

    def __str__(self) -> str:
        return f"{self.user} follows {self.incident_id}"
