"""What on-call duty leaves behind: handovers, surveys after a shift, hours and pay."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from accounts.secrets import SecretField
from oncall.models.schedules import Schedule


class Handover(models.Model):
    """The change of a shift: a person's note, and the summary that was mailed to those who come."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="handovers")
    at = models.DateTimeField()
    going: models.ManyToManyField[User, Any] = models.ManyToManyField(User, related_name="handovers_given", blank=True)
    coming: models.ManyToManyField[User, Any] = models.ManyToManyField(User, related_name="handovers_taken", blank=True)
    note = models.TextField(blank=True)
    note_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    summary: Any = models.JSONField(default=dict, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["schedule", "at"], name="handover_once")]

    def __str__(self) -> str:
        return f"{self.schedule} {self.at:%Y-%m-%d %H:%M} UTC"


class ShiftSurvey(models.Model):
    """Two questions after a shift: how was it (1 bad to 5 good), and what hurt."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="surveys")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="shift_surveys")
    shift_start = models.DateTimeField()
    shift_end = models.DateTimeField()
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    what_hurt = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-shift_end", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "user", "shift_end"], name="shift_survey_once"),
            models.CheckConstraint(
                condition=Q(score__isnull=True) | Q(score__gte=1, score__lte=5), name="shift_survey_score"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} on {self.schedule} until {self.shift_end:%Y-%m-%d}"


class RateTable(models.Model):
    """What an hour on call is worth, by kind, and what a page adds. A night runs from `night_from` to `night_until`."""

    name = models.CharField(max_length=100, unique=True)
    currency = models.CharField(max_length=3, default="EUR")
    weekday = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    night = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    weekend = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    holiday = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    per_page = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    night_from = models.TimeField(default="22:00")
    night_until = models.TimeField(default="06:00")
    rest_hours = models.PositiveSmallIntegerField(default=11, help_text=_("Rest that is due after a page at night."))

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DutyStatement(models.Model):
    """A person's hours on a schedule in a month and what they are worth; once approved it does not change.

    `hours` is `{"weekday": h, "night": h, "weekend": h, "holiday": h}`; `broken_rests` counts nights whose rest was cut
    short.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        APPROVED = "approved", _("Approved")

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="statements")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="duty_statements")
    starts_on = models.DateField()
    ends_on = models.DateField()
    hours: Any = models.JSONField(default=dict)
    pages = models.PositiveIntegerField(default=0)
    broken_rests = models.PositiveIntegerField(default=0)
    amount = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    currency = models.CharField(max_length=3, default="EUR")
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    approved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-starts_on", "user"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "user", "starts_on"], name="duty_statement_once"),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="duty_statement_lasts"),
        ]

    def __str__(self) -> str:
        return f"{self.user} on {self.schedule}, {self.starts_on:%Y-%m}"


class BoardAddress(models.Model):
    """A secret address at which a wall screen shows who is on call, of one team or of all, without signing in."""

    name = models.CharField(max_length=100, unique=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    token = SecretField()
    token_hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "board addresses"

    def __str__(self) -> str:
        return self.name
