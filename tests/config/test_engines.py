"""The embedded engines start on a bare directory, again after any end, and never twice at once."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest
import redis

from config import processes
from config.engines import EngineError, Engines, Places, program


@pytest.fixture
def var() -> Generator[Path]:
    # Not `tmp_path`: pytest keeps that closed to the user that runs PostgreSQL for root.
    directory = Path(tempfile.mkdtemp(prefix="engines-"))
    directory.chmod(0o755)
    yield directory / "var"
    shutil.rmtree(directory)


@pytest.fixture
def said() -> list[str]:
    return []


def answers(engines: Engines) -> bool:
    addresses = engines.places.addresses
    with psycopg.connect(addresses.database_url) as connection:
        connection.execute("SELECT 1")
    with redis.Redis.from_url(addresses.redis_url) as client:
        return bool(client.ping())


def test_data_outlives_a_stop(var: Path, said: list[str]) -> None:
    engines = Engines(var, say=said.append)
    with psycopg.connect(engines.start().database_url) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    engines.stop()
    again = Engines(var, say=said.append)
    with psycopg.connect(again.start().database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    again.stop()


def test_nothing_listens_on_the_network_and_others_can_not_reach_the_sockets(var: Path, said: list[str]) -> None:
    engines = Engines(var, say=said.append, durable=False)
    with psycopg.connect(engines.start().database_url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    for socket_path in (engines.places.postgres_socket, engines.places.valkey_socket.parent):
        assert stat.S_IMODE(socket_path.stat().st_mode) == 0o700
    engines.stop()


def test_a_second_start_on_the_same_directory_is_refused_in_one_line(var: Path, said: list[str]) -> None:
    engines = Engines(var, say=said.append, durable=False)
    engines.start()
    with pytest.raises(EngineError, match=f"already runs on .* \\(process {os.getpid()}\\)"):
        Engines(var, say=said.append, durable=False).start()
    assert answers(engines)
    engines.stop()


def test_engines_left_by_a_killed_run_do_not_block_the_next(
    var: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without_death_signal:
        without_death_signal.setattr(processes, "_libc", None)
        killed = Engines(var, say=said.append, durable=False)
        killed.start()
    # What a SIGKILL leaves: running engines whose lock is free.
    assert killed._lock is not None
    killed._lock.close()
    following = Engines(var, say=said.append, durable=False)
    following.start()
    assert answers(following)
    assert any("PostgreSQL that an earlier run left" in line for line in said)
    assert any("Valkey that an earlier run left" in line for line in said)
    following.stop()
    killed.stop()


def test_a_process_number_that_is_somebody_elses_by_now_does_not_block_the_start(var: Path, said: list[str]) -> None:
    engines = Engines(var, say=said.append, durable=False)
    engines.start()
    engines.stop()
    (engines.places.data / "postmaster.pid").write_text(f"{os.getpid()}\n{engines.places.data}\n0\n5432\n\n\n0 0\n")
    (engines.places.valkey / "valkey.pid").write_text(str(os.getpid()))
    engines.start()
    assert answers(engines)
    engines.stop()


def test_a_directory_too_deep_for_a_socket_gets_a_short_one(var: Path, said: list[str]) -> None:
    engines = Engines(var / ("deep" * 15) / ("er and spaced" * 5), say=said.append, durable=False)
    engines.start()
    assert answers(engines)
    assert not engines.places.sockets.is_relative_to(var)
    engines.stop()
    shutil.rmtree(engines.places.sockets)


def test_an_interrupted_first_start_leaves_no_half_made_data(var: Path, said: list[str]) -> None:
    unfinished = Places(var).data.with_name("data.unfinished")
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    engines = Engines(var, say=said.append, durable=False)
    engines.start()
    assert answers(engines)
    engines.stop()


def test_data_of_another_major_version_is_refused_and_kept(var: Path, said: list[str]) -> None:
    data = Places(var).data
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(EngineError, match="was made by PostgreSQL 16"):
        Engines(var, say=said.append).start()
    assert (data / "PG_VERSION").read_text() == "16\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_engines_end_with_a_process_that_is_killed(var: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from config.engines import Engines;"
        "Engines(Path(sys.argv[1]), say=print, durable=False).start(); print('up', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program, str(var)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    while owner.stdout.readline().strip() != "up":
        assert owner.poll() is None
    numbers = [
        int((Places(var).data / "postmaster.pid").read_text().split()[0]),
        int((Places(var).valkey / "valkey.pid").read_text()),
    ]
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    deadline = time.monotonic() + 10
    while any(processes.running(number, mentioning="") for number in numbers):
        assert time.monotonic() < deadline, "an engine outlived its owner by 10 s"
        time.sleep(0.05)


def test_a_platform_without_the_wheels_is_told_to_bring_its_own_engines() -> None:
    with pytest.raises(EngineError) as refused:
        program("a_wheel_that_is_not_there", "bin/postgres")
    assert "DATABASE_URL" in str(refused.value)
    assert "\n" not in str(refused.value)
