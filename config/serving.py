"""What a process that serves needs, as opposed to one that runs a command."""

import gc
import sys

from django.conf import settings

# So many objects come before the collector looks at the young ones, 700 by default: what a large page is made of.
YOUNG = 20_000


def refuse_without_secret() -> None:
    """Ends the process with one line unless SECRET_KEY is set: sessions and signed links depend on it."""
    if settings.SECRET_KEY_IS_MISSING:
        sys.exit("Sitrep can't start: set SECRET_KEY to a long random text (see deploy/env.example)")


def settle() -> None:
    """Takes what the start has loaded out of sight of the garbage collector, and has it look less often at the rest: it
    stood for up to 100 ms in the middle of somebody's request. What is dropped is freed at once, only cycles wait."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 50)
