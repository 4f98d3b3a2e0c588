"""The record of an incident: updates, the timeline, and what hangs on its entries."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.configuration import IncidentStatus, Severity


class IncidentUpdate(models.Model):
    """An internal update: what is known, for everybody who follows."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="updates")
    text = models.TextField(help_text=_("What is known."))
    doing = models.TextField(blank=True, help_text=_("What is being done."))
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
        MESSAGE = "message", _("Message")
        DECISION = "decision", _("Decision")
        FINDING = "finding", _("Finding")
        FILE = "file", _("File")
        LINK = "link", _("Link")
        ACTION = "action", _("Action")
        FIELD = "field", _("Field")
        TIME = "time", _("Time")
        MERGE = "merge", _("Merge")
        STREAM = "stream", _("Stream")
        WORKFLOW = "workflow", _("Workflow")

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="timeline")
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
    recorded_at = models.DateTimeField(null=True, help_text=_("When it was written; it can tell of another time."))
    edited_at = models.DateTimeField(null=True, blank=True)
    pinned_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True, help_text=_("When what a person wrote was taken away."))
    in_postmortem = models.BooleanField(default=True)
    reply_to = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="replies")
    origin = models.ForeignKey(
        "incidents.Incident",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The incident in which it was written: a merged one, a stream."),
    )
    change = models.PositiveIntegerField(
        default=0, help_text=_("The number of its newest change among all changes of entries of the incident; 0: none.")
    )

    class Meta:
        ordering = ["incident", "-sequence"]
        verbose_name_plural = "timeline entries"
        constraints = [models.UniqueConstraint(fields=["incident", "sequence"], name="timeline_sequence")]
        indexes = [
            models.Index(fields=["incident", "-occurred_at", "-sequence"], name="timeline_told"),
            models.Index(fields=["incident", "change"], condition=Q(change__gt=0), name="timeline_changed"),
            models.Index(
                fields=["incident", "-pinned_at"], condition=Q(pinned_at__isnull=False), name="timeline_pinned"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence}. {self.text[:80]}"


class TimelineRevision(models.Model):
    """How an entry stood before somebody edited or moved it."""

    entry = models.ForeignKey(TimelineEntry, on_delete=models.CASCADE, related_name="revisions")
    text = models.TextField()
    occurred_at = models.DateTimeField()
    replaced_at = models.DateTimeField()
    replaced_by_name = models.CharField(max_length=200)
    reason = models.CharField(max_length=300, blank=True, help_text=_("Why it was edited or moved, if somebody said."))

    class Meta:
        ordering = ["entry", "-id"]

    def __str__(self) -> str:
        return self.text[:80]


class Reaction(models.Model):
    """One person's emoji on an entry."""

    entry = models.ForeignKey(TimelineEntry, on_delete=models.CASCADE, related_name="reactions")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    emoji = models.CharField(max_length=16)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["entry", "id"]
        constraints = [models.UniqueConstraint(fields=["entry", "user", "emoji"], name="reaction_once")]

    def __str__(self) -> str:
        return f"{self.emoji} {self.user}"


class IncidentFile(models.Model):
    """A file or a picture that somebody put into the timeline, kept by Django's storage."""

    entry = models.ForeignKey(TimelineEntry, on_delete=models.CASCADE, related_name="files")
    public_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    file = models.FileField(upload_to="incidents/%Y/%m/", max_length=300)
    name = models.CharField(max_length=200, help_text=_("As it was called where it came from."))
    content_type = models.CharField(max_length=100, help_text=_("As its bytes tell, not its name."))
    size = models.PositiveIntegerField(help_text=_("Bytes."))
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["entry", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        return self.width is not None
