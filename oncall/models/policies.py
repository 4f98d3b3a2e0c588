"""Whom to page: escalation policies, their levels and targets, and the tests that keep them honest."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from accounts.secrets import SecretField
from oncall.models.schedules import Schedule


class EscalationPolicy(models.Model):
    """Levels of targets, walked until somebody answers."""

    class Exhausted(models.TextChoices):
        STOP = "stop", _("Stop, and say that nobody answered")
        POLICY = "policy", _("Go on with another policy")
        MANAGERS = "managers", _("Page the managers once")
        ADMINISTRATORS = "administrators", _("Keep paging the administrators")

    class LowUrgency(models.TextChoices):
        PAGE = "page", _("Page at once, by the rules for low urgency")
        WORKING_HOURS = "working_hours", _("Wait for working hours")
        DIGEST = "digest", _("Send once a day")

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="escalation_policies")
    repeats = models.PositiveSmallIntegerField(default=0, help_text=_("How often the levels are walked again."))
    on_exhausted = models.CharField(max_length=15, choices=Exhausted, default=Exhausted.STOP)
    next_policy = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="previous")
    acknowledgement_timeout_minutes = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("Acknowledged and silent that long, it pages again.")
    )
    auto_resolve_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Open that long, it ends by itself.")
    )
    low_urgency = models.CharField(max_length=15, choices=LowUrgency, default=LowUrgency.PAGE)
    turn = models.PositiveIntegerField(default=0, help_text=_("Counts up with each escalation, for round robin."))

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "escalation policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(on_exhausted="policy", next_policy__isnull=False)
                | (~Q(on_exhausted="policy") & Q(next_policy__isnull=True)),
                name="escalation_policy_next",
            )
        ]

    def __str__(self) -> str:
        return self.name


class EscalationLevel(models.Model):
    """One rung: whom to page, when it counts at all, what answers it, and how long to wait before the next rung.

    `condition` (events.conditions) sees `urgency`, `weekday`, `hour`, `working_hours.<schedule slug>` and the facts of
    what happened (`severity`, `service`, …). `answers_needed` is 0 for everyone, 1 for anyone, n for n people.
    """

    policy = models.ForeignKey(EscalationPolicy, on_delete=models.CASCADE, related_name="levels")
    position = models.PositiveSmallIntegerField()
    timeout_minutes = models.PositiveSmallIntegerField(default=5)
    condition = models.JSONField(default=dict, blank=True)
    answers_needed = models.PositiveSmallIntegerField(default=1)
    is_round_robin = models.BooleanField(default=False)

    class Meta:
        ordering = ["policy", "position"]
        constraints = [models.UniqueConstraint(fields=["policy", "position"], name="escalation_level_position")]

    def __str__(self) -> str:
        return f"{self.policy}: level {self.position + 1}"


class EscalationTarget(models.Model):
    """Whom a level pages, or where it only tells: `address` is that of a webhook or of a chat (an Apprise address)."""

    class Kind(models.TextChoices):
        SCHEDULE = "schedule", _("Whoever is on call on a schedule")
        USER = "user", _("A person")
        TEAM = "team", _("Everybody in a team")
        SERVICE_OWNER = "service_owner", _("The team that owns the service")
        CHAT = "chat", _("A chat channel (told, not asked)")
        WEBHOOK = "webhook", _("A webhook (told, not asked)")

    level = models.ForeignKey(EscalationLevel, on_delete=models.CASCADE, related_name="targets")
    kind = models.CharField(max_length=15, choices=Kind, default=Kind.SCHEDULE)
    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, null=True, blank=True, related_name="targets")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="escalation_targets")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="escalation_targets")
    name = models.CharField(max_length=100, blank=True)
    address = SecretField(blank=True, default="")
    secret = SecretField(blank=True, default="")

    class Meta:
        ordering = ["level", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="schedule", schedule__isnull=False, user__isnull=True, team__isnull=True)
                | Q(kind="user", schedule__isnull=True, user__isnull=False, team__isnull=True)
                | Q(kind="team", schedule__isnull=True, user__isnull=True, team__isnull=False)
                | Q(
                    kind__in=["service_owner", "chat", "webhook"],
                    schedule__isnull=True,
                    user__isnull=True,
                    team__isnull=True,
                ),
                name="escalation_target_is_one",
            )
        ]

    def __str__(self) -> str:
        return str(self.schedule or self.user or self.team or self.name or self.get_kind_display())


class PagingTest(models.Model):
    """A promise about paging that every save of a schedule or a policy must keep.

    `spec` is one entry of a paging tests file (docs/user/paging-tests.md); `policies` it speaks of are found by slug.
    What came of it is kept as of `checked_at`: `looks_at` is the instant that was simulated then, `broken` has a line
    for each promise that did not hold. Nothing was found out yet while `checked_at` is empty.
    """

    class Outcome(models.TextChoices):
        UNCHECKED = "unchecked", _("Not checked yet")
        HOLDS = "holds", _("Holds")
        BROKEN = "broken", _("Broken")
        UNKNOWN = "unknown", _("Can't be checked")

    name = models.CharField(max_length=200, unique=True)
    spec: Any = models.JSONField()
    is_active = models.BooleanField(default=True)
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="paging_tests")
    created_at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.UNCHECKED)
    checked_at = models.DateTimeField(null=True, blank=True)
    looks_at = models.DateTimeField(null=True, blank=True)
    broken: Any = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="unchecked", checked_at__isnull=True)
                | (~Q(outcome="unchecked") & Q(checked_at__isnull=False)),
                name="paging_test_checked",
            )
        ]

    def __str__(self) -> str:
        return self.name
