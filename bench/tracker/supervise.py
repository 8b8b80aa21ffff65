"""Starts a program, reads the sensors while it runs, and records its energy when it has ended."""

from __future__ import annotations

import errno
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

# Seconds between two readings, and the share of one CPU that reading may take: where a reading is
# expensive the interval grows up to the longest. tests/test_tracker_cost.py bounds the sum at 1 %.
READ_INTERVAL_SECONDS, LONGEST_INTERVAL_SECONDS = 1.0, 10.0
READ_CPU_SHARE = 0.003
PRELOAD_DELAY_SECONDS = 0.5
LOWEST_PRIORITY = 19  # nice value


@dataclass(frozen=True)
class TrackOutcome:
    """The program's exit code, its record with the record's path, and why one of them is missing.

    `failure` is one sentence, or None where nothing went wrong.
    """

    exit_code: int
    record: ProgramRecord | None = None
    path: Path | None = None
    failure: str | None = None


def supervise(
    config: TrackConfig,
    on_progress: Callable[[ProgramRecord], None],
    preload: Callable[[], object] = lambda: None,
) -> TrackOutcome:
    """Run the program to its end. `on_progress` receives the record about once a second.

    `preload` imports what the caller needs later; it is called in a thread of the lowest priority,
    half a second after the program has started. An error in the tracker does not end the program:
    the outcome then has no record but a `failure`.

    Raises ValueError with one sentence where the program cannot be started or there is no such
    device, and OSError where the record could not be saved, before the program is started.
    """
    clock = SystemClock()
    sensors = SystemSensors(config.device, clock, config.options)
    config.out.mkdir(parents=True, exist_ok=True)
    if not os.access(config.out, os.W_OK):
        raise PermissionError(errno.EACCES, "Permission denied", str(config.out))
    mask = spawn.block_signals()
    sensors.begin()
    program = spawn.ChildProcess(config.command, mask, clock)
    try:
        _import_while_running(program, preload)
        from bench.tracker.program_recorder import ProgramRecorder

        recorder = ProgramRecorder(sensors, clock, program.started, config)
        interval = READ_INTERVAL_SECONDS
        while (code := program.exit_code) is None:
            cpu_seconds = time.process_time()
            on_progress(recorder.update())
            cpu_seconds = time.process_time() - cpu_seconds
            program.wait(interval)
            interval = max(READ_INTERVAL_SECONDS, cpu_seconds / READ_CPU_SHARE)
            interval = min(interval, LONGEST_INTERVAL_SECONDS)
        record = recorder.finish(code, program.ended or clock.now())
        return TrackOutcome(code, record, recorder.path, recorder.failure)
    except Exception as error:  # noqa: BLE001 - an error of the tracker must not end the program
        while (code := program.wait(LONGEST_INTERVAL_SECONDS)) is None:
            continue
        return TrackOutcome(code, failure=f"the tracker failed, the program did not: {error!r}")


def _import_while_running(program: spawn.ChildProcess, preload: Callable[[], object]) -> None:
    """Import the recorder and call `preload` in a thread, until done or the program has ended.

    The imports take a third of a second of CPU time, which the program lacks where CPUs are
    scarce: hence the delay and the lowest priority.
    """

    def imports() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)
        from bench.tracker import program_recorder  # noqa: F401

        preload()

    thread = threading.Thread(target=imports, daemon=True)
    if program.wait(PRELOAD_DELAY_SECONDS) is None:
        thread.start()
    while thread.is_alive() and program.wait(0.05) is None:
        continue
