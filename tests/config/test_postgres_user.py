"""As root, Sitrep opens no more than the user that runs PostgreSQL needs, and keeps secrets to their owner."""

import os
import stat
from pathlib import Path

import pytest

from config import postgres_user
from config.kept_secrets import kept_secret, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def closed_home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "sitrep" / "var").mkdir(parents=True)
    home.chmod(0o700)
    return home


def test_only_directories_that_are_closed_are_named(closed_home: Path) -> None:
    found = postgres_user.closed_parents([closed_home / "sitrep" / "var"])
    assert closed_home in found
    assert closed_home / "sitrep" not in found
    assert Path("/") not in found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_has_to_change_is_said_in_one_line_before_and_others_still_can_not_list(closed_home: Path) -> None:
    modes_when_said: list[int] = []
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        modes_when_said.append(mode(closed_home))

    var = closed_home / "sitrep" / "var"
    account = postgres_user.prepare(passable=[var], readable=[], owned=[var], say=say)
    assert len(said) == 1
    assert str(closed_home) in said[0]
    assert modes_when_said == [0o700]
    assert mode(closed_home) == 0o701
    assert var.stat().st_uid == account.uid
    postgres_user.prepare(passable=[var], readable=[], owned=[var], say=say)
    assert len(said) == 1


def test_programs_that_were_installed_with_a_strict_umask_become_readable(tmp_path: Path) -> None:
    program, library = tmp_path / "tree" / "bin" / "postgres", tmp_path / "tree" / "lib.so"
    program.parent.mkdir(parents=True)
    for path, bits in ((program, 0o700), (library, 0o600), (program.parent, 0o700), (tmp_path / "tree", 0o700)):
        if not path.exists():
            path.touch()
        path.chmod(bits)
    postgres_user.open_tree(tmp_path / "tree")
    assert [mode(path) for path in (tmp_path / "tree", program.parent, program, library)] == [
        0o705,
        0o705,
        0o705,
        0o604,
    ]


def test_a_kept_secret_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret-key"
    assert kept_secret(path, "first") == "first"
    assert kept_secret(path, "second") == "first"
    assert mode(path) == 0o600


def test_a_private_file_replaces_an_older_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "engines.env"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (path.read_text(), mode(path)) == ("new", 0o600)
