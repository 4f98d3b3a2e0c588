"""Which secrets `make run` makes once and keeps in files that only their owner can read."""

import os
from pathlib import Path


def kept_secret(path: Path, new: str) -> str:
    """Returns the secret in the file; where there is none, `new` becomes it."""
    if path.exists():
        return path.read_text().strip()
    write_private(path, new + "\n")
    return new


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    unfinished.rename(path)
