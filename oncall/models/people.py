"""How to reach a person: contact methods, personal rules, quiet hours."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.secrets import SecretField


class Urgency(models.TextChoices):
    """How loudly something may knock."""

    HIGH = "high", _("High")
    LOW = "low", _("Low")


class ContactMethod(models.Model):
    """One way to reach a person.

    `secret` is what must not be read: the key that signs a webhook, the keys of a push subscription, the whole Apprise
    address (of which `address` is then the masked form). It is used for pages once a code has verified it; a proof that
    it still reaches the person expires.
    """

    class Kind(models.TextChoices):
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")
        VOICE = "voice", _("Phone call")
        PUSH = "push", _("Push notification")
        WEBHOOK = "webhook", _("Webhook")
        APPRISE = "apprise", _("Chat or push service")
        WEB = "web", _("Sitrep in the browser")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="contact_methods")
    kind = models.CharField(max_length=20, choices=Kind)
    address = models.CharField(max_length=500, blank=True, help_text=_("An e-mail address or a web address."))
    label = models.CharField(max_length=60, blank=True)
    secret = SecretField(blank=True, default="")
    is_enabled = models.BooleanField(default=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    code_hash = models.CharField(max_length=128, blank=True)
    code_sent_at = models.DateTimeField(null=True, blank=True)
    code_tries = models.PositiveSmallIntegerField(default=0)
    proved_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was last seen to reach the person."))
    proof_sent_at = models.DateTimeField(null=True, blank=True)
    broken_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["user", "id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "address"], name="contact_method_once"),
            models.CheckConstraint(condition=Q(kind="web") | ~Q(address=""), name="contact_method_address"),
        ]

    def __str__(self) -> str:
        return self.label or f"{self.get_kind_display()} {self.address}".strip()

    @property
    def is_usable(self) -> bool:
        """Whether a page may go through it."""
        return self.is_enabled and self.verified_at is not None and not self.broken_reason


class NotificationRule(models.Model):
    """A step of how somebody wants to be paged: through which method, how long after the page was decided."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notification_rules")
    urgency = models.CharField(max_length=4, choices=Urgency, default=Urgency.HIGH)
    position = models.PositiveSmallIntegerField()
    delay_minutes = models.PositiveSmallIntegerField(default=0)
    contact_method = models.ForeignKey(ContactMethod, on_delete=models.CASCADE, related_name="rules")

    class Meta:
        ordering = ["user", "urgency", "position"]
        constraints = [
            models.UniqueConstraint(fields=["user", "urgency", "position"], name="notification_rule_position"),
            models.CheckConstraint(condition=Q(delay_minutes__lte=24 * 60), name="notification_rule_within_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.urgency}: {self.contact_method} after {self.delay_minutes} min"


class OnCallProfile(models.Model):
    """What on-call knows of a person beside their account: their country's holidays, their quiet hours for low urgency.

    Quiet hours are wall-clock times of the person's own zone; they may run past midnight.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="on_call_profile")
    country = models.CharField(max_length=10, blank=True, help_text=_("For public holidays: DE, TH, US-CA."))
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    digest_at = models.TimeField(default="09:00", help_text=_("When what may wait is sent together."))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | (Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=F("quiet_until"))),
                name="quiet_hours_are_two",
            )
        ]

    def __str__(self) -> str:
        return f"on-call profile of {self.user}"
