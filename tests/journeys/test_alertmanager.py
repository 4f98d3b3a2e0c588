"""The main job, end to end: a real Alertmanager fires, somebody is paged, the public is told, a draft tells it all.

And all else that Prometheus' own programs can point at one Sitrep: three receivers, Prometheus itself, amtool.
"""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from config import processes
from tests.journeys.harness import (
    HTTP_SECONDS,
    PATIENCE_SECONDS,
    TLS,
    Sitrep,
    free_port,
    installed,
    links_in,
    text_of,
    wait_for,
    web,
)

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
def alertmanager(directory: Path, receiver: str) -> Generator[Alertmanager]:
    """Runs Alertmanager with Sitrep's address and no other word about it; it only waits less than by default."""
    assert PROGRAM is not None, MISSING
    config = directory / "alertmanager.yml"
    config.write_text(
        "route: {receiver: sitrep, group_by: [alertname], group_wait: 0s, group_interval: 1s}\n"
        f"receivers: [{{name: sitrep, {receiver}}}]\n"
    )
    port = free_port()
    command = [PROGRAM, f"--config.file={config}", f"--storage.path={directory / 'alertmanager'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    running = Alertmanager(f"http://127.0.0.1:{port}")
    with running_program(directory / "alertmanager.log", command):
        wait_for(running.is_ready, "Alertmanager is ready")
        yield running


@contextmanager
def running_program(log: Path, command: list[str]) -> Generator[None]:
    """Runs a program, and ends it."""
    with log.open("wb") as output:
        process = processes.spawn(command, output=output, death_signal=signal.SIGKILL)
    try:
        yield
    finally:
        processes.stop(process, patience_seconds=5)


@pytest.fixture(scope="module")
def sitrep(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sitrep]:
    """One Sitrep for all that is pointed at it."""
    with installed(tmp_path_factory.mktemp("sitrep")) as running:
        running.start()
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module")
def owner(sitrep: Sitrep) -> httpx.Client:
    return sitrep.signed_in("admin@example.com", (sitrep.var / "admin-password").read_text().strip())


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


def test_from_a_firing_alertmanager_to_a_postmortem_draft(sitrep: Sitrep, owner: httpx.Client, tmp_path: Path) -> None:
    with alertmanager(tmp_path, f"webhook_configs: [{{url: '{webhook_address(owner)}'}}]") as source:
        source.fire()
        page = wait_for(lambda: sitrep.mailbox.saying("Payments answer 500"), "a page is mailed to whoever is on call")[
            0
        ]
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
    (summary,) = wait_for(lambda: owner.get("/api/v1/postmortems/").json()["results"], "a postmortem draft is started")
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
    """Tells more of what the workflow has published, and looks at the public page as somebody not signed in."""
    (published,) = wait_for(
        lambda: owner.get("/api/v1/public-incidents/").json()["results"], "the workflow for a SEV1 tells the public"
    )
    assert (published["incident"], published["status"]) == (number, "investigating")
    components = owner.get("/api/v1/components/").json()["results"]
    payments = next(component["id"] for component in components if component["name"] == "Payments")
    sitrep.post(
        owner,
        f"/api/v1/public-incidents/{published['id']}/updates/",
        {
            "status": "identified",
            "body": "Some payments fail. We are on it.",
            "components": [{"component": payments, "status": "partial_outage"}],
        },
    )
    public = web.get(f"{sitrep.url}/status/example/").raise_for_status().text
    assert "Some payments fail. We are on it." in public
    summary = f"{sitrep.url}/status/example/api/v2/summary.json"
    told = web.get(summary).raise_for_status().json()
    assert [incident["name"] for incident in told["incidents"]] == ["Problems with Payments"]
    public_id: int = published["id"]
    return public_id


# --- Whatever else can be pointed at it -------------------------------------------------------------------------------


def source_of(sitrep: Sitrep, owner: httpx.Client, dialect: str, sender: str) -> dict[str, Any]:
    """Makes an alert source: its slug, address and token."""
    made = sitrep.post(owner, "/api/v1/alert-sources/", {"name": f"{sender} by {dialect}", "dialect": dialect})
    return dict(made.json())


def statuses(owner: httpx.Client, source: dict[str, Any]) -> set[str]:
    """The statuses of the alerts of a source."""
    answer = owner.get("/api/v1/alerts/", params={"source": source["slug"]}).raise_for_status()
    return {alert["status"] for alert in answer.json()["results"]}


def wait_until_all(owner: httpx.Client, sources: list[dict[str, Any]], status: str) -> None:
    """Returns when each of the sources has alerts and all of them have that status."""
    wanted = [{status}] * len(sources)
    slugs = ", ".join(source["slug"] for source in sources)
    wait_for(lambda: [statuses(owner, source) for source in sources] == wanted, f"{slugs}: {status}")


def test_three_receivers_of_one_alertmanager_fire_and_resolve(
    sitrep: Sitrep, owner: httpx.Client, tmp_path: Path
) -> None:
    webhook, pagerduty, opsgenie = (
        source_of(sitrep, owner, name, "Receiver") for name in ("alertmanager", "pagerduty", "opsgenie")
    )
    receiver = (
        f"webhook_configs: [{{url: '{webhook['address']}'}}], "
        f"pagerduty_configs: [{{routing_key: {pagerduty['token']}, url: '{pagerduty['address']}'}}], "
        f"opsgenie_configs: [{{api_key: {opsgenie['token']}, api_url: '{sitrep.url}/opsgenie/', update_alerts: true}}]"
    )
    with alertmanager(tmp_path, receiver) as source:
        source.fire()
        wait_until_all(owner, [webhook, pagerduty, opsgenie], "firing")
        source.resolve()
        wait_until_all(owner, [webhook, pagerduty, opsgenie], "resolved")


PROMETHEUS = shutil.which("prometheus")


@pytest.mark.skipif(PROMETHEUS is None and os.environ.get("CI") != "true", reason="Prometheus is not installed")
def test_prometheus_sends_straight_to_it(sitrep: Sitrep, owner: httpx.Client, tmp_path: Path) -> None:
    assert PROMETHEUS is not None, "Prometheus is not installed (Debian: apt install prometheus)"
    source = source_of(sitrep, owner, "alertmanager", "Prometheus")
    path = source["address"].removeprefix(sitrep.url)
    target = free_port()
    (tmp_path / "rules.yml").write_text(
        "groups: [{name: all, interval: 1s, rules: [{alert: TargetIsDown, expr: up == 0,"
        " labels: {severity: critical}, annotations: {summary: 'Nobody answers'}}]}]\n"
    )
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f"rule_files: [{tmp_path / 'rules.yml'}]\n"
        f"scrape_configs: [{{job_name: it, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}]\n"
        f"alerting: {{alertmanagers: [{{path_prefix: '{path}',"
        f" static_configs: [{{targets: ['{sitrep.url.partition('://')[2]}']}}]}}]}}\n"
    )
    command = [PROMETHEUS, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{free_port()}", "--rules.alert.resend-delay=1s"]
    with running_program(tmp_path / "prometheus.log", command):
        wait_until_all(owner, [source], "firing")
        with ThreadingHTTPServer(("127.0.0.1", target), Metrics) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            wait_until_all(owner, [source], "resolved")
            server.shutdown()


class Metrics(BaseHTTPRequestHandler):
    """What Prometheus finds to be up."""

    def do_GET(self) -> None:
        """Answers with one metric (the name is http.server's)."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"it_works 1\n")

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


def test_amtool_finds_an_alertmanager(sitrep: Sitrep, owner: httpx.Client) -> None:
    program = shutil.which("amtool")
    assert program is not None, MISSING
    source = source_of(sitrep, owner, "alertmanager", "amtool")

    def amtool(*arguments: str) -> str:
        command = [program, f"--alertmanager.url={source['address']}", *arguments]
        finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.strip()

    amtool("alert", "add", "QueueIsLong", "instance=db-1", "severity=warning", "--annotation=summary=Too many wait")
    wait_for(lambda: "QueueIsLong" in amtool("alert", "query"), "the alert is listed")
    assert "Too many wait" in amtool("alert", "query", "instance=~db.*")
    assert "QueueIsLong" not in amtool("alert", "query", "instance=db-2")
    number = amtool("silence", "add", "instance=~db.*", "--comment=New disks", "--author=ada", "--duration=1h")
    assert number in amtool("silence", "query")
    assert "New disks" in amtool("silence", "query", "instance=~db.*")
    amtool("silence", "expire", number)
    assert number not in amtool("silence", "query")
    assert number in amtool("silence", "query", "--expired")
    assert source["slug"] in amtool("config", "show")
