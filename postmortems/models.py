"""The learning document of an incident, and the work that it leads to."""

from datetime import date
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import User
from incidents.models import Incident, IncidentRole


class Source(models.TextChoices):
    """Where the text of a section comes from."""

    WRITTEN = "written", _("Written by people")
    SUMMARY = "summary", _("Summary, filled in")
    IMPACT = "impact", _("Impact, filled in")
    TIMELINE = "timeline", _("Timeline, filled in")


class SectionTemplate(models.Model):
    """A section that each new postmortem starts with. `source` names what Sitrep fills in by itself."""

    slug = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=10, choices=Source, default=Source.WRITTEN)
    owner_role = models.ForeignKey(IncidentRole, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    prompt = models.TextField(blank=True, help_text=_("The Markdown that the section starts with."))

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.title


class PostmortemQuerySet(models.QuerySet["Postmortem"]):
    """Postmortems as an actor may see them."""

    def visible_to(self, actor: Actor) -> Self:
        if actor.sees_everything:
            return self
        return self.filter(incident__in=Incident.objects.visible_to(actor))


class Postmortem(models.Model):
    """The learning document of one incident."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        IN_REVIEW = "in_review", _("In review")
        PUBLISHED = "published", _("Published")

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="postmortem")
    title = models.CharField(max_length=250)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    authors: models.ManyToManyField[User, "models.Model"] = models.ManyToManyField(
        User, blank=True, related_name="postmortems"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[PostmortemQuerySet] = PostmortemQuerySet.as_manager()  # type: ignore[assignment]  # it has its methods

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/postmortems/{self.pk}/"


class PostmortemSection(models.Model):
    """One section: Markdown. `version` grows with each save, so that nobody overwrites what they have not read.

    While `is_generated`, Sitrep fills it in and keeps it in step with the incident until the postmortem is published;
    the first person who saves it takes it over.
    """

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="sections")
    slug = models.SlugField(max_length=40)
    title = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=10, choices=Source, default=Source.WRITTEN)
    owner_role = models.ForeignKey(IncidentRole, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    is_generated = models.BooleanField(default=False)
    text = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["postmortem", "position"]
        constraints = [models.UniqueConstraint(fields=["postmortem", "slug"], name="postmortem_section_once")]

    def __str__(self) -> str:
        return self.title


class ActionItemQuerySet(models.QuerySet["ActionItem"]):
    """Action items as an actor may see them."""

    def visible_to(self, actor: Actor) -> Self:
        if actor.sees_everything:
            return self
        return self.filter(incident__in=Incident.objects.visible_to(actor))

    def open(self) -> Self:
        return self.filter(status__in=[ActionItem.Status.PLANNED, ActionItem.Status.IN_PROGRESS])

    def overdue(self, today: date) -> Self:
        return self.open().filter(due_on__lt=today)


class ActionItem(models.Model):
    """An owned, dated, prioritised task that an incident leads to."""

    class Priority(models.TextChoices):
        P0 = "P0", _("P0 Now")
        P1 = "P1", _("P1 Soon")
        P2 = "P2", _("P2 Later")

    class Status(models.TextChoices):
        PLANNED = "planned", _("Planned")
        IN_PROGRESS = "in_progress", _("In progress")
        DONE = "done", _("Done")
        WONT_DO = "wont_do", _("Won't do")

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="action_items")
    title = models.CharField(max_length=250)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="action_items")
    due_on = models.DateField(null=True, blank=True)
    priority = models.CharField(max_length=2, choices=Priority, default=Priority.P1)
    status = models.CharField(max_length=12, choices=Status, default=Status.PLANNED)
    ticket_url = models.URLField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ActionItemQuerySet] = ActionItemQuerySet.as_manager()  # type: ignore[assignment]  # it has its methods

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="done", done_at__isnull=False) | (~Q(status="done") & Q(done_at__isnull=True)),
                name="action_item_done_at",
            )
        ]
        indexes = [models.Index(fields=["owner", "due_on"], name="action_item_owner")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.status in {self.Status.PLANNED, self.Status.IN_PROGRESS}

    def is_overdue(self, today: date) -> bool:
        return self.is_open and self.due_on is not None and self.due_on < today
