"""Who is on call: schedules, rotations, overrides, swaps, shadows, leave, calendars, cover requests."""

import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User, check_time_zone
from accounts.secrets import SecretField


class Weekday(models.IntegerChoices):
    """ISO weekdays less one, as `datetime.weekday()` counts them."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


def working_days() -> list[int]:
    """Monday to Friday."""
    return [0, 1, 2, 3, 4]


def monday_at_nine() -> list[dict[str, Any]]:
    """The handover that most teams have."""
    return [{"weekday": 0, "time": "09:00"}]


class Schedule(models.Model):
    """A calendar that answers who is on call at an instant."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="schedules")
    country = models.CharField(max_length=10, blank=True, help_text=_("For public holidays: DE, TH, US-CA."))
    working_days = ArrayField(models.PositiveSmallIntegerField(choices=Weekday), default=working_days, blank=True)
    working_from = models.TimeField(default="09:00")
    working_until = models.TimeField(default="17:00")
    rate_table = models.ForeignKey(
        "oncall.RateTable", on_delete=models.SET_NULL, null=True, blank=True, related_name="schedules"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Rotation(models.Model):
    """Ordered people who hand over at wall-clock times of the schedule's zone.

    A change that starts at a date ends one row (`effective_until`) and begins another of the same `series`: the past
    stays as it was. `handovers` is `[{"weekday": 0, "time": "09:00"}, …]` for weeks (one or several a week) and
    `[{"time": "09:00"}]` for hours, days and months; a month hands over on the day of `starts_on`.
    """

    class Period(models.TextChoices):
        HOURS = "hours", _("Hours")
        DAYS = "days", _("Days")
        WEEKS = "weeks", _("Weeks")
        MONTHS = "months", _("Months")

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="rotations")
    series = models.UUIDField(default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    layer = models.PositiveSmallIntegerField(default=1, help_text=_("Only the highest layer that is active counts."))
    period = models.CharField(max_length=6, choices=Period, default=Period.WEEKS)
    interval = models.PositiveSmallIntegerField(default=1, help_text=_("Periods between handovers."))
    handovers = models.JSONField(default=monday_at_nine)
    starts_on = models.DateField(help_text=_("The turn that holds this day is the first person's."))
    people_at_once = models.PositiveSmallIntegerField(default=1)
    active_from = models.TimeField(null=True, blank=True)
    active_until = models.TimeField(null=True, blank=True)
    active_weekdays = ArrayField(models.PositiveSmallIntegerField(choices=Weekday), default=list, blank=True)
    effective_from = models.DateTimeField(null=True, blank=True)
    effective_until = models.DateTimeField(null=True, blank=True)
    members: models.ManyToManyField[User, "RotationMember"] = models.ManyToManyField(
        User, through="RotationMember", related_name="rotations"
    )

    class Meta:
        ordering = ["schedule", "-layer", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(interval__gte=1), name="rotation_interval"),
            models.CheckConstraint(condition=Q(people_at_once__gte=1), name="rotation_people_at_once"),
            models.CheckConstraint(
                condition=Q(active_from__isnull=True, active_until__isnull=True)
                | Q(active_from__isnull=False, active_until__isnull=False),
                name="rotation_active_hours_are_two",
            ),
            # Deferred, so that two rotations may swap their names. Versions that have ended keep theirs.
            models.UniqueConstraint(
                fields=["schedule", "name", "effective_until"],
                name="rotation_name",
                nulls_distinct=False,
                deferrable=models.Deferrable.DEFERRED,
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


class Substitution(models.Model):
    """In the turn of a rotation that holds `anchor`, `coming` takes the place of `going`.

    It belongs to the turn, not to its hours: when the handover moves, it moves along. A swap is two of them.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="substitutions")
    series = models.UUIDField()
    anchor = models.DateTimeField()
    going = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    coming = models.ForeignKey(User, on_delete=models.PROTECT, related_name="substitutions")
    swap = models.UUIDField(null=True, blank=True, help_text=_("The same for both halves of a swap."))
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["anchor"]
        indexes = [models.Index(fields=["schedule", "anchor"], name="substitution_schedule")]

    def __str__(self) -> str:
        return f"{self.coming} for {self.going} on {self.anchor:%Y-%m-%d}"


class Override(models.Model):
    """A person who is on call instead of whoever the rotations name, or of one of them, for a while."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="overrides")
    replaces = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
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


class Shadow(models.Model):
    """Somebody who is told what a schedule is paged for while they learn, and is never paged themselves.

    `begun_at` is when it was seen to have begun: what is told at the beginning is told once.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="shadows")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="shadows")
    follows = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["starts_at"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="shadow_lasts")]
        indexes = [models.Index(fields=["schedule", "ends_at"], name="shadow_schedule_end")]

    def __str__(self) -> str:
        return f"{self.user} shadows {self.follows or self.schedule}"


class Leave(models.Model):
    """A time in which a person is away. It changes nobody's duty: a shift within it is a conflict to solve."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="leaves")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["starts_at"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="leave_lasts")]
        indexes = [models.Index(fields=["user", "ends_at"], name="leave_user_end")]

    def __str__(self) -> str:
        return f"{self.user} away {self.starts_at:%Y-%m-%d} – {self.ends_at:%Y-%m-%d}"


class CoverRequest(models.Model):
    """Somebody asks one person, several, a team or anybody to take a stretch of a shift."""

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        ACCEPTED = "accepted", _("Accepted")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        DECLINED = "declined", _("Declined by all")
        EXPIRED = "expired", _("Nobody answered")

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="cover_requests")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="cover_requests")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    asked: models.ManyToManyField[User, Any] = models.ManyToManyField(User, blank=True, related_name="asked_to_cover")
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    covered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="covers")
    override = models.ForeignKey(Override, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="cover_request_lasts")]
        indexes = [models.Index(fields=["status", "starts_at"], name="cover_request_open")]

    def __str__(self) -> str:
        return f"{self.user} asks for cover on {self.schedule} from {self.starts_at:%Y-%m-%d %H:%M} UTC"


