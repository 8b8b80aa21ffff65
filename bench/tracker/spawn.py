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


def _existing_signals(*names: str) -> tuple[signal.Signals, ...]:
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


FORWARDED_SIGNALS = _existing_signals(
    "SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"
)
# Python ignores these in its own process; a child process expects their default action.
RESET_SIGNALS = _existing_signals("SIGPIPE", "SIGXFSZ")
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

    `exit_code` is None while the program runs; `ended` is the clock's time of its end.
    """

    def __init__(self, command: Sequence[str], mask: Collection[int], clock: Clock) -> None:
        """Start the program with the signal mask that `block_signals` returned.

        Raises ValueError where the program cannot be started.
        """
        try:
            self.pid = os.posix_spawnp(
                command[0], list(command), os.environ, setsigmask=mask, setsigdef=RESET_SIGNALS
            )
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            raise ValueError(f"{command[0]} can't be started: {error.strerror}") from None
        self.exit_code: int | None = None
        self.ended: float | None = None
        self._clock = clock
        threading.Thread(target=self._record_end, daemon=True).start()

    def wait(self, seconds: float) -> int | None:
        """Wait until the program ends, a signal arrives or `seconds` are over.

        Returns the exit code, or None while the program runs. The exit code of a program that was
        ended by a signal is 128 + the number of the signal, as in a shell.
        """
        received = signal.sigtimedwait((*FORWARDED_SIGNALS, signal.SIGCHLD), max(seconds, 0.0))
        if received is not None and received.si_signo != signal.SIGCHLD:
            self._forward(received.si_signo, received.si_code)
        self._reap()
        return self.exit_code

    def _record_end(self) -> None:
        """Record the time of the end, also while the main thread does something else."""
        with suppress(ChildProcessError):  # `_reap` was first and recorded the time
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            self.ended = self.ended or self._clock.now()

    def _forward(self, number: int, code: int) -> None:
        if self.exit_code is None and code != SI_KERNEL:
            os.kill(self.pid, number)

    def _reap(self) -> None:
        """Collect every ended child process, so that its CPU time is counted."""
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
    """Block the forwarded signals in this thread and its later threads, for `ChildProcess.wait`.

    Returns the signals that were blocked before. This process also becomes the parent of orphaned
    descendants (PR_SET_CHILD_SUBREAPER), so that their CPU time is counted. Raises ValueError on a
    system other than Linux.
    """
    if not sys.platform.startswith("linux"):
        raise ValueError("joulebench track needs Linux; `from bench import track` does not")
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return signal.pthread_sigmask(signal.SIG_BLOCK, (*FORWARDED_SIGNALS, signal.SIGCHLD))
