"""What on-call does when something happens elsewhere."""

from accounts.actor import Actor
from accounts.models import User
from events.models import Event
from events.registry import handles
from oncall.configuration import add_contact_method
from oncall.models import ContactMethod


@handles("user.invited", name="oncall.first_contact_method")
def give_first_contact_method(event: Event) -> None:
    """Whoever is new can be paged by mail, unless they have already said how they want to be reached."""
    user = User.objects.filter(pk=event.subject_id).first()
    if user is None or user.contact_methods.exists():
        return
    add_contact_method(
        actor=Actor.system(), user=user, kind=ContactMethod.Kind.EMAIL, address=user.email, now=event.occurred_at
    )
