"""What a site's administrators decide once: severities, statuses, roles, types, fields, checklists, who is told."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from accounts.secrets import SecretField


class Severity(models.Model):
    """How bad. A higher `rank` is worse; never compare names."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    rank = models.PositiveSmallIntegerField(
        help_text=_("From 1, the mildest. Those of 3 and more wake people by night; pictures are made for 1 to 4.")
    )
    description = models.TextField(blank=True)
    response = models.CharField(max_length=200, blank=True)
    acknowledge_target = models.DurationField(null=True, blank=True)
    resolve_target = models.DurationField(null=True, blank=True)
    update_interval = models.DurationField(null=True, blank=True)
    pages = models.BooleanField(default=True)
    requires_postmortem = models.BooleanField(default=False)
    first_minutes = models.BooleanField(default=False, help_text=_("Shows the first-five-minutes checklist."))
    is_active = models.BooleanField(default=True, help_text=_("Whether incidents can be given it."))

    class Meta:
        ordering = ["-rank", "name"]
        verbose_name_plural = "severities"
        constraints = [
            models.UniqueConstraint(fields=["rank"], condition=Q(is_active=True), name="severity_one_active_of_rank")
        ]

    def __str__(self) -> str:
        return self.name


class StatusCategory(models.TextChoices):
    """What a status means for everything else."""

    TRIAGE = "triage", _("Triage")
    ACTIVE = "active", _("Active")
    POST_INCIDENT = "post_incident", _("Post-incident")
    CLOSED = "closed", _("Closed")
    DECLINED = "declined", _("Declined")
    MERGED = "merged", _("Merged")
    CANCELED = "canceled", _("Canceled")


OPEN_CATEGORIES = [StatusCategory.TRIAGE, StatusCategory.ACTIVE]
# What one moves into without a word of why: who declines or cancels gives a reason, who merges says into which.
PLAIN_CATEGORIES = [StatusCategory.ACTIVE, StatusCategory.POST_INCIDENT, StatusCategory.CLOSED]
# What was no incident, or is part of another, stands in no number.
COUNTED_CATEGORIES = [*OPEN_CATEGORIES, StatusCategory.POST_INCIDENT, StatusCategory.CLOSED]


class IncidentStatus(models.Model):
    """A named step of the response, in a category."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    category = models.CharField(max_length=15, choices=StatusCategory)
    position = models.PositiveSmallIntegerField()
    description = models.TextField(blank=True)
    is_active = models.BooleanField(default=True, help_text=_("Whether incidents can be moved into it."))

    class Meta:
        ordering = ["position"]
        verbose_name_plural = "incident statuses"

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.category in OPEN_CATEGORIES


class Qualification(models.Model):
    """A rung of a responder's ladder: Responder, Technical Lead, Incident Commander, Incident Program Owner."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True)
    rank = models.PositiveSmallIntegerField(default=1, help_text=_("A higher one includes those below."))

    class Meta:
        ordering = ["rank", "name"]

    def __str__(self) -> str:
        return self.name


class PersonQualification(models.Model):
    """A person who has a qualification."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="qualifications")
    qualification = models.ForeignKey(Qualification, on_delete=models.CASCADE, related_name="people")
    granted_at = models.DateTimeField()
    granted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["user", "-qualification__rank"]
        constraints = [models.UniqueConstraint(fields=["user", "qualification"], name="qualification_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.qualification}"


class IncidentRole(models.Model):
    """A part that somebody plays. The slug `lead` is the incident commander."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    short_name = models.CharField(max_length=20)
    description = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    required_for: models.ManyToManyField[Severity, "models.Model"] = models.ManyToManyField(
        Severity, blank=True, related_name="required_roles"
    )
    qualification = models.ForeignKey(
        Qualification,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="roles",
        help_text=_("Who is given the role without it is warned of, never refused."),
    )
    is_active = models.BooleanField(default=True, help_text=_("Whether it can be given in incidents to come."))

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name


