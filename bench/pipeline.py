"""From a POST to the first page, with real processes: `python -m bench.pipeline`.

Starts the web server, both workers and beat as `make run` does, sends alerts of distinct keys at fixed rates, then many
at once, then for a minute as fast as they are paged, and takes the time until a webhook on this machine hears of each.
Generator, receiver, engines and Sitrep share the machine's cores. Ends with 1 if a goal is missed or an alert is lost.
"""

import asyncio
import json
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.house import PORT, Installation, installation
from bench.stage import computing_control

# At a fixed rate: alerts a second, for how many seconds, and the goals in milliseconds for the median and the 99th.
RATES: tuple[tuple[int, int, int | None, int | None], ...] = (
    (1, 30, 25, 150),
    (20, 15, 30, 250),
    (100, 15, 30, 250),
    (300, 15, None, None),
)
STORM, STORM_CONNECTIONS, STORM_GOAL = 2_000, 8, 500
# For so many seconds no more are on their way than this.
SUSTAINED_SECONDS, ON_THEIR_WAY = 60, 400
PATIENCE_SECONDS = 120
# What `make run` would have been told by hand: somebody with a webhook, a policy, a source and a route.
SET_UP = """
from django.utils import timezone
from accounts.actor import Actor
from accounts.models import User
from alerts.actions import save_source
from alerts.routes import save_route
from oncall.models import ContactMethod
from oncall.policies import LevelDraft, person, save_policy
now, actor = timezone.now(), Actor.system(via="command")
ana = User.objects.create(name="Ana", email="ana@example.com", password="!")
ContactMethod.objects.create(user=ana, kind="webhook", address="{receiver}", verified_at=now)
policy = save_policy(actor=actor, name="Bench", slug="bench", levels=[LevelDraft(30, [person(ana)])], now=now)
source = save_source(actor=actor, name="Bench", slug="bench", dialect="generic", now=now)
save_route(actor=actor, name="All", conditions={{}}, paging="policy", escalation_policy=policy, now=now)
print("token", source.token)
"""


@dataclass
class Heard:
    """Which titles have reached the webhook, and when."""

    at: dict[str, float] = field(default_factory=dict)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the receiver."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = await reader.readexactly(length_in(head))
                self.at.setdefault(json.loads(body)["title"], time.perf_counter())
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def length_in(head: bytes) -> int:
    """The length of the body that follows these headers."""
    return int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)


