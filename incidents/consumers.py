"""The websocket of an incident page: it carries entries and fragments that were rendered once.

The client speaks first: `{"type": "resume", "after": <last sequence>, "changed_after": <last change>}`, also after
every reconnect and on a gap; without `changed_after` it asks for no changes. It is sent the entries that it missed,
then those that have changed (`entry-changed`, each with the number of its newest change), then
`{"type": "resumed", "sequence": n, "change": m}`; from then on each message as it happens. A client that loses its
access is sent `{"type": "gone"}` and cut off.

A page that is looked at says `{"type": "here", "writing": "" | "message" | "update"}` every 20 seconds and when that
changes; all are told who is there:
`{"type": "presence", "people": [{"id", "name", "initials", "writing"}], "more": n}`.
"""

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from redis.exceptions import RedisError

from accounts.actor import Actor
from accounts.models import User
from events.live import RECHECK
from events.watching import shared, unwatch, watch
from incidents import presence
from incidents.models import Incident
from incidents.timeline import change_message, changed_after, entries_after, entry_message, fragment_messages

log = structlog.get_logger(__name__)

NO_ACCESS = 4403
BATCH = 200
# So many messages may wait for one slow line.
MOST_WAITING = 500


class IncidentConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """One open incident page."""

    # The process listens for all its pages together (`events.watching`): none has a channel of its own.
    channel_layer_alias = None

    incident_id: int | None = None
    topic = ""
    viewer: presence.Viewer | None = None
    is_here = False
    writer: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        incident = await self.visible_incident(self.scope["url_route"]["kwargs"]["number"])
        if incident is None:
            await self.close(NO_ACCESS)
            return
        self.page = uuid4().hex
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        # What is heard waits while a page is sent what it has missed: all comes in order.
        self.turn = asyncio.Lock()
        self.incident_id, self.topic = incident.pk, incident.live_topic
        await watch(self.topic, self)
        await self.accept()
        self.writer = asyncio.get_running_loop().create_task(self.write())

    async def disconnect(self, code: int) -> None:
        if self.writer is not None:
            self.writer.cancel()
        if self.topic:
            await unwatch(self.topic, self)
        await self.leave()

    def hear(self, event: dict[str, Any]) -> None:
        """Puts what was sent to the topic in line for this page.

        Where a slow line holds up too much the rest is dropped: the page sees the gap and asks for what it lacks.
        """
        if self.heard.qsize() < MOST_WAITING or event["type"] == RECHECK:
            self.heard.put_nowait(event)

    async def write(self) -> None:
        """Sends what is heard for as long as the page is open."""
        try:
            while True:
                event = await self.heard.get()
                async with self.turn:
                    if event["type"] == RECHECK:
                        await self.recheck()
                    elif self.incident_id is not None:
                        await self.send(event["text"])
        except Exception as error:  # the line is broken, or the access can't be checked: the page comes again
            log.info("live_page_lost", topic=self.topic, error=str(error))
            await self.close()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        writing = said_to_write(text_data)
        if writing is not None and self.incident_id is not None:
            await self.note_presence(writing)
            return
        point = resume_point(text_data)
        if point is not None:
            async with self.turn:
                await self.resume(*point)

    async def resume(self, after: int, change: int | None) -> None:
        """Sends what the page has missed, and the parts around the timeline as they are now."""
        if self.incident_id is None:
            return
        while messages := await self.missed(after):
            for message in messages:
                await self.send(json.dumps(message))
            after = messages[-1]["sequence"]
        while change is not None and (messages := await self.changes(change)):
            for message in messages:
                await self.send(json.dumps(message))
            change = messages[-1]["change"]
        for text in await shared(self.topic, self.fragments):
            await self.send(text)
        await self.send(json.dumps({"type": "resumed", "sequence": after, "change": change}))

    async def note_presence(self, writing: str) -> None:
        """Notes that this page is looked at; what is new is told to all, the list at once to whoever has just come."""
        assert self.viewer is not None  # noqa: S101  (set on connect)
        viewer = presence.Viewer(self.viewer.id, self.viewer.name, self.viewer.initials, writing)
        try:
            is_news = await presence.touch(self.topic, self.page, viewer, now=time.time())
            if not self.is_here:
                self.is_here = True
                await self.send(json.dumps(await presence.presence_message(self.topic, now=time.time())))
            if is_news:
                presence.tell_soon(self.topic, clock=time.time)
        except RedisError as error:
            log.warning("presence_failed", topic=self.topic, error=str(error))

    async def leave(self) -> None:
        """Takes this page out of those that are here."""
        if not self.is_here:
            return
        self.is_here = False
        try:
            await presence.leave(self.topic, self.page)
            presence.tell_soon(self.topic, clock=time.time)
        except RedisError as error:
            log.warning("presence_failed", topic=self.topic, error=str(error))

    async def recheck(self) -> None:
        """Cuts the page off if its person may no longer see the incident."""
        if await self.visible_incident(self.scope["url_route"]["kwargs"]["number"]) is None:
            # What is already on its way here is for those inside.
            self.incident_id = None
            await self.send(json.dumps({"type": "gone"}))
            await unwatch(self.topic, self)
            await self.close(NO_ACCESS)
            await self.leave()

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def visible_incident(self, number: int) -> Incident | None:
        # The session's user is read again: a role or an account may have changed since the page was opened.
        user = User.objects.filter(pk=self.scope["user"].pk or 0, is_active=True).first()
        if user is None:
            return None
        self.viewer = presence.Viewer(user.pk, user.display_name, user.initials)
        visible: Incident | None = (
            Incident.objects.visible_to(Actor.of_user(user, via="web")).filter(number=number).first()
        )
        return visible

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def missed(self, after: int) -> list[dict[str, Any]]:
        assert self.incident_id is not None  # noqa: S101  (set on connect)
        return [entry_message(entry) for entry in entries_after(self.incident_id, after, limit=BATCH)]

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def changes(self, change: int) -> list[dict[str, Any]]:
        assert self.incident_id is not None  # noqa: S101  (set on connect)
        return [change_message(entry) for entry in changed_after(self.incident_id, change, limit=BATCH)]

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def fragments(self) -> list[str]:
        assert self.incident_id is not None  # noqa: S101  (set on connect)
        incident = Incident.objects.for_lists().get(pk=self.incident_id)
        return [json.dumps(message) for message in fragment_messages(incident)]


def resume_point(text: str | None) -> tuple[int, int | None] | None:
    """The sequence and the change that a client has, from its resume message; None for anything else."""
    try:
        message = json.loads(text or "")
        if message["type"] != "resume":
            return None
        change = message.get("changed_after")
        return max(int(message["after"]), 0), None if change is None else max(int(change), 0)
    except (ValueError, TypeError, KeyError):
        return None


def said_to_write(text: str | None) -> str | None:
    """What somebody who says that they are here is writing, empty for nothing; None for any other message."""
    try:
        message = json.loads(text or "")
        writing = message.get("writing", "") if message["type"] == "here" else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return writing if writing in presence.WRITING else None
