"""Emoji that people put on entries."""

from datetime import datetime

import emoji as emojis
from django.db import transaction

from accounts.actor import Actor
from events.actions import publish
from events.errors import Conflict, Invalid
from incidents.models import Reaction, TimelineEntry
from incidents.timeline import show_change
from incidents.writing import locked

# Those that are offered; any other single emoji can be typed.
OFFERED = ("👍", "👀", "✅", "❤️", "🎉", "🙏", "➕", "😂")


@transaction.atomic
def react(
    *, actor: Actor, entry: TimelineEntry, emoji: str, now: datetime, wanted: bool | None = None
) -> TimelineEntry:
    """Puts one emoji of the actor's on an entry, or takes it away; without `wanted` it is the one or the other in turn.

    Raises Invalid for anything but a single emoji and for an actor that is no person, Conflict for a removed entry.
    """
    incident = locked(actor, entry.incident)
    entry = TimelineEntry.objects.get(pk=entry.pk)
    emoji = emoji.strip()
    if not emojis.is_emoji(emoji) or len(emoji) > 16:
        raise Invalid(f"{emoji!r} is not one emoji.", field="emoji", remedy=f"Send one such as {OFFERED[0]}.")
    if actor.user_id is None:
        raise Invalid("Only people react.", field="emoji")
    if entry.removed_at is not None:
        raise Conflict("This entry was removed.", remedy="React to another one.")
    mine = Reaction.objects.filter(entry=entry, user_id=actor.user_id, emoji=emoji)
    stands = mine.exists()
    if wanted is None:
        wanted = not stands
    if stands == wanted:
        return entry
    if wanted:
        Reaction.objects.create(entry=entry, user_id=actor.user_id, emoji=emoji, created_at=now)
    else:
        mine.delete()
    show_change(entry)
    data = {"entry": entry.pk, "sequence": entry.sequence, "emoji": emoji, "given": wanted}
    publish("incident.reacted", subject=incident, actor=actor, data=data)
    return entry
