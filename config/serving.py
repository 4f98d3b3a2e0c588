"""What a process that serves needs, as opposed to one that runs a command."""

import gc
import sys

from django.conf import settings


def refuse_without_secret() -> None:
    """Ends the process with one line unless SECRET_KEY is set: sessions and signed links depend on it."""
    if settings.SECRET_KEY_IS_MISSING:
        sys.exit("Sitrep can't start: set SECRET_KEY to a long random text (see deploy/env.example)")


def settle() -> None:
    """Takes what the start has loaded out of sight of the garbage collector, which would look through all of it again
    and again, each time in the middle of somebody's request."""
    gc.collect()
    gc.freeze()
