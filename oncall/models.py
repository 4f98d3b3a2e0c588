"""Contact methods, schedules, escalation policies, and the running escalations with their pages."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Team, User, check_time_zone
from accounts.secrets import SecretField

# --- How to reach a person ------------------------------------------------------------------------------------------


class ContactMethod(models.Model):
    """One way to reach a person. `secret` signs what a webhook is sent."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("E-mail")
        WEBHOOK = "webhook", _("Webhook")
        WEB = "web", _("Sitrep in the browser")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="contact_methods")
    kind = models.CharField(max_length=20, choices=Kind)
    address = models.CharField(max_length=500, blank=True, help_text=_("An e-mail address or a web address."))
    secret = SecretField(blank=True, default="")
    is_enabled = models.BooleanField(default=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    broken_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["user", "id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "address"], name="contact_method_once"),
            models.CheckConstraint(condition=Q(kind="web") | ~Q(address=""), name="contact_method_address"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.address}".strip()

    @property
    def is_usable(self) -> bool:
        """Whether a page may go through it."""
        return self.is_enabled and self.verified_at is not None and not self.broken_reason


# --- Who is on call ---------------------------------------------------------------------------------------------------


class Schedule(models.Model):
    """A calendar that answers who is on call at an instant."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="schedules")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Weekday(models.IntegerChoices):
    """ISO weekdays less one, as `datetime.weekday()` counts them."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class Rotation(models.Model):
    """Ordered people who hand over every so many weeks at a wall-clock time of the schedule's zone."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="rotations")
    name = models.CharField(max_length=100)
    layer = models.PositiveSmallIntegerField(default=1, help_text=_("Only the highest layer that is active counts."))
    weeks = models.PositiveSmallIntegerField(default=1, help_text=_("Weeks between handovers."))
    handover_weekday = models.PositiveSmallIntegerField(choices=Weekday, default=Weekday.MONDAY)
    handover_time = models.TimeField()
    starts_on = models.DateField(help_text=_("The turn that holds this day is the first person's."))
    members: models.ManyToManyField[User, "RotationMember"] = models.ManyToManyField(
        User, through="RotationMember", related_name="rotations"
    )

    class Meta:
        ordering = ["schedule", "-layer", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(weeks__gte=1), name="rotation_weeks"),
            # Deferred, so that two rotations may swap their names.
            models.UniqueConstraint(
                fields=["schedule", "name"], name="rotation_name", deferrable=models.Deferrable.DEFERRED
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule}: {self.name}"


class RotationMember(models.Model):
    """A person's place in the order of a rotation."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="rotation_members")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="rotation_members")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["rotation", "position"]
        constraints = [models.UniqueConstraint(fields=["rotation", "position"], name="rotation_member_position")]

    def __str__(self) -> str:
        return f"{self.position}. {self.user}"


class Override(models.Model):
    """A person who is on call instead of whoever the rotations name, for a while."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="overrides")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["starts_at"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="override_lasts")]
        indexes = [models.Index(fields=["schedule", "ends_at"], name="override_schedule_end")]

    def __str__(self) -> str:
        return f"{self.user} {self.starts_at:%Y-%m-%d %H:%M} – {self.ends_at:%Y-%m-%d %H:%M} UTC"


# --- Whom to page -----------------------------------------------------------------------------------------------------


class EscalationPolicy(models.Model):
    """Levels of targets, walked until somebody answers."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="escalation_policies")
    repeats = models.PositiveSmallIntegerField(default=0, help_text=_("How often the levels are walked again."))

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "escalation policies"

    def __str__(self) -> str:
        return self.name


class EscalationLevel(models.Model):
    """One rung: whom to page, and how long to wait for an answer before the next rung."""

    policy = models.ForeignKey(EscalationPolicy, on_delete=models.CASCADE, related_name="levels")
    position = models.PositiveSmallIntegerField()
    timeout_minutes = models.PositiveSmallIntegerField(default=5)

    class Meta:
        ordering = ["policy", "position"]
        constraints = [models.UniqueConstraint(fields=["policy", "position"], name="escalation_level_position")]

    def __str__(self) -> str:
        return f"{self.policy}: level {self.position + 1}"


class EscalationTarget(models.Model):
    """Whom a level pages: whoever is on call on a schedule, or one person."""

    level = models.ForeignKey(EscalationLevel, on_delete=models.CASCADE, related_name="targets")
    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, null=True, blank=True, related_name="targets")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="escalation_targets")

    class Meta:
        ordering = ["level", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(schedule__isnull=False, user__isnull=True) | Q(schedule__isnull=True, user__isnull=False),
                name="escalation_target_is_one",
            )
        ]

    def __str__(self) -> str:
        return str(self.schedule or self.user)


# --- Running escalations ----------------------------------------------------------------------------------------------


