"""How an action says no: an error with a code, the field, the reason and the remedy. Each adapter translates it."""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """A refused action. `status` is the HTTP status that the web and the API answer with.

    `details` are plain values that a program needs to go on, such as what stands now where somebody else was quicker.
    """

    status = 400
    code = "invalid"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        field: str = "",
        remedy: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.field = field
        self.remedy = remedy
        self.details = dict(details or {})

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class Invalid(DomainError):
    """What was sent makes no sense; `field` says where."""


class NotAllowed(DomainError):
    """The actor may not do this."""

    status = 403
    code = "not_allowed"


class NotFound(DomainError):
    """It does not exist, or the actor may not know that it does."""

    status = 404
    code = "not_found"


class Conflict(DomainError):
    """The state of the thing forbids this now."""

    status = 409
    code = "conflict"


def require(allowed: bool, message: str, *, remedy: str = "Ask an administrator for a role that may.") -> None:
    """Raises NotAllowed unless `allowed`."""
    if not allowed:
        raise NotAllowed(message, remedy=remedy)
