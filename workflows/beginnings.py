"""The workflows that ship with Sitrep, to begin a new one with."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.text import slugify

from workflows.exchange import definition_in, documents_in

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class Beginning:
    """A workflow that ships: its name, what it is for, and what it does."""

    slug: str
    name: str
    folder: str
    description: str
    definition: dict[str, Any]


@lru_cache(maxsize=1)
def beginnings() -> tuple[Beginning, ...]:
    """All of them, in the order of their files."""
    documents = [each for file in sorted(PRESETS.glob("*.yaml")) for each in documents_in(file.read_text("utf-8"))]
    return tuple(
        Beginning(
            str(each.get("slug") or slugify(each["name"])),
            each["name"],
            each.get("folder", ""),
            each.get("description", ""),
            definition_in(each),
        )
        for each in documents
    )


def beginning_called(slug: str) -> Beginning | None:
    """The one of that slug; None for none."""
    return next((each for each in beginnings() if each.slug == slug), None)
