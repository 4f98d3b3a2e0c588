"""What the frame around every staff page shows: open pages for you, until when you are on call, what cannot wait."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User


@dataclass
class Frame:
    """The viewer's own numbers."""

    my_open_pages: int = 0
    on_call_until: datetime | None = None
    banners: list[dict[str, str]] = field(default_factory=list)
    nav_counts: dict[str, int] = field(default_factory=dict)


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor; nothing is asked of the database unless the template shows it."""
    if not isinstance(getattr(request, "user", None), User) and not getattr(request, "user", None):
        return {"frame": Frame()}
    return {"frame": SimpleLazyObject(Frame)}
