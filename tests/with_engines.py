"""Runs one management command beside engines of its own: `python -m tests.with_engines migrate`."""

import os
import subprocess
import sys
from pathlib import Path

from tests import engines


def main(arguments: list[str]) -> int:
    """Returns the command's exit code. A secret key of the environment's own is kept."""
    secret_key = os.environ.get("SECRET_KEY")
    engines.start_engines()
    if secret_key:
        os.environ["SECRET_KEY"] = secret_key
    try:
        manage = Path(__file__).resolve().parent.parent / "manage.py"
        return subprocess.run([sys.executable, str(manage), *arguments], check=False).returncode
    finally:
        engines.pytest_unconfigure()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
