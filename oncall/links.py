"""Signed links that let a paged person act without signing in. A link serves one page and nothing else."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

SALT = "oncall.page"
VALID_FOR = timedelta(days=7)


def page_token(page_id: int) -> str:
    """The secret part of a page's link."""
    return signing.dumps(page_id, salt=SALT)


def page_link(page_id: int) -> str:
    """The absolute address at which the paged person acknowledges."""
    return settings.PUBLIC_URL + reverse("oncall:answer", args=[page_token(page_id)])


def page_of_token(token: str) -> int | None:
    """The id of the page behind a link, or None if it is forged or too old."""
    try:
        page_id: int = signing.loads(token, salt=SALT, max_age=VALID_FOR)
    except signing.BadSignature:
        return None
    return page_id
