"""The ordered rules that decide about alerts, what they notify, and what belongs together."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from accounts.secrets import SecretField
from incidents.models import Incident, IncidentType, Severity
from oncall.models import Escalation, EscalationPolicy, Urgency


class AlertRoute(models.Model):
    """One rule of the ordered list: the first enabled route whose conditions hold decides what becomes of an alert.

    One that `continues` only notifies and declares, and lets the next one decide about paging. What `group_by` (paths
    of facts) says is the same joins one escalation and one incident, within the window; without a window for as long
    as the escalation or the incident is open.
    """

    class Paging(models.TextChoices):
        POLICY = "policy", _("Page the chosen escalation policy")
        SERVICE = "service", _("Page the escalation policy of the alert's service")
        TEAM = "team", _("Page the escalation policy of the alert's team")
        NOBODY = "nobody", _("Page nobody")
        SUPPRESS = "suppress", _("Suppress it: no page, no incident")

    class Window(models.TextChoices):
        ROLLING = "rolling", _("Counted from the newest of them")
        FIXED = "fixed", _("Counted from the first of them")

    class Joining(models.TextChoices):
        NEVER = "never", _("Never")
        RISES = "rises", _("Only when the priority rises")
        ALWAYS = "always", _("Always")

    name = models.CharField(max_length=100, unique=True)
    position = models.PositiveIntegerField()
    is_enabled = models.BooleanField(default=True)
    conditions = models.JSONField(default=dict, blank=True)
    continues = models.BooleanField(default=False, help_text=_("Look at the next routes too."))
    paging = models.CharField(max_length=10, choices=Paging, default=Paging.SERVICE)
    escalation_policy = models.ForeignKey(
        EscalationPolicy,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="alert_routes",
        help_text=_("The policy to page; for the service's or team's policy, what to page when there is none."),
    )
    urgency = models.CharField(max_length=4, choices=Urgency, blank=True, help_text=_("Empty: as the service says."))
    suppress_reason = models.CharField(max_length=300, blank=True)
    wait_seconds = models.PositiveIntegerField(
        default=0, help_text=_("So long it may end by itself before anything is done.")
    )
    declares_incident = models.BooleanField(default=False)
    attaches_to_open = models.BooleanField(
        default=False, help_text=_("Attach it to the open incident of its service, if there is one.")
    )
    in_triage = models.BooleanField(default=False, help_text=_("Its incidents wait for somebody to accept them."))
    severity = models.ForeignKey(Severity, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    severity_map = models.JSONField(
        default=dict, blank=True, help_text=_("The slug of the incident's severity, by what the alert calls its own.")
    )
    incident_type = models.ForeignKey(IncidentType, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    name_template = models.CharField(max_length=500, blank=True)
    summary_template = models.TextField(blank=True)
    group_by = models.JSONField(default=list, blank=True)
    group_minutes = models.PositiveIntegerField(null=True, blank=True)
    group_window = models.CharField(max_length=10, choices=Window, default=Window.ROLLING)
    joining = models.CharField(max_length=10, choices=Joining, default=Joining.RISES)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(paging="policy") | Q(escalation_policy__isnull=False), name="alert_route_policy"
            ),
            models.CheckConstraint(
                condition=Q(declares_incident=False) | Q(severity__isnull=False), name="alert_route_severity"
            ),
            models.CheckConstraint(condition=Q(continues=False) | Q(paging="nobody"), name="alert_route_continues"),
        ]

    def __str__(self) -> str:
        return self.name


class RouteNotice(models.Model):
    """Whom a route notifies: a person, a team, a chat (an Apprise address) or a webhook. Nobody has to answer."""

    class Kind(models.TextChoices):
        USER = "user", _("Person")
        TEAM = "team", _("Team")
        CHAT = "chat", _("Chat")
        WEBHOOK = "webhook", _("Webhook")

    route = models.ForeignKey(AlertRoute, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=100, blank=True)
    address = SecretField(blank=True, default="")

    class Meta:
        ordering = ["route", "id"]

    def __str__(self) -> str:
        return str(self.user or self.team or self.name)


class AlertGroup(models.Model):
    """Alerts that are one matter: those of a route for which everything in its `group_by` is the same."""

    route = models.ForeignKey(AlertRoute, on_delete=models.CASCADE, related_name="groups")
    key = models.CharField(max_length=64, help_text=_("A hash of the values."))
    values = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    joined_at = models.DateTimeField(help_text=_("When the newest of them joined."))
    closes_at = models.DateTimeField(null=True, blank=True)
    is_open = models.BooleanField(default=True)
    priority = models.PositiveSmallIntegerField(default=3, help_text=_("The highest that one of them had."))
    escalation = models.ForeignKey(Escalation, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    incident = models.ForeignKey(Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["route", "key"], condition=Q(is_open=True), name="alert_group_open")
        ]

    def __str__(self) -> str:
        return ", ".join(str(value) for value in self.values.values())
