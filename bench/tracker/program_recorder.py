"""The record of a tracked program, saved every few seconds, so that a crash loses little."""

from __future__ import annotations

import resource
import uuid
from collections.abc import Iterator, Sequence
from typing import Literal

from bench.results import storage
from bench.results.record import MeasurementWarning, Reading
from bench.results.versions import __version__
from bench.results.warning_catalogue import make_warning
from bench.system import device_monitor
from bench.system.clock import Clock
from bench.tracker.program_record import (
    ProgramRecord,
    program_boundary,
    program_warnings,
    total_energy,
)
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
        self._config = config
        self._machine = sensors.describe()
        self._monitor = device_monitor.DeviceMonitor(self._machine, loaded=True)
        self._foreign_processes: dict[str, int] = {}
        sensors.begin_others()
        self._id = uuid.uuid4().hex[:12]
        self._created_at = clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ")
        stamp = self._created_at.replace("-", "").replace(":", "")
        self.path = config.out / f"{stamp}-{self._id}.json"
        self.failure: str | None = None
        self._next_save = 0.0

    def update(self) -> ProgramRecord:
        """Read the sensors at their present accuracy; save where the last save is long ago."""
        now = self._clock.now()
        record = self._make("running", None, now, self._sensors.so_far(self._started))
        if now >= self._next_save:
            self._next_save = now + SAVE_INTERVAL_SECONDS
            self._save(record)
        return record

    def finish(self, exit_code: int, ended: float) -> ProgramRecord:
        """Read the sensors at their best accuracy after the program's end, and save.

        `ended` is the clock's time of the end.
        """
        readings = self._sensors.close(self._started, ended)
        record = self._make("done", exit_code, ended, readings)
        self._save(record)
        return record

    def _save(self, record: ProgramRecord) -> None:
        """Save, or keep the reason in `failure`: a full disk must not end the program."""
        try:
            storage.write_text(self.path, record.model_dump_json(indent=1))
            self.failure = None
        except OSError as error:
            self.failure = f"{self.path} can't be saved: {error.strerror or error}"

    def _make(
        self,
        status: Literal["running", "done"],
        exit_code: int | None,
        now: float,
        readings: Sequence[Reading],
    ) -> ProgramRecord:
        machine = self._machine.model_copy(update={"sensors": self._sensors.describe_sensors()})
        boundary, calibration = program_boundary(machine)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        warnings = program_warnings(readings, boundary, calibration, machine)
        return ProgramRecord(
            track_id=self._id,
            name=self._config.name,
            region=self._config.region,
            pue=self._config.pue,
            created_at=self._created_at,
            joulebench_version=__version__,
            status=status,
            exit_code=exit_code,
            duration_seconds=now - self._started,
            tracker_cpu_seconds=usage.ru_utime + usage.ru_stime,
            boundary=boundary,
            energy_kwh=total_energy(readings, boundary, calibration),
            calibration=calibration,
            readings=tuple(readings),
            machine=machine,
            warnings=(*warnings, *self._foreign_process_warnings()),
        )

    def _foreign_process_warnings(self) -> Iterator[MeasurementWarning]:
        """A warning for each GPU with foreign processes, with their largest number so far."""
        for domain, count in self._monitor.foreign_processes().items():
            known = self._foreign_processes.get(domain, 0)
            self._foreign_processes[domain] = max(count, known)
        for domain, count in self._foreign_processes.items():
            yield make_warning("foreign-process", domain=domain, count=count)
