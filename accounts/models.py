"""People, their teams and their API keys."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.actor import Actor


class Role(models.TextChoices):
    """The base roles, from the one that may least."""

    VIEWER = "viewer", _("Viewer")
    RESPONDER = "responder", _("Responder")
    MANAGER = "manager", _("Manager")
    ADMINISTRATOR = "administrator", _("Administrator")
    OWNER = "owner", _("Owner")

    @property
    def rank(self) -> int:
        """Grows with what the role may do."""
        return list(Role).index(self)


def check_time_zone(value: str) -> None:
    """Refuses a name that is not in the IANA time zone database."""
    if value not in available_timezones():
        raise ValidationError(
            _("%(value)s is not a time zone. Use a name such as Europe/Berlin."), params={"value": value}
        )


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A new user; without a password they must reset it before they can sign in."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A new owner."""
        return self.create_user(email, password, **{"role": Role.OWNER, **fields})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person who signs in with an e-mail address."""

    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=150)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.RESPONDER)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_time_zone])
    locale = models.CharField(_("language"), max_length=10, default="en")
    is_active = models.BooleanField(_("active"), default=True)
    deactivated_at = models.DateTimeField(null=True, blank=True, editable=False)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return self.name or self.email.partition("@")[0]

    @property
    def initials(self) -> str:
        words = self.display_name.split()
        return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper() if words else "?"

    def has_role(self, role: Role) -> bool:
        """Whether this person may do at least what `role` may."""
        return self.is_active and Role(self.role).rank >= role.rank

    # What Django's admin asks; administrators may enter it, the actions decide the rest.
    @property
    def is_staff(self) -> bool:
        return self.has_role(Role.ADMINISTRATOR)

    @property
    def is_superuser(self) -> bool:
        return self.has_role(Role.ADMINISTRATOR)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_staff

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class Team(models.Model):
    """People who own services together."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    members: models.ManyToManyField[User, "Membership"] = models.ManyToManyField(
        User, through="Membership", related_name="teams"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's place in a team."""

    class TeamRole(models.TextChoices):
        MEMBER = "member", _("Member")
        MANAGER = "manager", _("Manager")

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=TeamRole, default=TeamRole.MEMBER)

    class Meta:
        ordering = ["team", "user"]
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class Scope(models.TextChoices):
    """What an API key may be used for; its person's role still applies."""

    READ = "read", _("Read everything its person may see")
    ACCOUNTS = "accounts.write", _("Change people, teams and keys")
    ALERTS = "alerts.write", _("Change alerts, sources and routes")
    CATALOG = "catalog.write", _("Change services")
    INCIDENTS = "incidents.write", _("Declare and change incidents")
    ONCALL = "oncall.write", _("Change schedules and policies, acknowledge pages")
    POSTMORTEMS = "postmortems.write", _("Change postmortems and action items")
    STATUSPAGE = "statuspage.write", _("Publish to status pages")
    WORKFLOWS = "workflows.write", _("Change and start workflows")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Keys as an actor may see them."""

    def visible_to(self, actor: "Actor") -> Self:
        """One's own; administrators see everybody's, for they may revoke them."""
        if actor.has_role(Role.ADMINISTRATOR):
            return self
        return self.filter(user_id=actor.user_id or 0)


class ApiKey(models.Model):
    """A secret that lets a program act as a person within its scopes. Only a hash of the secret is stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope), default=list)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ApiKeyQuerySet] = ApiKeyQuerySet.as_manager()  # type: ignore[assignment]  # it has its methods

    class Meta:
        ordering = ["-id"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def state_at(self, now: datetime) -> str:
        """Whether it works: active, expired or revoked."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= now else "active"


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Views as an actor may see them."""

    def visible_to(self, actor: "Actor") -> Self:
        """One's own, and those that somebody shares with all."""
        return self.filter(Q(owner_id=actor.person_id) | Q(is_shared=True))


class SavedView(models.Model):
    """What a person has searched, filtered and sorted a list by, under a name."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    list_name = models.SlugField(max_length=50, help_text=_("Of which list, as alerts."))
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, help_text=_("As it stands in the address behind the question mark."))
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects: ClassVar[SavedViewQuerySet] = SavedViewQuerySet.as_manager()  # type: ignore[assignment]  # it has its methods

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "list_name", "name"], name="saved_view_name")]

    def __str__(self) -> str:
        return self.name