class EscalationQuerySet(models.QuerySet["Escalation"]):
    """Escalations as an actor may see them."""

    def visible_to(self, actor: Actor) -> Self:
        """All but the private ones, which only those whom they page may see."""
        if actor.sees_everything:
            return self
        return self.filter(
            Q(is_private=False) | Q(pk__in=Page.objects.filter(user_id=actor.user_id or 0).values("escalation_id"))
        )

    def open(self) -> Self:
        """Those that still page or wait for their end."""
        return self.filter(status__in=[Escalation.Status.TRIGGERED, Escalation.Status.ACKNOWLEDGED])

    def unanswered_for(self, user: User) -> Self:
        """Those that have paged this person and that nobody has acknowledged, the oldest first."""
        paged = Page.objects.filter(user=user).values("escalation_id")
        return self.filter(
            pk__in=paged, status__in=[Escalation.Status.TRIGGERED, Escalation.Status.EXHAUSTED]
        ).order_by("started_at")


class Escalation(models.Model):
    """One running escalation. `path` is the frozen copy of its policy; `due_at` is when the engine looks at it next.

    `path` is `{"policy": name, "repeats": n, "levels": [{"timeout_seconds": n, "targets": [{"type", "id", "name"}]}]}`.
    """

    class Status(models.TextChoices):
        TRIGGERED = "triggered", _("Triggered")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        RESOLVED = "resolved", _("Resolved")
        EXHAUSTED = "exhausted", _("Nobody answered")

    policy = models.ForeignKey(EscalationPolicy, on_delete=models.SET_NULL, null=True, related_name="escalations")
    title = models.CharField(max_length=300)
    detail = models.TextField(blank=True)
    facts = models.JSONField(default=dict, help_text=_("What a page shows beside the title: severity, service, link."))
    is_private = models.BooleanField(default=False)
    path = models.JSONField()
    status = models.CharField(max_length=15, choices=Status, default=Status.TRIGGERED)
    level = models.PositiveSmallIntegerField(default=0, help_text=_("The level that is paged next."))
    round = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="acknowledged_escalations"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[EscalationQuerySet] = EscalationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="triggered", due_at__isnull=False)
                | (~Q(status="triggered") & Q(due_at__isnull=True)),
                name="escalation_due_while_triggered",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(status="triggered"), name="escalation_due"),
            models.Index(fields=["-id"], condition=Q(status__in=["triggered", "acknowledged"]), name="escalation_open"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"

    @property
    def is_open(self) -> bool:
        return self.status in {self.Status.TRIGGERED, self.Status.ACKNOWLEDGED}

    @property
    def time_to_acknowledge(self) -> timedelta | None:
        return self.acknowledged_at - self.started_at if self.acknowledged_at else None


class Page(models.Model):
    """Asks one person, through one contact method, to answer one level of an escalation."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting to be sent")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Could not be sent")
        DROPPED = "dropped", _("No longer needed")

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="pages")
    level = models.PositiveSmallIntegerField()
    round = models.PositiveSmallIntegerField()
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="pages")
    contact_method = models.ForeignKey(ContactMethod, on_delete=models.SET_NULL, null=True, related_name="pages")
    channel = models.CharField(max_length=20)
    address = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["escalation", "level", "round", "user", "contact_method"],
                name="page_once",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=["pending", "sending"]), name="page_due"),
            models.Index(fields=["user", "-id"], name="page_user"),
        ]

    def __str__(self) -> str:
        return f"page {self.pk} to {self.user} by {self.channel}"


class PageAttempt(models.Model):
    """One try to send a page: when, and what came of it. `unknown` is a try whose end nobody saw."""

    class Outcome(models.TextChoices):
        UNKNOWN = "unknown", _("Unknown")
        ACCEPTED = "accepted", _("Accepted")
        FAILED = "failed", _("Failed")
        REFUSED = "refused", _("Refused for good")

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.UNKNOWN)
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["page", "number"]
        constraints = [models.UniqueConstraint(fields=["page", "number"], name="page_attempt_number")]

    def __str__(self) -> str:
        return f"attempt {self.number} of page {self.page_id}: {self.outcome}"


class EscalationEntry(models.Model):
    """A line of an escalation's ledger; the database refuses to change or delete it."""

    class Kind(models.TextChoices):
        STARTED = "started", _("Started")
        PAGED = "paged", _("Paged")
        SKIPPED = "skipped", _("Skipped")
        FAILED = "failed", _("Could not be delivered")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        RESOLVED = "resolved", _("Resolved")
        EXHAUSTED = "exhausted", _("Exhausted")

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=15, choices=Kind)
    at = models.DateTimeField()
    text = models.CharField(max_length=500)
    actor_name = models.CharField(max_length=200, blank=True)
    via = models.CharField(max_length=20, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "escalation entries"

    def __str__(self) -> str:
        return self.text


class EngineBeat(models.Model):
    """When each engine last did its round: the proof that paging is alive."""

    name = models.CharField(max_length=40, primary_key=True)
    beat_at = models.DateTimeField()
    data: Any = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.name} at {self.beat_at}"
