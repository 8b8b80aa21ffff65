"""Start a program, read the sensors while it runs, and bill it when it has ended."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.system.clock import SystemClock
from bench.tracker import spawn
from bench.tracker.sensors import SystemSensors
from bench.tracker.spawn import TrackConfig

if TYPE_CHECKING:
    from bench.tracker.program_record import ProgramRecord

LOOK_SECONDS, LONGEST_SECONDS = 1.0, 10.0
SHARE = 0.003  # of one CPU is what our looking may take


@dataclass(frozen=True)
class TrackOutcome:
    """What came of it: the exit code, the record with its file, and what went wrong with them."""

    exit_code: int
    track: ProgramRecord | None = None
    path: Path | None = None
    failure: str | None = None


def supervise(
    asked: TrackConfig,
    tell: Callable[[ProgramRecord], None],
    preload: Callable[[], object] = lambda: None,
) -> TrackOutcome:
    """Run the program to its end. `tell` is given the record as it grows, about once a second.

    `preload` imports what the caller needs later; it is called in a thread of the lowest priority,
    half a second after the program has started.

    Raises ValueError with one sentence where the program can't be started or there is no such
    device, and OSError where the record could not be saved, before the program is started.
    """
    clock = SystemClock()
    sensors = SystemSensors(asked.device, clock, asked.options)
    _check_writable(asked.out)
    mask = spawn.block_signals()
    sensors.begin()
    began = clock.now()
    program = spawn.ChildProcess(asked.command, mask, clock)
    try:
        return _billed(program, sensors, clock, began, asked, tell, preload)
    except Exception as error:  # noqa: BLE001 - our own faults are not the program's: it goes on
        while (code := program.wait(LONGEST_SECONDS)) is None:
            continue
        return TrackOutcome(code, failure=f"the tracker failed, the program did not: {error!r}")


def _billed(
    program: spawn.ChildProcess,
    sensors: SystemSensors,
    clock: SystemClock,
    began: float,
    asked: TrackConfig,
    tell: Callable[[ProgramRecord], None],
    preload: Callable[[], object],
) -> TrackOutcome:
    code = _open_gently(program, clock, preload)
    from bench.tracker.program_recorder import ProgramRecorder

    book = ProgramRecorder(sensors, clock, began, asked)
    pause = 0.0
    while code is None:
        spent = time.process_time()
        tell(book.note())
        spent = time.process_time() - spent
        code = _wait(program, clock, pause or LOOK_SECONDS)
        pause = min(max(LOOK_SECONDS, spent / SHARE), LONGEST_SECONDS)
    track = book.close(code, program.ended or clock.now())
    return TrackOutcome(code, track, book.path, book.failure)


def _open_gently(
    program: spawn.ChildProcess, clock: SystemClock, preload: Callable[[], object]
) -> int | None:
    """Import what reads and shows the sensors, a while after the start and at the lowest priority.

    It takes a third of a second of CPU, which is the program's where CPUs are scarce.
    """

    def imports() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)  # of this thread alone
        from bench.tracker import program_recorder  # noqa: F401

        preload()

    code = _wait(program, clock, LOOK_SECONDS / 2)
    opening = threading.Thread(target=imports, daemon=True)
    if code is None:
        opening.start()
    while code is None and opening.is_alive():
        code = program.wait(0.05)
    return code


def _wait(program: spawn.ChildProcess, clock: SystemClock, seconds: float) -> int | None:
    """Wait for so long, however many signals come meanwhile."""
    until = clock.now() + seconds
    code = None
    while code is None and clock.now() < until:
        code = program.wait(until - clock.now())
    return code


def _check_writable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(13, "Permission denied", str(folder))