class CoverRefusal(models.Model):
    """Somebody who was asked and cannot."""

    request = models.ForeignKey(CoverRequest, on_delete=models.CASCADE, related_name="refusals")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "user"], name="cover_refusal_once")]

    def __str__(self) -> str:
        return f"{self.user} cannot"


class ImportedCalendar(models.Model):
    """A calendar elsewhere that says who is on call; its address is a secret. Its overrides beat its shifts."""

    class Kind(models.TextChoices):
        PRIMARY = "primary", _("Shifts")
        OVERRIDES = "overrides", _("Overrides")

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="calendars")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PRIMARY)
    address = SecretField()
    etag = models.CharField(max_length=300, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["schedule", "kind"]
        constraints = [models.UniqueConstraint(fields=["schedule", "kind"], name="imported_calendar_once")]

    def __str__(self) -> str:
        return f"{self.schedule}: {self.get_kind_display()}"


class ImportedShift(models.Model):
    """One event of such a calendar; without a user it is an empty shift: its name is nobody's here."""

    calendar = models.ForeignKey(ImportedCalendar, on_delete=models.CASCADE, related_name="shifts")
    uid = models.CharField(max_length=300)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=300, blank=True)
    layer = models.PositiveSmallIntegerField(default=0)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_at"]
        indexes = [models.Index(fields=["calendar", "ends_at"], name="imported_shift_end")]

    def __str__(self) -> str:
        return f"{self.name} {self.starts_at:%Y-%m-%d %H:%M} UTC"


class CalendarFeed(models.Model):
    """A secret address at which a calendar program reads a schedule's shifts, or a person's own."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, null=True, blank=True, related_name="feeds")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="calendar_feeds")
    token_hash = models.CharField(max_length=64, unique=True)
    token = SecretField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "schedule"], name="calendar_feed_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"feed of {self.schedule or self.user}"
