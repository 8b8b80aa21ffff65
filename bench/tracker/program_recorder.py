"""The record of a tracked program, saved every few seconds, so that a crash loses little."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Sequence

from bench.results import storage
from bench.results.record import Reading
from bench.results.warning_catalogue import make_warning
from bench.system import device_monitor
from bench.system.clock import Clock
from bench.tracker.program_record import TIME_FORMAT, ProgramRecord, make_record
from bench.tracker.sensors import SystemSensors
from bench.tracker.spawn import TrackConfig

SAVE_INTERVAL_SECONDS = 5.0


class ProgramRecorder:
    """Reads the sensors and saves the record in `path`.

    `failure` says why the last save failed, or is None.
    """

    def __init__(
        self, sensors: SystemSensors, clock: Clock, started: float, config: TrackConfig
    ) -> None:
        """`started` is the clock's time at which the program began."""
        self._sensors, self._clock, self._started = sensors, clock, started
        self._machine = sensors.describe()
        self._monitor = device_monitor.DeviceMonitor(self._machine, loaded=True)
        self._foreign_processes: Counter[str] = Counter()  # the largest number so far of each GPU
        sensors.begin_others()
        track_id, created_at = uuid.uuid4().hex[:12], clock.utc().strftime(TIME_FORMAT)
        self._fields = {
            "track_id": track_id,
            "name": config.name,
            "created_at": created_at,
            "region": config.region,
            "pue": config.pue,
        }
        stamp = created_at.replace("-", "").replace(":", "")
        self.path = config.out / f"{stamp}-{track_id}.json"
        self.failure: str | None = None
        self._next_save = 0.0

    def update(self) -> ProgramRecord:
        """Read the sensors at their present accuracy; save where the last save is long ago."""
        now = self._clock.now()
        record = self._make(self._sensors.so_far(self._started), now)
        if now >= self._next_save:
            self._next_save = now + SAVE_INTERVAL_SECONDS
            self._save(record)
        return record

    def finish(self, exit_code: int, ended: float) -> ProgramRecord:
        """Read the sensors at their best accuracy after the program's end, and save.

        `ended` is the clock's time of the end.
        """
        record = self._make(self._sensors.close(self._started, ended), ended, exit_code)
        self._save(record)
        return record

    def _save(self, record: ProgramRecord) -> None:
        """Save, or keep the reason in `failure`: a full disk must not end the program."""
        try:
            storage.write_text(self.path, record.model_dump_json(indent=1))
            self.failure = None
        except OSError as error:
            self.failure = f"{self.path} cannot be saved: {error.strerror or error}"

    def _make(
        self, readings: Sequence[Reading], now: float, exit_code: int | None = None
    ) -> ProgramRecord:
        self._foreign_processes |= Counter(self._monitor.foreign_processes())
        return make_record(
            readings,
            self._machine.model_copy(update={"sensors": self._sensors.describe_sensors()}),
            (
                make_warning("foreign-process", domain=domain, count=count)
                for domain, count in self._foreign_processes.items()
            ),
            status="running" if exit_code is None else "done",
            exit_code=exit_code,
            duration_seconds=now - self._started,
            tracker_cpu_seconds=time.process_time(),
            **self._fields,
        )
