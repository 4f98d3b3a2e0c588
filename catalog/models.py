"""Services, the functionalities they serve, their dependencies and links."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from oncall.models import EscalationPolicy


class Functionality(models.Model):
    """Something that a user does with the product: log in, pay, search."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    description = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "functionalities"

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """Something that runs, breaks and is owned by a team."""

    class Tier(models.IntegerChoices):
        CRITICAL = 1, _("1 Critical")
        HIGH = 2, _("2 High")
        MEDIUM = 3, _("3 Medium")
        LOW = 4, _("4 Low")

    class Lifecycle(models.TextChoices):
        EXPERIMENTAL = "experimental", _("Experimental")
        PRODUCTION = "production", _("Production")
        DEPRECATED = "deprecated", _("Deprecated")

    class Urgency(models.TextChoices):
        HIGH = "high", _("Always high")
        SEVERITY = "severity", _("High when it is severe")
        HOURS = "hours", _("High in working hours")
        LOW = "low", _("Always low")

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    urgency = models.CharField(max_length=10, choices=Urgency, default=Urgency.HIGH)
    tier = models.PositiveSmallIntegerField(choices=Tier, default=Tier.MEDIUM)
    lifecycle = models.CharField(max_length=15, choices=Lifecycle, default=Lifecycle.PRODUCTION)
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="services")
    escalation_policy = models.ForeignKey(
        EscalationPolicy, on_delete=models.SET_NULL, null=True, blank=True, related_name="services"
    )
    functionalities: models.ManyToManyField[Functionality, "models.Model"] = models.ManyToManyField(
        Functionality, blank=True, related_name="services"
    )

    class Meta:
        ordering = ["tier", "name"]

    def __str__(self) -> str:
        return self.name


class ServiceDependency(models.Model):
    """`service` needs `needs` in order to work."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="dependencies")
    needs = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="dependents")

    class Meta:
        ordering = ["service", "needs"]
        verbose_name_plural = "service dependencies"
        constraints = [
            models.UniqueConstraint(fields=["service", "needs"], name="service_dependency_once"),
            models.CheckConstraint(condition=~Q(service=F("needs")), name="service_dependency_not_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.service} needs {self.needs}"


class ServiceLink(models.Model):
    """An address that helps whoever is paged: a runbook, a dashboard, the repository."""

    class Kind(models.TextChoices):
        RUNBOOK = "runbook", _("Runbook")
        DASHBOARD = "dashboard", _("Dashboard")
        REPOSITORY = "repository", _("Repository")
        OTHER = "other", _("Other")

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.RUNBOOK)
    label = models.CharField(max_length=100)
    url = models.URLField(max_length=500)

    class Meta:
        ordering = ["service", "kind", "id"]

    def __str__(self) -> str:
        return self.label


class Mitigation(models.Model):
    """What helps when a service is broken: roll back, switch off, scale out. A command to copy, or a link to follow."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="mitigations")
    label = models.CharField(max_length=100)
    command = models.TextField(blank=True, help_text=_("To copy; Sitrep never runs it."))
    url = models.URLField(max_length=500, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["service", "position", "id"]

    def __str__(self) -> str:
        return self.label
