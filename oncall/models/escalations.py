"""Running escalations: their pages, every attempt and receipt, every answer, and the ledger that proves it."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import User
from oncall.models.people import ContactMethod, Urgency
from oncall.models.policies import EscalationPolicy


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
    """One running escalation. `path` is the frozen copy of its policy (oncall/paths.py); `due_at` is when the engine
    looks at it next: for the next level, because nothing followed an acknowledgement, because a snooze is over, or to
    end it.

    Where it stands in its path: `stage`, `level` (the one that is paged next) and `round`; `run` counts how often the
    path was begun again, so that no page of an earlier run is mistaken for one of this. `entry_count` and `entry_hash`
    are the end of its ledger's chain.
    """

    class Status(models.TextChoices):
        TRIGGERED = "triggered", _("Triggered")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        RESOLVED = "resolved", _("Resolved")
        EXHAUSTED = "exhausted", _("Nobody answered")

    class Outcome(models.TextChoices):
        OPEN = "", _("Open")
        RESOLVED = "resolved", _("Resolved")
        AUTO_RESOLVED = "auto_resolved", _("Ended by itself")
        EXHAUSTED = "exhausted", _("Nobody answered")

    policy = models.ForeignKey(EscalationPolicy, on_delete=models.SET_NULL, null=True, related_name="escalations")
    title = models.CharField(max_length=300)
    detail = models.TextField(blank=True)
    facts = models.JSONField(default=dict, help_text=_("What a page shows beside the title: severity, service, link."))
    urgency = models.CharField(max_length=4, choices=Urgency, default=Urgency.HIGH)
    is_private = models.BooleanField(default=False)
    path = models.JSONField()
    status = models.CharField(max_length=15, choices=Status, default=Status.TRIGGERED)
    level = models.PositiveSmallIntegerField(default=0, help_text=_("The level that is paged next."))
    round = models.PositiveSmallIntegerField(default=0)
    stage = models.PositiveSmallIntegerField(default=0)
    run = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    auto_resolve_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="acknowledged_escalations"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=15, choices=Outcome, default=Outcome.OPEN, blank=True)
    entry_count = models.PositiveIntegerField(default=0)
    entry_hash = models.CharField(max_length=64, blank=True)

    objects: ClassVar[EscalationQuerySet] = EscalationQuerySet.as_manager()  # type: ignore[assignment]  # it has its methods

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="triggered", due_at__isnull=False)
                | Q(status="acknowledged")
                | Q(status__in=["resolved", "exhausted"], due_at__isnull=True),
                name="escalation_due_while_triggered",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="escalation_due"),
            models.Index(fields=["-id"], condition=Q(status__in=["triggered", "acknowledged"]), name="escalation_open"),
            models.Index(
                fields=["id"],
                condition=Q(status__in=["resolved", "exhausted"], outcome=""),
                name="escalation_no_outcome",
            ),
            models.Index(fields=["started_at"], name="escalation_started"),
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
    run = models.PositiveSmallIntegerField(default=0)
    step = models.PositiveSmallIntegerField(default=0, help_text=_("Which of the person's rules asked for it."))
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="pages")
    contact_method = models.ForeignKey(ContactMethod, on_delete=models.SET_NULL, null=True, related_name="pages")
    channel = models.CharField(max_length=20)
    address = models.CharField(max_length=500, blank=True)
    is_extra = models.BooleanField(default=False, help_text=_("A call for help: it is sent though somebody has it."))
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    carried_by = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="carries",
        help_text=_("The page that was sent for this one too, when several were due at once."),
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["escalation", "run", "level", "round", "user", "contact_method", "step"],
                name="page_once",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=["pending", "sending"]), name="page_due"),
            models.Index(fields=["user", "-id"], name="page_user"),
            models.Index(fields=["created_at"], name="page_created"),
        ]

    def __str__(self) -> str:
        return f"page {self.pk} to {self.user} by {self.channel}"


class PageAttempt(models.Model):
    """One try to send a page: when, and what came of it.

    `unknown` is a try whose end nobody saw; `not_sent` is none at all: the page was no longer needed by then.
    """

    class Outcome(models.TextChoices):
        UNKNOWN = "unknown", _("Unknown")
        ACCEPTED = "accepted", _("Accepted")
        FAILED = "failed", _("Failed")
        REFUSED = "refused", _("Refused for good")
        NOT_SENT = "not_sent", _("Not sent")

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.UNKNOWN)
    detail = models.CharField(max_length=500, blank=True)
    provider = models.CharField(max_length=60, blank=True)
    provider_id = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["page", "number"]
        constraints = [models.UniqueConstraint(fields=["page", "number"], name="page_attempt_number")]
        indexes = [models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="page_attempt_provider_id")]

    def __str__(self) -> str:
        return f"attempt {self.number} of page {self.page_id}: {self.outcome}"


class PageReceipt(models.Model):
    """What a provider said of an attempt afterwards: it was delivered, read, answered by a key, or never arrived."""

    class Kind(models.TextChoices):
        DELIVERED = "delivered", _("Delivered")
        READ = "read", _("Opened")
        ANSWERED = "answered", _("Answered")
        FAILED = "failed", _("Not delivered")

    attempt = models.ForeignKey(PageAttempt, on_delete=models.CASCADE, related_name="receipts")
    kind = models.CharField(max_length=10, choices=Kind)
    at = models.DateTimeField()
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["attempt", "id"]
        constraints = [models.UniqueConstraint(fields=["attempt", "kind", "detail"], name="page_receipt_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%H:%M:%S}"


class EscalationAnswer(models.Model):
    """What a paged person said to one run of an escalation."""

    class Kind(models.TextChoices):
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        DECLINED = "declined", _("Declined")

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="answers")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="escalation_answers")
    kind = models.CharField(max_length=15, choices=Kind)
    run = models.PositiveSmallIntegerField(default=0)
    level = models.PositiveSmallIntegerField()
    round = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        ordering = ["escalation", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["escalation", "run", "level", "round", "user"], name="escalation_answer_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.kind}"


class EscalationEntry(models.Model):
    """A line of an escalation's ledger; the database refuses to change or delete it.

    `hash` covers the line and the hash of the line before (oncall/ledger.py): none can be changed, left out or slipped
    in without breaking the chain.
    """

    class Kind(models.TextChoices):
        STARTED = "started", _("Started")
        PAGED = "paged", _("Paged")
        TOLD = "told", _("Told")
        SKIPPED = "skipped", _("Skipped")
        SENT = "sent", _("Sent")
        DROPPED = "dropped", _("Not sent")
        FAILED = "failed", _("Could not be delivered")
        RECEIPT = "receipt", _("Receipt")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        DECLINED = "declined", _("Declined")
        ESCALATED = "escalated", _("Escalated")
        REASSIGNED = "reassigned", _("Reassigned")
        RESPONDER_ADDED = "responder_added", _("Responder added")
        SNOOZED = "snoozed", _("Snoozed")
        AGAIN = "again", _("Paging again")
        RESOLVED = "resolved", _("Resolved")
        EXHAUSTED = "exhausted", _("Exhausted")

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="entries")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=15, choices=Kind)
    at = models.DateTimeField()
    text = models.CharField(max_length=500)
    actor_name = models.CharField(max_length=200, blank=True)
    via = models.CharField(max_length=20, blank=True)
    data = models.JSONField(default=dict)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["escalation", "number"]
        verbose_name_plural = "escalation entries"
        constraints = [models.UniqueConstraint(fields=["escalation", "number"], name="escalation_entry_number")]
        indexes = [models.Index(fields=["at"], name="escalation_entry_at")]

    def __str__(self) -> str:
        return self.text


class LedgerRoot(models.Model):
    """One hash over the ledger lines of a day (UTC) and the root before; once it is published, nobody can rewrite."""

    day = models.DateField(primary_key=True)
    lines = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"{self.day}: {self.hash}"


class EngineBeat(models.Model):
    """When each engine last did its round: the proof that paging is alive."""

    name = models.CharField(max_length=40, primary_key=True)
    beat_at = models.DateTimeField()
    data: Any = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.name} at {self.beat_at}"
