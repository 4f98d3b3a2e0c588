"""The REST API of this app."""

from typing import Any

routes: list[tuple[str, type[Any], str]] = []
