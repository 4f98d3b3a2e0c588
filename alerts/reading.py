"""Who may read what senders have sent: all but what belongs to an incident that is private to others."""

from django.db.models import Exists, ExpressionWrapper, F, Func, JSONField, OuterRef, QuerySet, Value

from accounts.actor import Actor
from alerts.models import Alert, RawEvent
from incidents.models import Incident


def readable_raw_events(actor: Actor) -> QuerySet[RawEvent]:
    """Raw events without those of which an alert belongs to a private incident that the actor is no member of."""
    if actor.sees_everything:
        return RawEvent.objects.all()
    visible = Incident.objects.visible_to(actor)
    named = Func(
        Func(Value("alert"), F("pk"), function="jsonb_build_object"),
        function="jsonb_build_array",
        output_field=JSONField(),
    )
    hidden = (
        Alert.objects.filter(incident__visibility=Incident.Visibility.PRIVATE)
        .exclude(incident__in=visible)
        .annotate(named=named, told=ExpressionWrapper(OuterRef("outcomes"), output_field=JSONField()))
        .filter(told__contains=F("named"))
    )
    return RawEvent.objects.exclude(Exists(hidden))
