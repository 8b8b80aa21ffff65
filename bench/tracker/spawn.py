"""Starts the child, forwards signals; `TrackConfig`."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.system.clock import Clock

PASSED_ON = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)

# What Python ignores in itself and no other program expects to be ignored.
MENDED = tuple(getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(signal, name))
FROM_THE_TERMINAL = 0x80  # SI_KERNEL: the whole foreground group was told, the program too
PR_SET_CHILD_SUBREAPER = 36


class ChildProcess:
    """A running program. Signals that end or ask something of us are passed on to it.

    Raises ValueError with one sentence where it can't be started.
    """

    def __init__(self, command: Sequence[str], mask: Collection[int], clock: Clock) -> None:
        """Start it with the signals blocked that `hold_signals` found blocked."""
        try:
            self.pid = os.posix_spawnp(
                command[0], list(command), os.environ, setsigmask=mask, setsigdef=MENDED
            )
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            raise ValueError(f"{command[0]} can't be started: {error.strerror}") from None
        self.exit_code: int | None = None
        self.ended: float | None = None
        self._clock = clock
        threading.Thread(target=self._note_end, daemon=True).start()

    def wait(self, seconds: float) -> int | None:
        """Wait for the end, for `seconds` at most; gives the exit code, None while it runs.

        A program that a signal ended has the exit code 128 + the number of the signal.
        """
        told = signal.sigtimedwait((*PASSED_ON, signal.SIGCHLD), max(seconds, 0.0))
        if told is not None and told.si_signo != signal.SIGCHLD:
            self._pass_on(told.si_signo, told.si_code)
        self._reap()
        return self.exit_code

    def _note_end(self) -> None:
        """Remember when it ended, also while the rest of us is at something else."""
        with suppress(ChildProcessError):  # `wait` saw the end first, and noted it
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            self.ended = self.ended or self._clock.now()

    def _pass_on(self, number: int, code: int) -> None:
        if self.exit_code is None and code != FROM_THE_TERMINAL:
            os.kill(self.pid, number)

    def _reap(self) -> None:
        """Take note of every ended process that is ours, so that its CPU time counts."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.ended = self.ended or self._clock.now()
                code = os.waitstatus_to_exitcode(status)
                self.exit_code = 128 - code if code < 0 else code


def block_signals() -> Collection[int]:
    """Let signals wait for `Program.wait`, in this thread and in those that it starts from now on.

    Gives those that were blocked before. We also become the parent of what the program leaves
    behind, so that its CPU time is not lost. Raises ValueError on a system without these calls.
    """
    if not sys.platform.startswith("linux"):
        raise ValueError("joulebench track needs Linux; `from bench import track` does not")
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return signal.pthread_sigmask(signal.SIG_BLOCK, (*PASSED_ON, signal.SIGCHLD))


@dataclass(frozen=True)
class TrackConfig:
    """A program as it was asked for on the command line."""

    command: Sequence[str]
    name: str
    out: Path
    device: str = "all"
    region: str | None = None
    pue: float | None = None
    options: Mapping[str, str] = field(default_factory=dict)