class IncidentType(models.Model):
    """A kind of incident, with its default visibility."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True)
    is_default = models.BooleanField(default=False)
    private_by_default = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True, help_text=_("Whether incidents of it can be declared."))
    severities: models.ManyToManyField[Severity, "models.Model"] = models.ManyToManyField(
        Severity, blank=True, related_name="types", help_text=_("Those allowed; none means all.")
    )
    roles: models.ManyToManyField[IncidentRole, "models.Model"] = models.ManyToManyField(
        IncidentRole, blank=True, related_name="types", help_text=_("Those offered; none means all.")
    )

    class Meta:
        ordering = ["-is_default", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="incident_type_one_default"
            )
        ]

    def __str__(self) -> str:
        return self.name


class UpdateTemplate(models.Model):
    """Words to start an update with, such as "We are looking into {description}"."""

    class Moment(models.TextChoices):
        INITIAL = "initial", _("First update")
        UPDATE = "update", _("Update")
        RESOLVED = "resolved", _("Resolved")

    moment = models.CharField(max_length=10, choices=Moment)
    locale = models.CharField(max_length=10, default="en")
    text = models.TextField()

    class Meta:
        ordering = ["moment", "locale"]
        constraints = [models.UniqueConstraint(fields=["moment", "locale"], name="update_template_once")]

    def __str__(self) -> str:
        return f"{self.get_moment_display()} ({self.locale})"


class CustomField(models.Model):
    """A fact that a site wants to know of its incidents. Values stand in `Incident.fields` under the slug.

    A text, a link, a number, a date (ISO 8601), an option, a list of options, the slug of a service or a team, or the
    id of a person.
    """

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        SELECT = "select", _("One of a list")
        MULTI_SELECT = "multi_select", _("Several of a list")
        LINK = "link", _("Link")
        DATE = "date", _("Date")
        SERVICE = "service", _("Service")
        TEAM = "team", _("Team")
        PERSON = "person", _("Person")

    class RequiredAt(models.TextChoices):
        NEVER = "never", _("Never")
        DECLARE = "declare", _("When it is declared")
        RESOLVE = "resolve", _("When it is resolved")
        CLOSE = "close", _("When it is closed")

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=15, choices=Kind, default=Kind.TEXT)
    options = models.JSONField(default=list, blank=True, help_text=_("What can be chosen: a list of texts."))
    required_at = models.CharField(max_length=10, choices=RequiredAt, default=RequiredAt.NEVER)
    types: models.ManyToManyField[IncidentType, "models.Model"] = models.ManyToManyField(
        IncidentType, blank=True, related_name="fields", help_text=_("Which types have it; none means all.")
    )
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class ChecklistItem(models.Model):
    """A line of the first-five-minutes checklist, shown where the severity says so (`Severity.first_minutes`)."""

    class DoneBy(models.TextChoices):
        HAND = "", _("Somebody ticks it")
        DECLARED = "declared", _("The incident is declared")
        ACKNOWLEDGED = "acknowledged", _("A page is answered")
        SEVERITY = "severity", _("The severity was set by a person")
        ROLES = "roles", _("The roles that the severity requires are given")
        SERVICES = "services", _("A service is marked as affected")

    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(default=0)
    done_by = models.CharField(max_length=15, choices=DoneBy, default=DoneBy.HAND, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.title


class AnnouncementRule(models.Model):
    """Who hears of which incidents: people and teams by mail and push, a place by its address.

    `moments` are the events it tells: declared, severity_changed, status_changed, updated, resolved.
    """

    name = models.CharField(max_length=100, unique=True)
    conditions = models.JSONField(default=dict, blank=True)
    moments = models.JSONField(default=list)
    users: models.ManyToManyField[User, "models.Model"] = models.ManyToManyField(User, blank=True, related_name="+")
    teams: models.ManyToManyField[Team, "models.Model"] = models.ManyToManyField(Team, blank=True, related_name="+")
    emails = models.JSONField(default=list, blank=True, help_text=_("Addresses of those who have no account."))
    place = models.CharField(max_length=100, blank=True, help_text=_("What the chat or webhook is called."))
    address = SecretField(blank=True, default="")
    is_enabled = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name
