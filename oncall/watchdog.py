"""The watchdog: on another host, without a database, it pages whoever is on call when Sitrep itself stops.

It asks `/readyz`, which fails too when the paging engine's heart has stopped, and keeps a fresh copy of the roster
(oncall/roster_copy.py). After some failures in a row it tells everybody on call through each place to notify, and
again every few minutes until Sitrep is back. Deciding is pure: `Watch.see`.
"""

import json
import os
import smtplib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import apprise
import httpx

from oncall.roster_copy import on_call_in

CHECK_SECONDS = 10.0
SMTP_SECONDS = 20.0
FETCH_ROSTER_EVERY = timedelta(minutes=5)
ROSTER_DAYS = 7
PLACEHOLDERS = ("{phone}", "{email}")
Person = Mapping[str, Any]
Act = Literal["", "alarm", "recovered"]


@dataclass
class Watch:
    """What has been seen so far. It alarms after `failures_needed` failures in a row, and again after `again_after`."""

    failures_needed: int
    again_after: timedelta
    failures: int = 0
    failing_since: datetime | None = None
    alarmed_at: datetime | None = None

    def see(self, is_up: bool, now: datetime) -> Act:
        """What is to be done after one more look."""
        if is_up:
            was_alarmed = self.alarmed_at is not None
            self.failures, self.failing_since, self.alarmed_at = 0, None, None
            return "recovered" if was_alarmed else ""
        self.failures += 1
        self.failing_since = self.failing_since or now
        if self.failures < self.failures_needed:
            return ""
        if self.alarmed_at is not None and now - self.alarmed_at < self.again_after:
            return ""
        self.alarmed_at = now
        return "alarm"


@dataclass
class Watchdog:
    """Looks, keeps the roster, and notifies. `say` gets a line about each thing that happens."""

    url: str
    notify: Sequence[str]
    watch: Watch
    roster_path: Path
    token: str
    say: Callable[[str], None]
    roster: dict[str, Any] | None = None
    fetched_at: datetime | None = None
    last_reason: str = field(default="", init=False)

    def turn(self, now: datetime) -> Act:
        """One round: look, refresh the roster while Sitrep is up, notify if it is time."""
        is_up = self._is_up()
        if is_up and (self.fetched_at is None or now - self.fetched_at >= FETCH_ROSTER_EVERY):
            self._fetch_roster(now)
        act = self.watch.see(is_up, now)
        if act:
            self._tell(act, now)
        return act

    def _is_up(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/readyz", timeout=CHECK_SECONDS, trust_env=False)
        except httpx.HTTPError as error:
            self.last_reason = f"{type(error).__name__}: {error}"
            return False
        self.last_reason = f"/readyz answered {answer.status_code}: {answer.text[:200]}"
        return answer.status_code == 200

    # --- The roster ---------------------------------------------------------------------------------------------------

    def _fetch_roster(self, now: datetime) -> None:
        """Replaces the copy, in memory and on disk; one that can't be fetched leaves the old one."""
        address = f"{self.url}/api/v1/on-call/roster/?days={ROSTER_DAYS}"
        try:
            headers = {"Authorization": f"Bearer {self.token}"}
            answer = httpx.get(address, headers=headers, timeout=CHECK_SECONDS, trust_env=False)
            answer.raise_for_status()
            self.roster = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            self.say(f"The roster could not be fetched: {type(error).__name__}: {error}")
            return
        self.fetched_at = now
        write_roster(self.roster_path, self.roster or {})

    def on_call(self, now: datetime) -> list[dict[str, Any]]:
        """Who is on call by the newest copy that there is."""
        if self.roster is None and self.roster_path.is_file():
            self.roster = json.loads(self.roster_path.read_text())
        return on_call_in(self.roster, now) if self.roster else []

    # --- Notifying ----------------------------------------------------------------------------------------------------

    def _tell(self, act: Act, now: datetime) -> None:
        people = self.on_call(now)
        title, text = self._words(act, people, now)
        self.say(title)
        for place in self.notify:
            try:
                deliver(place, people, title, text)
            except Exception as error:  # one place that fails must not keep the others from being told
                self.say(f"{urlsplit(place).scheme} could not be notified: {type(error).__name__}: {error}")

    def _words(self, act: Act, people: Sequence[Person], now: datetime) -> tuple[str, str]:
        names = ", ".join(str(person["name"]) for person in people) or "nobody known"
        if act == "recovered":
            return f"Sitrep is back: {self.url}", f"It answers again since {now:%H:%M:%S} UTC."
        since = self.watch.failing_since or now
        lines = [
            f"It has failed {self.watch.failures} times since {since:%Y-%m-%d %H:%M:%S} UTC. {self.last_reason}",
            "Until it is back nobody is paged for anything else.",
            f"On call: {names}.",
        ]
        if self.roster is None:
            lines.append("There is no copy of the roster.")
        elif now >= datetime.fromisoformat(self.roster["until"]):
            lines.append(f"The copy of the roster is from {self.roster['made_at']}.")
        return f"Sitrep does not page: {self.url}", "\n".join(lines)


def write_roster(path: Path, roster: Mapping[str, Any]) -> None:
    """Replaces the file at one stroke; only its owner may read the telephone numbers in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    with open(unfinished, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(roster, file)
    unfinished.replace(path)


def deliver(place: str, people: Sequence[Person], title: str, text: str) -> None:
    """Tells one place: `smtp[s]://` mails the people, `http[s]://` gets JSON, all else is an Apprise address.

    An Apprise address with `{phone}` or `{email}` is used once for each of the people's. Raises what went wrong.
    """
    scheme = urlsplit(place).scheme.lower()
    if scheme in {"smtp", "smtps"}:
        _mail(place, [email for person in people for email in person["emails"]], title, text)
    elif scheme in {"http", "https"}:
        body = {"type": "watchdog", "title": title, "detail": text, "people": list(people)}
        httpx.post(place, json=body, timeout=CHECK_SECONDS, trust_env=False).raise_for_status()
    else:
        for address in addresses_of(place, people):
            service = apprise.Apprise()
            if not service.add(address) or not service.notify(body=text, title=title):
                raise RuntimeError("the service did not take it")


def addresses_of(place: str, people: Sequence[Person]) -> list[str]:
    """The Apprise addresses that a place stands for."""
    if "{phone}" in place:
        return [place.replace("{phone}", phone.lstrip("+")) for person in people for phone in person["phones"]]
    if "{email}" in place:
        return [place.replace("{email}", email) for person in people for email in person["emails"]]
    return [place]


def _mail(place: str, recipients: Sequence[str], title: str, text: str) -> None:
    """`smtp://user:password@host:587/?from=watchdog@example.com&to=ops@example.com`; `to` is added to those on call."""
    parts = urlsplit(place)
    query = parse_qs(parts.query)
    everybody = list(dict.fromkeys([*recipients, *query.get("to", [])]))
    if not everybody:
        raise RuntimeError("there is nobody to mail: add &to=")
    message = EmailMessage()
    message["Subject"], message["To"] = title, ", ".join(everybody)
    message["From"] = query.get("from", ["watchdog@localhost"])[0]
    message.set_content(text)
    client = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with client(parts.hostname or "localhost", parts.port or 0, timeout=SMTP_SECONDS) as server:
        if parts.username:
            if parts.scheme == "smtp":
                server.starttls()
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)
