"""The record of an incident: updates, the timeline, and what hangs on its entries."""

from dataclasses import dataclass
from typing import ClassVar, Self
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


class TimelineEntryQuerySet(models.QuerySet["TimelineEntry"]):
    """Entries as the timeline shows them."""

    def for_timeline(self) -> Self:
        """With all that a line of the timeline shows, in a constant number of queries."""
        return self.select_related("reply_to", "origin").prefetch_related(
            models.Prefetch("reactions", Reaction.objects.select_related("user"), to_attr="shown_reactions"),
            models.Prefetch("files", to_attr="shown_files"),
        )

    def newest_first(self) -> Self:
        """By when what they tell of happened; the sequence decides between those of one instant."""
        return self.order_by("-occurred_at", "-sequence")


@dataclass(frozen=True)
class ReactionGroup:
    """One emoji on an entry, and who gave it."""

    emoji: str
    user_ids: tuple[int, ...]
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(self.user_ids)


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

    # What `for_timeline()` fills; an entry that was just written has neither.
    shown_reactions: "list[Reaction]"
    shown_files: "list[IncidentFile]"

    objects: ClassVar[TimelineEntryQuerySet] = TimelineEntryQuerySet.as_manager()  # type: ignore[assignment]  # it has its methods

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

    @property
    def is_written(self) -> bool:
        """Whether a person wrote it, so that it can be edited and removed; the rest tells what happened."""
        return self.kind in WRITTEN_KINDS

    @property
    def is_markdown(self) -> bool:
        return self.kind in MARKDOWN_KINDS

    @property
    def is_told_later(self) -> bool:
        """Whether it tells of another time than that at which it was written, to the minute."""
        return self.recorded_at is not None and abs((self.recorded_at - self.occurred_at).total_seconds()) >= 60

    @property
    def removed_by(self) -> str:
        """Who took it away; empty while it stands."""
        return str(self.data.get("removed_by", "")) if self.removed_at else ""

    @property
    def removed_by_user(self) -> int | None:
        """The id of the person who took it away, if one did."""
        return self.data.get("removed_by_user") if self.removed_at else None

    @property
    def not_told(self) -> list[str]:
        """The names of people who are mentioned in it and may not see the incident."""
        return [str(name) for name in self.data.get("not_told", [])]

    @property
    def reaction_groups(self) -> list[ReactionGroup]:
        """Its reactions by emoji, in the order in which they came; reads what `for_timeline()` fills."""
        given: dict[str, list[Reaction]] = {}
        for reaction in getattr(self, "shown_reactions", []):
            given.setdefault(reaction.emoji, []).append(reaction)
        return [
            ReactionGroup(emoji, tuple(each.user_id for each in rows), tuple(each.user.display_name for each in rows))
            for emoji, rows in given.items()
        ]


WRITTEN_KINDS = frozenset(
    {
        TimelineEntry.Kind.NOTE,
        TimelineEntry.Kind.MESSAGE,
        TimelineEntry.Kind.DECISION,
        TimelineEntry.Kind.FINDING,
        TimelineEntry.Kind.FILE,
    }
)
MARKDOWN_KINDS = WRITTEN_KINDS | {TimelineEntry.Kind.UPDATE}


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

    def get_absolute_url(self) -> str:
        return f"/incidents/files/{self.public_id}/"
