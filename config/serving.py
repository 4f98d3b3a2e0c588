"""What must be set before a process may serve, as opposed to run a command."""

import sys

from django.conf import settings


def refuse_without_secret() -> None:
    """Ends the process with one line unless SECRET_KEY is set: sessions and signed links depend on it."""
    if settings.SECRET_KEY_IS_MISSING:
        sys.exit("Sitrep can't start: set SECRET_KEY to a long random text (see deploy/env.example)")
