"""Addresses that belong to an incident: added, named after the page behind them, taken off."""

import re
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import structlog
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from selectolax.lexbor import LexborHTMLParser

from accounts.actor import Actor
from events import outbound
from events.actions import publish
from events.errors import Invalid
from incidents.models import Incident, IncidentLink, TimelineEntry
from incidents.timeline import add_entry, redraw
from incidents.writing import locked

log = structlog.get_logger(__name__)

Kind = IncidentLink.Kind
MOST_READ_BYTES = 200_000
LONGEST_TITLE = 250
MOST_LINKS = 200


class Sign(NamedTuple):
    """What makes an address look like one of a kind: a part of its host, and a pattern of its path."""

    kind: IncidentLink.Kind
    host: str
    path: str


# The first that fits decides.
SIGNS = [
    Sign(Kind.PULL_REQUEST, "", r"/pull/\d+|/-/merge_requests/\d+|/pull-requests/\d+|/pullrequest/\d+"),
    Sign(Kind.DEPLOY, "", r"/actions/runs/\d+|/-/pipelines/\d+|/deployments?(/|$)|/releases?/(tag/)?[^/]+|/builds/\d+"),
    Sign(Kind.TICKET, "", r"/issues/\d+|/-/issues/\d+|/browse/[A-Z][A-Z0-9]+-\d+|/tickets?/\d+|/issue/[A-Z]+-\d+"),
    Sign(Kind.TICKET, "zendesk.", r""),
    Sign(Kind.TICKET, "linear.app", r"/issue/"),
    Sign(Kind.DASHBOARD, "grafana", r""),
    Sign(Kind.DASHBOARD, "kibana", r""),
    Sign(Kind.DASHBOARD, "datadoghq.", r""),
    Sign(Kind.DASHBOARD, "newrelic.com", r""),
    Sign(Kind.DASHBOARD, "honeycomb.io", r""),
    Sign(Kind.DASHBOARD, "sentry.", r""),
    Sign(Kind.DOCUMENT, "docs.google.com", r""),
    Sign(Kind.DOCUMENT, "notion.", r""),
    Sign(Kind.DOCUMENT, "sharepoint.com", r""),
    Sign(Kind.DOCUMENT, "confluence", r""),
    Sign(Kind.DASHBOARD, "", r"/d/[\w-]+(/|$)|/dashboards?(/|$)|/app/dashboards"),
    Sign(Kind.DOCUMENT, "", r"/wiki/|/docs?/|\.(pdf|docx?|md)$"),
]


def kind_of(url: str) -> IncidentLink.Kind:
    """What kind of thing stands behind an address, guessed from its host and path."""
    parts = urlsplit(url)
    host, path = (parts.hostname or "").lower(), parts.path
    for sign in SIGNS:
        if sign.host in host and re.search(sign.path, path):
            return sign.kind
    return Kind.OTHER


@transaction.atomic
def add_link(
    *, actor: Actor, incident: Incident, url: str, now: datetime, title: str = "", kind: str = ""
) -> IncidentLink:
    """Attaches an http(s) address to the incident; without a title the page behind it is asked for its own.

    The same address twice is one link; a title that is given then names it anew.
    """
    incident = locked(actor, incident)
    url, title = checked_url(url), title.strip()[:LONGEST_TITLE]
    if kind and kind not in Kind.values:
        raise Invalid(f"{kind!r} is not a kind of link.", field="kind", remedy=f"Use {', '.join(Kind.values)}.")
    link = IncidentLink.objects.filter(incident=incident, url=url).first()
    if link is not None:
        if title and title != link.title:
            link.title, link.is_read = title, True
            link.save(update_fields=["title", "is_read"])
            redraw(incident)
        return link
    if incident.links.count() >= MOST_LINKS:
        raise Invalid(f"An incident has at most {MOST_LINKS} links.", field="url", remedy="Take one off first.")
    link = IncidentLink.objects.create(
        incident=incident,
        kind=kind or kind_of(url),
        url=url,
        title=title,
        is_read=bool(title),
        added_at=now,
        added_by_name=actor.name[:200],
    )
    data = {"link": link.pk, "url": url, "kind": link.kind}
    text = f"linked {title or url}"
    add_entry(incident=incident, actor=actor, kind=TimelineEntry.Kind.LINK, text=text, now=now, data=data)
    publish("incident.link_added", subject=incident, actor=actor, data=data)
    return link


@transaction.atomic
def remove_link(*, actor: Actor, link: IncidentLink, now: datetime) -> Incident:
    """Takes an address off the incident; done twice, it stays off."""
    incident = locked(actor, link.incident)
    deleted, _of_models = IncidentLink.objects.filter(pk=link.pk).delete()
    if deleted:
        text = f"took the link {link} off"
        data = {"url": link.url, "removed": True}
        add_entry(incident=incident, actor=actor, kind=TimelineEntry.Kind.LINK, text=text, now=now, data=data)
        publish("incident.link_removed", subject=incident, actor=actor, data=data)
    return incident


def checked_url(url: str) -> str:
    """An address that a browser can open; raises Invalid for any other."""
    url = url.strip()
    if "://" not in url:
        url = f"https://{url}"
    try:
        URLValidator(schemes=["http", "https"])(url)
    except ValidationError as error:
        raise Invalid(
            f"{url!r} is not an address.", field="url", remedy="Give one such as https://example.com/page."
        ) from error
    if len(url) > 1000:
        raise Invalid("The address is longer than 1,000 characters.", field="url")
    return url


def read_title(*, link: IncidentLink) -> None:
    """Asks the page behind a link what it is called and shows that; what can't be read keeps its address.

    At most 200 kB are read, never from inside a private network unless the operator allows it.
    """
    try:
        answer, body = outbound.get(link.url, headers={"Accept": "text/html"}, most_bytes=MOST_READ_BYTES)
        is_page = answer.is_success and "html" in answer.headers.get("Content-Type", "")
        title = title_of(body.decode(answer.charset_encoding or "utf-8", errors="replace")) if is_page else ""
    except (outbound.AddressRefused, httpx.HTTPError, httpx.InvalidURL, LookupError, ValueError) as error:
        log.info("link_not_read", link_id=link.pk, reason=str(error))
        title = ""
    named = IncidentLink.objects.filter(pk=link.pk, is_read=False).update(is_read=True, title=title)
    if named and title:
        redraw(link.incident)


def title_of(html: str) -> str:
    """What a page is called: by `og:title` (https://ogp.me), else by its `<title>`; empty if it does not say."""
    tree = LexborHTMLParser(html)
    shared = tree.css_first('meta[property="og:title"]')
    named = tree.css_first("head > title")
    title = (shared.attributes.get("content") or "") if shared else ""
    if not title.strip() and named:
        title = named.text()
    return " ".join(title.split())[:LONGEST_TITLE]
