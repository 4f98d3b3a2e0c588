"""Which Chromium the browser tests drive: the system's, else Playwright's own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = "NO BROWSER TESTS: there is no Chromium and Playwright could not fetch one (Debian: apt install chromium)."


def find() -> Path | None:
    """Returns the browser's program, or None. CHROMIUM names one explicitly."""
    named = os.environ.get("CHROMIUM", "")
    candidates = [Path(named)] if named else []
    candidates += [Path(path) for path in map(shutil.which, NAMES) if path]
    candidates += [MAC, *sorted(playwright_home().glob("chromium-*/chrome-*/chrome"), reverse=True)]
    return next((path for path in candidates if path.is_file()), None)


def playwright_home() -> Path:
    """Returns where `playwright install` puts browsers."""
    cache = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or cache / "ms-playwright")


def main() -> int:
    """Fetches a browser if none is here. Returns 1 when there still is none and CI=true."""
    if find():
        return 0
    print("No Chromium on this machine: asking Playwright to fetch one …", flush=True)  # noqa: T201
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if find():
        return 0
    print(f"\n{'!' * len(MISSING)}\n{MISSING}\n{'!' * len(MISSING)}\n", file=sys.stderr, flush=True)  # noqa: T201
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
