"""The main job, end to end: a real Alertmanager fires, somebody is paged, the public is told, a draft tells it all."""

import os
import re
import shutil
import signal
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from config import processes
from tests.journeys.harness import HTTP_SECONDS, TLS, Sitrep, free_port, installed, links_in, text_of, wait_for, web

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
MISSING = "Alertmanager is not installed (Debian: apt install prometheus-alertmanager)"
pytestmark = [
    pytest.mark.journey,
    # With CI=true it fails instead.
    pytest.mark.skipif(PROGRAM is None and os.environ.get("CI") != "true", reason=MISSING),
]
LABELS = {"alertname": "HighErrorRate", "service": "payments", "severity": "critical", "instance": "pay-1"}
ANNOTATIONS = {"summary": "Payments answer 500", "description": "12 % of requests fail."}


class Alertmanager:
    """A running Alertmanager that knows nothing of Sitrep but a webhook's address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.since = datetime.now(UTC)

    def fire(self) -> None:
        self._send(ends_at=datetime.now(UTC) + timedelta(minutes=10))

    def resolve(self) -> None:
        self._send(ends_at=datetime.now(UTC))

    def _send(self, *, ends_at: datetime) -> None:
        """Sends what Prometheus sends."""
        alert = {
            "labels": LABELS,
            "annotations": ANNOTATIONS,
            "startsAt": self.since.isoformat(),
            "endsAt": ends_at.isoformat(),
            "generatorURL": "http://prometheus.example:9090/graph",
        }
        web.post(f"{self.url}/api/v2/alerts", json=[alert]).raise_for_status()

    def is_ready(self) -> bool:
        try:
            return web.get(f"{self.url}/-/ready").is_success
        except httpx.HTTPError:
            return False


@contextmanager
def alertmanager(directory: Path, webhook: str) -> Generator[Alertmanager]:
    """Runs Alertmanager with Sitrep's address and no other word about it; it only waits less than by default."""
    assert PROGRAM is not None, MISSING
    config = directory / "alertmanager.yml"
    config.write_text(
        "route: {receiver: sitrep, group_by: [alertname], group_wait: 0s, group_interval: 1s}\n"
        f"receivers: [{{name: sitrep, webhook_configs: [{{url: '{webhook}'}}]}}]\n"
    )
    port = free_port()
    command = [PROGRAM, f"--config.file={config}", f"--storage.path={directory / 'alertmanager'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    with (directory / "alertmanager.log").open("wb") as log:
        process = processes.spawn(command, output=log, death_signal=signal.SIGKILL)
    try:
        running = Alertmanager(f"http://127.0.0.1:{port}")
        wait_for(running.is_ready, "Alertmanager is ready")
        yield running
    finally:
        processes.stop(process, patience_seconds=5)


def webhook_address(client: httpx.Client) -> str:
    """Returns what a manager copies from the page of the source."""
    page = client.get("/alerts/sources/alertmanager/").raise_for_status()
    found = re.search(r"http://[\w.:]+/alertmanager/[\w-]+", page.text)
    assert found
    return found.group()


def texts_of(client: httpx.Client, number: int) -> str:
    """Returns the timeline of the incident as the API tells it, oldest first."""
    entries = client.get(f"/api/v1/incidents/{number}/timeline/").raise_for_status().json()["results"]
    return "\n".join(f"{entry['kind']}: {entry['text']}" for entry in reversed(entries))


def acknowledge_by_link(link: str) -> None:
    """Opens the link of a mail like a phone does: without signing in; only the button acts."""
    with httpx.Client(follow_redirects=True, timeout=HTTP_SECONDS, verify=TLS) as phone:
        page = phone.get(link).raise_for_status()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        answered = phone.post(link, data={"csrfmiddlewaretoken": token.group(1)}, headers={"Referer": link})
        assert "You have it" in answered.raise_for_status().text


def test_from_a_firing_alertmanager_to_a_postmortem_draft(tmp_path: Path) -> None:
    with installed(tmp_path) as sitrep:
        sitrep.start()
        sitrep.wait_until_ready()
        owner = sitrep.signed_in("admin@example.com", (tmp_path / "admin-password").read_text().strip())
        with alertmanager(tmp_path, webhook_address(owner)) as source:
            source.fire()
            page = wait_for(
                lambda: sitrep.mailbox.saying("Payments answer 500"), "a page is mailed to whoever is on call"
            )[0]
            assert "12 % of requests fail." in text_of(page)

            (incident,) = wait_for(
                lambda: owner.get("/api/v1/incidents/").json()["results"], "the alert has become an incident"
            )
            number = incident["number"]
            assert (incident["status_category"], incident["acknowledged_at"]) == ("active", None)

            acknowledge, _escalate, _decline = [link for link in links_in(page) if "/p/" in link]
            acknowledge_by_link(acknowledge)
            wait_for(
                lambda: owner.get(f"/api/v1/incidents/{number}/").json()["acknowledged_at"],
                "the incident is acknowledged",
            )

            public_id = tell_the_public(sitrep, owner, number)
            source.resolve()
            wait_for(
                lambda: "resolved" in [alert["status"] for alert in owner.get("/api/v1/alerts/").json()["results"]],
                "Alertmanager's resolution arrives",
            )

        sitrep.post(
            owner,
            f"/api/v1/public-incidents/{public_id}/updates/",
            {"status": "resolved", "body": "Payments work again."},
        )
        sitrep.post(owner, f"/api/v1/incidents/{number}/resolve/")
        assert owner.get(f"/api/v1/incidents/{number}/").json()["status_category"] == "post_incident"
        (summary,) = wait_for(
            lambda: owner.get("/api/v1/postmortems/").json()["results"], "a postmortem draft is started"
        )
        draft = owner.get(f"/api/v1/postmortems/{summary['id']}/").json()
        assert (draft["incident"], draft["status"]) == (number, "draft")
        timeline = next(section["text"] for section in draft["sections"] if section["source"] == "timeline")
        for step in (
            "Payments answer 500",  # the alert
            "declared",
            "paged",
            "acknowledged",
            "public incident",
            "resolved",
        ):
            assert step in timeline, (
                f"{step!r} is missing in the draft:\n{timeline}\nwhile the incident has:\n{texts_of(owner, number)}"
            )
        assert sitrep.rows("SELECT count(*) FROM events_delivery WHERE state = 'dead'") == [(0,)]


def tell_the_public(sitrep: Sitrep, owner: httpx.Client, number: int) -> int:
    """Publishes the incident, and looks at the public page as somebody who is not signed in."""
    (page,) = owner.get("/api/v1/status-pages/").json()["results"]
    components = owner.get("/api/v1/components/").json()["results"]
    payments = next(component["id"] for component in components if component["name"] == "Payments")
    published = sitrep.post(
        owner,
        "/api/v1/public-incidents/",
        {
            "page": page["id"],
            "incident": number,
            "name": "Payments fail",
            "status": "identified",
            "body": "Some payments fail. We are on it.",
            "components": [{"component": payments, "status": "partial_outage"}],
        },
    ).json()
    public = web.get(f"{sitrep.url}/status/example/").raise_for_status().text
    assert "Some payments fail. We are on it." in public
    summary = f"{sitrep.url}/status/example/api/v2/summary.json"
    told = web.get(summary).raise_for_status().json()
    assert [incident["name"] for incident in told["incidents"]] == ["Payments fail"]
    public_id: int = published["id"]
    return public_id