class Client:
    """A connection to Sitrep that is kept open."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def fire(self, title: str) -> None:
        """Sends one alert; returns when it is accepted."""
        reader, writer = self.streams = self.streams or await asyncio.open_connection("127.0.0.1", PORT)
        body = json.dumps({"title": title, "severity": "critical", "dedup_key": title}).encode()
        head = f"POST {self.path} HTTP/1.1\r\nHost: localhost:{PORT}\r\nContent-Type: application/json\r\n"
        writer.write(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(length_in(answer))
        if b" 202 " not in answer.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"Sitrep answered {answer[:200]!r}")


async def at_rate(path: str, heard: Heard, rate: int, seconds: int) -> list[float]:
    """The milliseconds from each POST to its page, with so many alerts begun each second."""
    clients = [Client(path) for _ in range(min(max(rate // 2, 2), 32))]
    free: asyncio.Queue[Client] = asyncio.Queue()
    for client in clients:
        free.put_nowait(client)
    sent: dict[str, float] = {}

    async def one(title: str) -> None:
        client = await free.get()
        sent[title] = time.perf_counter()
        await client.fire(title)
        free.put_nowait(client)

    begun = time.perf_counter()
    tasks = []
    for number in range(rate * seconds):
        await asyncio.sleep(max(begun + number / rate - time.perf_counter(), 0))
        tasks.append(asyncio.create_task(one(f"rate {rate}, number {number}")))
    await asyncio.gather(*tasks)
    await all_heard(heard, sent)
    return sorted((heard.at[title] - at) * 1000 for title, at in sent.items())


async def storm(path: str, heard: Heard) -> tuple[float, float]:
    """How many alerts a second are accepted, and how many are paged, when as many are sent as are taken."""
    titles = iter([f"storm {number}" for number in range(STORM)])
    sent: dict[str, float] = {}

    async def all_of(client: Client) -> None:
        for title in titles:
            sent[title] = time.perf_counter()
            await client.fire(title)

    begun = time.perf_counter()
    await asyncio.gather(*(all_of(Client(path)) for _ in range(STORM_CONNECTIONS)))
    accepted = time.perf_counter() - begun
    await all_heard(heard, sent)
    return STORM / accepted, STORM / (max(heard.at[title] for title in sent) - begun)


async def sustained(path: str, heard: Heard) -> float:
    """How many alerts a second are paged for a minute, when new ones are sent as fast as pages are heard of."""
    begun = time.perf_counter()
    ends, known = begun + SUSTAINED_SECONDS, len(heard.at)
    sent: dict[str, float] = {}

    async def all_of(client: Client) -> None:
        while time.perf_counter() < ends:
            if len(sent) - (len(heard.at) - known) >= ON_THEIR_WAY:
                await asyncio.sleep(0.005)
                continue
            title = f"sustained, number {len(sent)}"
            sent[title] = time.perf_counter()
            await client.fire(title)

    await asyncio.gather(*(all_of(Client(path)) for _ in range(STORM_CONNECTIONS)))
    paged = sum(1 for title in sent if heard.at.get(title, ends) < ends)
    await all_heard(heard, sent)
    return paged / SUSTAINED_SECONDS


async def all_heard(heard: Heard, sent: dict[str, float]) -> None:
    """Returns when the webhook has heard of all; raises if one is lost."""
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while missing := [title for title in sent if title not in heard.at]:
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{len(missing)} alerts were lost, the first: {missing[0]}")
        await asyncio.sleep(0.05)


async def measure(path: str, listening: socket.socket) -> bool:
    """Sends everything, prints the table, and says whether each goal is met."""
    heard = Heard()
    await asyncio.start_server(heard.answer, sock=listening, backlog=512)
    out, verdicts = sys.stdout.write, []
    out(f"control: {computing_control():.3f} ms a JSON document\n\n")
    await at_rate(path, heard, 5, 2)
    out("| alerts | to the first page: median | 99th | goal | |\n| --- | ---: | ---: | --- | --- |\n")
    for rate, seconds, median_goal, worst_goal in RATES:
        took = await at_rate(path, heard, rate, seconds)
        median, worst = took[len(took) // 2], took[int(len(took) * 0.99)]
        out(f"| {rate} a second | {median:.1f} ms | {worst:.1f} ms | ")
        if median_goal is None or worst_goal is None:
            out("| |\n")
            continue
        verdicts.append(median <= median_goal and worst <= worst_goal)
        out(f"≤ {median_goal} ms, ≤ {worst_goal} ms | {'met' if verdicts[-1] else 'MISSED'} |\n")
    accepted, paged = await storm(path, heard)
    verdicts.append(paged >= STORM_GOAL)
    out(f"| {STORM} at once | {accepted:.0f} accepted/s | {paged:.0f} paged/s | ≥ {STORM_GOAL} paged/s | ")
    out("met |\n" if verdicts[-1] else "MISSED |\n")
    steady = await sustained(path, heard)
    verdicts.append(steady >= STORM_GOAL)
    out(f"| as fast as they are paged, {SUSTAINED_SECONDS} s | | {steady:.0f} paged/s | ≥ {STORM_GOAL} paged/s | ")
    out("met |\n" if verdicts[-1] else "MISSED |\n")
    return all(verdicts)


@contextmanager
def paging_installation(receiver: str) -> Iterator[tuple[str, Installation]]:
    """A Sitrep that pages a person at `receiver` for whatever comes in at the path."""
    with installation(SET_UP.format(receiver=receiver)) as installed:
        yield f"/in/{installed.told.split()[-1]}", installed


def main() -> int:
    """Runs it and returns the exit code."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    with paging_installation(f"http://127.0.0.1:{listening.getsockname()[1]}/") as (path, _installed):
        return 0 if asyncio.run(measure(path, listening)) else 1


if __name__ == "__main__":
    sys.exit(main())
