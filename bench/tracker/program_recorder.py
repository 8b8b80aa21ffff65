"""The record of a tracked program as it grows: saved while it runs, so that nothing is lost."""

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
from bench.tracker.program_record import ProgramRecord, boundary_of, total_energy, warnings_of
from bench.tracker.sensors import SystemSensors
from bench.tracker.spawn import TrackConfig

SAVE_SECONDS = 5.0


class ProgramRecorder:
    """Reads the sensors now and then, and keeps the record on disk. It lies in `path`."""

    def __init__(
        self, sensors: SystemSensors, clock: Clock, began: float, asked: TrackConfig
    ) -> None:
        self._sensors, self._clock, self._began, self._asked = sensors, clock, began, asked
        self._machine = sensors.describe()
        self._watch = device_monitor.DeviceMonitor(self._machine, loaded=True)
        self._strangers: dict[str, int] = {}
        sensors.begin_others()
        self._id = uuid.uuid4().hex[:12]
        self._created = clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ")
        stamp = self._created.replace("-", "").replace(":", "")
        self.path = asked.out / f"{stamp}-{self._id}.json"
        self.failure: str | None = None
        self._due = 0.0

    def note(self) -> ProgramRecord:
        """Read roughly; save at times."""
        now = self._clock.now()
        track = self._made("running", None, now, self._sensors.so_far(self._began))
        if now >= self._due:
            self._due = now + SAVE_SECONDS
            self._save(track)
        return track

    def close(self, exit_code: int, ended: float) -> ProgramRecord:
        """The program has ended: read as well as the sensors allow, and save."""
        readings = self._sensors.close(self._began, ended)
        track = self._made("done", exit_code, ended, readings)
        self._save(track)
        return track

    def _save(self, track: ProgramRecord) -> None:
        """Save, or remember why not: the program goes on, whatever becomes of its record."""
        try:
            storage.write_text(self.path, track.model_dump_json(indent=1))
            self.failure = None
        except OSError as error:
            self.failure = f"{self.path} can't be saved: {error.strerror or error}"

    def _made(
        self,
        status: Literal["running", "done"],
        exit_code: int | None,
        now: float,
        readings: Sequence[Reading],
    ) -> ProgramRecord:
        described = self._machine.model_copy(update={"sensors": self._sensors.describe_sensors()})
        boundary, calibration = boundary_of(described)
        own = resource.getrusage(resource.RUSAGE_SELF)
        return ProgramRecord(
            track_id=self._id,
            name=self._asked.name,
            region=self._asked.region,
            pue=self._asked.pue,
            created_at=self._created,
            joulebench_version=__version__,
            status=status,
            exit_code=exit_code,
            duration_seconds=now - self._began,
            tracker_cpu_seconds=own.ru_utime + own.ru_stime,
            boundary=boundary,
            energy_kwh=total_energy(readings, boundary, calibration),
            calibration=calibration,
            readings=tuple(readings),
            machine=described,
            warnings=(*warnings_of(readings, boundary, calibration, described), *self._company()),
        )

    def _company(self) -> Iterator[MeasurementWarning]:
        """A warning for each GPU on which others than the program were seen, the most at once."""
        for domain, count in self._watch.strangers().items():
            self._strangers[domain] = max(count, self._strangers.get(domain, 0))
        for domain, count in self._strangers.items():
            yield make_warning("foreign-process", domain=domain, count=count)
