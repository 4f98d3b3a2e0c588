"""The work of an incident: things to do now, the first minutes, links."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.configuration import ChecklistItem


class IncidentAction(models.Model):
    """Something to do now, while the incident lasts. What is left to do after it is an action item."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="actions")
    title = models.CharField(max_length=250)
    assignee = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="incident_actions"
    )
    created_at = models.DateTimeField()
    created_by_name = models.CharField(max_length=200)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by_name = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["incident", "id"]
        indexes = [models.Index(fields=["assignee"], condition=Q(done_at=None), name="incident_action_mine")]

    def __str__(self) -> str:
        return self.title


class ChecklistTick(models.Model):
    """A line of the checklist that is done in an incident."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="ticks")
    item = models.ForeignKey(ChecklistItem, on_delete=models.CASCADE, related_name="ticks")
    done_at = models.DateTimeField()
    done_by_name = models.CharField(max_length=200)

    class Meta:
        ordering = ["incident", "item"]
        constraints = [models.UniqueConstraint(fields=["incident", "item"], name="checklist_tick_once")]

    def __str__(self) -> str:
        return str(self.item)


class IncidentLink(models.Model):
    """An address that belongs to an incident: a pull request, a dashboard, a document, a ticket."""

    class Kind(models.TextChoices):
        PULL_REQUEST = "pull_request", _("Pull request")
        DEPLOY = "deploy", _("Deploy")
        DASHBOARD = "dashboard", _("Dashboard")
        DOCUMENT = "document", _("Document")
        TICKET = "ticket", _("Ticket")
        OTHER = "other", _("Link")

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=15, choices=Kind, default=Kind.OTHER)
    url = models.URLField(max_length=1000)
    title = models.CharField(max_length=250, blank=True, help_text=_("As somebody named it, or as the page is called."))
    is_read = models.BooleanField(default=False, help_text=_("Whether the page was asked what it is called."))
    added_at = models.DateTimeField()
    added_by_name = models.CharField(max_length=200)

    class Meta:
        ordering = ["incident", "id"]
        constraints = [models.UniqueConstraint(fields=["incident", "url"], name="incident_link_once")]

    def __str__(self) -> str:
        return self.title or self.url
