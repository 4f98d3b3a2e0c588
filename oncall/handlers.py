"""What on-call does when something happens elsewhere."""

from accounts.actor import Actor
from accounts.models import User
from events.models import Event
from events.registry import handles
from oncall.contact_methods import add_contact_method
from oncall.models import ContactMethod
from oncall.reaching import tell


@handles("user.invited", name="oncall.first_contact_method")
def give_first_contact_method(event: Event) -> None:
    """Whoever is new can be paged by mail, unless they have already said how they want to be reached."""
    user = User.objects.filter(pk=event.subject_id).first()
    if user is None or user.contact_methods.exists():
        return
    add_contact_method(
        actor=Actor.system(), user=user, kind=ContactMethod.Kind.EMAIL, address=user.email, now=event.occurred_at
    )


@handles("contact_method.broken", name="oncall.tell_broken")
def tell_broken(event: Event) -> None:
    """Tells the owner of a contact method that broke, through another one that works."""
    user = User.objects.filter(pk=event.subject_id, is_active=True).first()
    if user is None:
        return
    name, reason = event.data["name"], event.data["reason"]
    tell(
        user,
        title=f"You are no longer paged through {name}",
        detail=f"It refused for good: {reason}\n\nMend or remove it, and send yourself a test page.",
        now=event.occurred_at,
        besides=ContactMethod.objects.filter(pk=event.data["method"]).first(),
    )
