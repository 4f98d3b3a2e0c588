"""Which system user runs the embedded PostgreSQL when Sitrep was started as root, and what that user may reach."""

import os
import pwd
import stat
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

NAME = "pgserver"
READABLE_DIRECTORY = stat.S_IROTH | stat.S_IXOTH


@dataclass(frozen=True)
class Account:
    """The user's numbers."""

    uid: int
    gid: int


def prepare(
    *, passable: Iterable[Path], readable: Iterable[Path], owned: Iterable[Path], say: Callable[[str], None]
) -> Account:
    """Returns the user, who can then walk to `passable`, read all of `readable` and owns all of `owned`.

    What has to change for that on this machine (a new user, directories that others may pass through) is said in one
    line first; when nothing has to change, nothing is said. Raises OSError or CalledProcessError.
    """
    readable = [path for path in readable if path.is_dir()]
    closed = closed_parents([*passable, *readable])
    missing = not exists()
    if missing or closed:
        user = f"the user {NAME}, made now" if missing else f"the user {NAME}"
        doors = f", and lets others pass through {', '.join(map(str, closed))}" if closed else ""
        say(f"Started as root, which PostgreSQL refuses to be: Sitrep runs it as {user}{doors}.")
    if missing:
        subprocess.run(  # noqa: S603
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME],  # noqa: S607
            check=True,
            capture_output=True,
        )
    for directory in closed:
        directory.chmod(directory.stat().st_mode | stat.S_IXOTH)
    for tree in readable:
        open_tree(tree)
    entry = pwd.getpwnam(NAME)
    for tree in owned:
        give_tree(tree, entry.pw_uid, entry.pw_gid)
    return Account(entry.pw_uid, entry.pw_gid)


def exists() -> bool:
    """Tells whether this machine has the user."""
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        return False
    return True


def closed_parents(paths: Iterable[Path]) -> list[Path]:
    """Returns the directories above the paths that others can't pass through."""
    above = {parent for path in paths for parent in path.resolve().parents}
    return sorted(parent for parent in above if not parent.stat().st_mode & stat.S_IXOTH)


def open_tree(tree: Path) -> None:
    """Lets others read the programs and libraries under `tree` (they may have been installed with a strict umask)."""
    for directory, _, files in os.walk(tree):
        mode = Path(directory).stat().st_mode
        if mode & READABLE_DIRECTORY != READABLE_DIRECTORY:
            Path(directory).chmod(mode | READABLE_DIRECTORY)
        for name in files:
            path = Path(directory, name)
            mode = path.stat().st_mode
            wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
            if mode != wanted:
                path.chmod(wanted)


def give_tree(tree: Path, uid: int, gid: int) -> None:
    """Makes the user the owner of `tree` and all in it, if it is not already the owner of the top."""
    if tree.stat().st_uid == uid:
        return
    for directory, _, files in os.walk(tree):
        for path in (Path(directory), *(Path(directory, name) for name in files)):
            os.chown(path, uid, gid, follow_symlinks=False)
