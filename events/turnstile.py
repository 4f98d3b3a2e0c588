"""How many threads of a process do the same sweep at a time."""

from collections.abc import Callable
from threading import Lock


class Turnstile:
    """Lets so many threads through; whoever comes when all are busy has one of these go round again instead.

    So nobody waits, and nothing that was there when somebody came is overlooked.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._busy = 0
        self._again = False
        self._lock = Lock()

    def run(self, sweep: Callable[[], None]) -> None:
        """Does `sweep`, and once more for those who came meanwhile; returns at once when enough others do."""
        with self._lock:
            if self._busy >= self._most:
                self._again = True
                return
            self._busy += 1
        try:
            while True:
                sweep()
                with self._lock:
                    if not self._again:
                        self._busy -= 1
                        return
                    self._again = False
        except BaseException:
            with self._lock:
                self._busy -= 1
            raise
