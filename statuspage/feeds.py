"""A page's incident history as Atom (shaped like Statuspage's `history.atom`) and as RSS 2.0."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, SyndicationFeed
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.xmlutils import SimplerXMLGenerator
from django.views.decorators.http import conditional_page, require_safe

from events.markdown import render
from statuspage.board import with_updates
from statuspage.models import PublicIncident, StatusPage
from statuspage.public import CACHE_CONTROL
from statuspage.wire import absolute

MOST_RECENT = 50


def tag(name: str) -> str:
    """An id that stays the same for ever, as RFC 4151 says."""
    return f"tag:{urlsplit(settings.PUBLIC_URL).hostname},2005:{name}"


def updates_html(public_incident: PublicIncident) -> SafeString:
    """One paragraph per update, newest first, with its instant in the page's zone."""
    zone = ZoneInfo(public_incident.page.time_zone)
    paragraphs = []
    for update in public_incident.updates.all():
        moment = update.created_at.astimezone(zone)
        when = format_html(
            "{} <var data-var='date'>{}</var>, <var data-var='time'>{}</var> {}",
            date_format(moment, "M"),
            moment.day,
            f"{moment:%H:%M}",
            moment.tzname(),
        )
        text = render(update.body).removeprefix("<p>").removesuffix("</p>")
        paragraphs.append((when, update.get_status_display(), SafeString(text)))
    return format_html_join("", "<p> <small>{}</small><br> <strong>{}</strong> - {}</p>", paragraphs)


class ContentAtomFeed(Atom1Feed):
    """Atom whose entries carry the text as `content`, as readers of Statuspage feeds expect."""

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, Any]) -> None:
        content = item.pop("description")
        super().add_item_elements(handler, {**item, "description": None})
        handler.addQuickElement("content", content, {"type": "html"})


class RssHistory(Feed[PublicIncident, StatusPage]):
    """`history.rss`."""

    feed_type: type[SyndicationFeed] = Rss201rev2Feed
    suffix = "rss"

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> StatusPage:
        return get_object_or_404(StatusPage, slug=kwargs["slug"])

    def title(self, page: StatusPage) -> str:
        return _("%(page)s Status - Incident History") % {"page": page.name}

    def link(self, page: StatusPage) -> str:
        return absolute(page.get_absolute_url())

    def feed_url(self, page: StatusPage) -> str:
        return absolute(f"{page.get_absolute_url()}history.{self.suffix}")

    def feed_guid(self, page: StatusPage) -> str:
        return tag("/history")

    def author_name(self, page: StatusPage) -> str:
        return page.name

    def description(self, page: StatusPage) -> str:
        return page.description or self.title(page)

    def items(self, page: StatusPage) -> Any:
        return with_updates(page.public_incidents.order_by("-started_at", "-id")[:MOST_RECENT])

    def item_title(self, item: PublicIncident) -> SafeString:
        return SafeString(item.name)

    def item_description(self, item: PublicIncident) -> str:
        return updates_html(item)

    def item_link(self, item: PublicIncident) -> str:
        return absolute(item.get_absolute_url())

    def item_guid(self, item: PublicIncident) -> str:
        return tag(f"Incident/{item.pk}")

    item_guid_is_permalink = False

    def item_pubdate(self, item: PublicIncident) -> datetime:
        return item.started_at

    def item_updateddate(self, item: PublicIncident) -> datetime:
        return item.updated_at


class AtomHistory(RssHistory):
    """`history.atom`."""

    feed_type = ContentAtomFeed
    suffix = "atom"


def feed_view(feed: RssHistory) -> Callable[..., HttpResponse]:
    """The feed as a public view."""

    def view(request: HttpRequest, slug: str) -> HttpResponse:
        with timezone.override(timezone.get_default_timezone()):
            response = feed(request, slug=slug)
        response["Cache-Control"] = CACHE_CONTROL
        return response

    return login_not_required(require_safe(conditional_page(view)))
