"""Starts the tracked program as a child process and forwards signals to it; `TrackConfig`."""

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

# Selected by name, so that this file can be imported on systems that lack some of them.
FORWARDED_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
FORWARDED_SIGNALS = tuple(s for s in signal.Signals if s.name in FORWARDED_NAMES)
# Python ignores these in its own process; a child process expects their default action.
RESET_SIGNALS = tuple(s for s in signal.Signals if s.name in ("SIGPIPE", "SIGXFSZ"))
# siginfo code SI_KERNEL: the terminal signalled its whole foreground group, the program included.
SI_KERNEL = 0x80
PR_SET_CHILD_SUBREAPER = 36  # option of prctl(2), linux/prctl.h


@dataclass(frozen=True)
class TrackConfig:
    """Options of one tracked program.

    `command` is the program with its arguments, `name` its name in the record, `out` the folder of
    the record. `device` selects GPUs as `--device` does, `region` and `pue` are copied to the
    record, and `options` are those of the meters, as text.
    """

    command: Sequence[str]
    name: str
    out: Path
    device: str = "all"
    region: str | None = None
    pue: float | None = None
    options: Mapping[str, str] = field(default_factory=dict)


class ChildProcess:
    """A running program. Signals that reach this process are forwarded to it by `wait`.

    `exit_code` is None while the program runs; `started` and `ended` are times of the clock.
    The exit code of a program that a signal ended is 128 + the number of the signal, as in a shell.
    """

    def __init__(self, command: Sequence[str], mask: Collection[int], clock: Clock) -> None:
        """Start the program with the signal mask that `block_signals` returned.

        Raises ValueError where the program cannot be started.
        """
        self.started = clock.now()
        try:
            self.pid = os.posix_spawnp(
                command[0], list(command), os.environ, setsigmask=mask, setsigdef=RESET_SIGNALS
            )
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            raise ValueError(f"{command[0]} cannot be started: {error.strerror}") from None
        self.exit_code: int | None = None
        self.ended: float | None = None
        self._clock = clock
        threading.Thread(target=self._record_end, daemon=True).start()

    def wait(self, seconds: float) -> int | None:
        """Wait until the program ends or `seconds` are over; signals that arrive are forwarded.

        Returns the exit code, or None while the program runs.
        """
        until = self._clock.now() + seconds
        while self.exit_code is None and (left := until - self._clock.now()) > 0:
            received = signal.sigtimedwait((*FORWARDED_SIGNALS, signal.SIGCHLD), left)
            from_terminal = received is not None and received.si_code == SI_KERNEL
            if received is not None and received.si_signo != signal.SIGCHLD and not from_terminal:
                os.kill(self.pid, received.si_signo)
            self._reap()
        return self.exit_code

    def _record_end(self) -> None:
        """Record the time of the end, also while the main thread does something else."""
        with suppress(ChildProcessError):  # `_reap` was first and recorded the time
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            self.ended = self.ended or self._clock.now()

    def _reap(self) -> None:
        """Collect every ended child process, so that its CPU time is counted."""
        with suppress(ChildProcessError):  # there is none left
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.pid:
                    self.ended = self.ended or self._clock.now()
                    code = os.waitstatus_to_exitcode(status)
                    self.exit_code = 128 - code if code < 0 else code


def block_signals() -> Collection[int]:
    """Block the forwarded signals in this thread and its later threads, for `ChildProcess.wait`.

    Returns the signals that were blocked before. This process also becomes the parent of orphaned
    descendants (PR_SET_CHILD_SUBREAPER), so that their CPU time is counted. Raises ValueError on a
    system other than Linux.
    """
    if not sys.platform.startswith("linux"):
        raise ValueError("joulebench track needs Linux; `from bench import track` does not")
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return signal.pthread_sigmask(signal.SIG_BLOCK, (*FORWARDED_SIGNALS, signal.SIGCHLD))
