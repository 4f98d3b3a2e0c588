"""How Sitrep starts and ends operating-system processes without leaving one behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(death_signal: signal.Signals) -> None:
    """Asks the kernel to send this process `death_signal` when the thread that started it ends (Linux only)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal))


def catches(pid: int, number: signal.Signals) -> bool:
    """Tells whether the process handles the signal by itself (Linux; elsewhere False)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    mask = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(mask, 16) >> (number - 1) & 1)


def spawn(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | int,
    environment: Mapping[str, str] | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    user: int | None = None,
    group: int | None = None,
    directory: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Starts `command` in a session of its own, out of reach of the terminal's Ctrl-C, and returns it.

    It gets `death_signal` if this process dies without stopping it. Call from the main thread: the kernel watches the
    thread. Raises OSError when the program can't be started.
    """
    before_program: Callable[[], None] = lambda: die_with_parent(death_signal)  # noqa: E731
    return subprocess.Popen(  # noqa: S603
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=directory,
        user=user,
        group=group,
        extra_groups=[] if user is not None and os.geteuid() == 0 else None,
        start_new_session=True,
        preexec_fn=before_program,  # noqa: PLW1509  (a single system call, safe between fork and exec)
    )


def stop(process: subprocess.Popen[bytes], *, patience_seconds: float, first: signal.Signals = signal.SIGTERM) -> None:
    """Sends `first`, waits, then kills the whole process group; returns when the process is gone."""
    ask_to_stop(process, first)
    wait_or_kill(process, patience_seconds)


def ask_to_stop(process: subprocess.Popen[bytes], with_signal: signal.Signals = signal.SIGTERM) -> None:
    """Sends the signal to the process if it still runs, and does not wait."""
    if process.poll() is None:
        process.send_signal(with_signal)


def wait_or_kill(process: subprocess.Popen[bytes], patience_seconds: float) -> None:
    """Waits for the process, then kills what is left of its group (its own children too)."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience_seconds)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def running(pid: int, *, mentioning: str) -> psutil.Process | None:
    """Returns the live process `pid` if its command line holds `mentioning`: numbers are reused, command lines tell."""
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return process if alive and mentioning in " ".join(process.cmdline()) else None
    except psutil.Error:
        return None


def end_leftover(process: psutil.Process, *, first: signal.Signals, patience_seconds: float) -> None:
    """Ends a process that an earlier run left behind."""
    try:
        process.send_signal(first)
        process.wait(patience_seconds)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(5)
    except psutil.NoSuchProcess:
        pass
