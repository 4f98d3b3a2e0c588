"""From an action to a thousand open pages of one incident, with real processes: `python -m bench.fanout [sockets]`.

Starts Sitrep with two web workers, opens that many live pages of one incident (websockets of twenty people, each
checked for access), then posts notes by the REST API: permission, row, event, rendering and fan-out are the real ones.
Taken is the time from the request to the arrival at each socket. Ends with 1 if the goal is missed or one is lost.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field

import httpx
import uvloop
import websockets

from bench.house import PORT, installation
from bench.stage import computing_control

PEOPLE, NOTES, PAUSE_SECONDS, GOAL_MS = 20, 20, 0.5, 150
CONNECTED_AT_ONCE = 25
PATIENCE_SECONDS = 15.0
SET_UP = f"""
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone
from accounts.actions import create_api_key
from accounts.actor import Actor
from accounts.models import User
from incidents.actions import declare_incident
from incidents.models import Severity
from incidents.presets import load_presets
load_presets()
actor, now = Actor.system(via="command"), timezone.now()
make = User.objects.create_user
people = [make(f"p{{n}}@example.com", None, name=f"Person {{n}}", role="responder") for n in range({PEOPLE})]
incident = declare_incident(actor=actor, name="Bench", severity=Severity.objects.get(slug="sev2"), now=now)
sessions = []
for person in people:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(person.pk), settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    sessions.append(session.session_key)
by = Actor.of_user(people[0], via="command")
_, secret = create_api_key(actor=by, user=people[0], name="bench", scopes=["read", "incidents.write"], now=now)
print(incident.number, settings.SESSION_COOKIE_NAME, secret, *sessions)
"""


@dataclass
class Heard:
    """When the text of each note has reached how many sockets."""

    sent: dict[str, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)

    def message(self, text: str) -> None:
        arrived = time.perf_counter()
        if self.sent and (newest := next(reversed(self.sent))) in text:
            self.took.append((arrived - self.sent[newest]) * 1000)


async def watch(url: str, cookie: str, heard: Heard, ready: asyncio.Event, slots: asyncio.Semaphore) -> None:
    """One open page."""
    async with slots:
        socket = await websockets.connect(
            url,
            open_timeout=60,
            ping_interval=None,
            compression=None,
            additional_headers={"Cookie": cookie},
            origin=websockets.Origin(f"http://127.0.0.1:{PORT}"),
        )
        await socket.send(json.dumps({"type": "resume", "after": 0}))
        while json.loads(await socket.recv())["type"] != "resumed":
            pass
    ready.set()
    async for text in socket:
        heard.message(str(text))


async def measure(told: str, sockets: int) -> bool:
    """Opens the pages, posts the notes, prints the table; whether the goal is met and nothing was lost."""
    number, cookie_name, secret, *sessions = told.split()
    heard, slots = Heard(), asyncio.Semaphore(CONNECTED_AT_ONCE)
    url = f"ws://127.0.0.1:{PORT}/ws/incidents/{number}/"
    signs = [asyncio.Event() for _ in range(sockets)]
    begun = time.perf_counter()
    pages = [
        asyncio.create_task(watch(url, f"{cookie_name}={sessions[place % PEOPLE]}", heard, sign, slots))
        for place, sign in enumerate(signs)
    ]
    await asyncio.gather(*(asyncio.wait_for(sign.wait(), 120) for sign in signs))
    opened = time.perf_counter() - begun
    await asyncio.sleep(2)
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", headers=headers, timeout=30) as client:
        for turn in range(NOTES):
            note = f"note number {turn} of the benchmark."
            heard.sent[note] = time.perf_counter()
            answer = await client.post(f"/api/v1/incidents/{number}/timeline/", json={"text": note})
            answer.raise_for_status()
            await asyncio.sleep(PAUSE_SECONDS)
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while len(heard.took) < sockets * NOTES and time.perf_counter() < deadline:
        await asyncio.sleep(0.05)
    for page in pages:
        page.cancel()
    await asyncio.gather(*pages, return_exceptions=True)
    return report(heard.took, sockets, opened)


def report(took: list[float], sockets: int, opened: float) -> bool:
    """Prints the table; whether all arrived in time."""
    took.sort()
    if not took:
        raise RuntimeError("Nothing arrived.")
    median, worst = took[len(took) // 2], took[int(len(took) * 0.99)]
    is_met = worst <= GOAL_MS and len(took) == sockets * NOTES
    sys.stdout.write(
        f"control: {computing_control():.3f} ms a JSON document\n\n"
        "| sockets | opened in | arrived | median | 99th | slowest | goal | |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |\n"
        f"| {sockets} | {opened:.1f} s | {len(took)} of {sockets * NOTES} | {median:.0f} ms | {worst:.0f} ms "
        f"| {took[-1]:.0f} ms | 99th ≤ {GOAL_MS} ms | {'met' if is_met else 'MISSED'} |\n"
    )
    return is_met


def main(arguments: list[str]) -> int:
    """Runs it and returns the exit code."""
    sockets = int(arguments[0]) if arguments else 1_000
    with installation(SET_UP, web_workers=2) as installed:
        return 0 if uvloop.run(measure(installed.told.strip().splitlines()[-1], sockets)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
