"""The record of one run as it grows: kept complete and valid after every step, saved at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from bench import doubts, stats
from bench.backends import Session
from bench.records import (
    Backend,
    Boundary,
    Failure,
    Gain,
    Idle,
    Machine,
    Model,
    Protocol,
    Quality,
    Result,
    Sensor,
    Setting,
    Summary,
    TaskInfo,
    Trial,
)
from bench.task import Workload
from bench.version import __version__

SENSOR_GAIN = 0.05
SENSOR_GAIN_SOURCE = "default for an uncalibrated sensor: rectangular, 5 % either way"

Status = Literal["done", "failed", "interrupted"]
Stop = Literal["target", "trials", "budget"]


class Logbook:
    """Collects what happens in a run; `result` is the whole record at any moment.

    Until it is closed a run counts as interrupted, so that a killed process leaves the truth.
    """

    def __init__(
        self,
        workload: Workload,
        machine: Machine,
        protocol: Protocol,
        profile: Literal["standard", "strict", "quick"],
        model: Model,
        now: datetime,
        save: Callable[[Result], None],
    ) -> None:
        self._save = save
        self._created = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._run_id = uuid.uuid4().hex[:12]
        self._workload, self._machine, self._profile = workload, machine, profile
        self.protocol = protocol
        self.boundary = boundary(machine)
        self.model = model
        self.backend = Backend(name="none", versions={})
        self.idle: list[Idle] = []
        self.trials: list[Trial] = []
        self.quality: Quality | None = None
        self._status: Status = "interrupted"
        self._stop: Stop | None = None
        self._failure: Failure | None = None

    def loaded(self, session: Session) -> None:
        """Note what was really loaded."""
        self.model, self.backend = session.model, session.backend

    def note(self, **settings: Setting) -> None:
        """Note what is known of how the model did only after it was used."""
        update = {"settings": {**self.model.settings, **settings}}
        self.model = self.model.model_copy(update=update)

    def add_idle(self, idle: Idle) -> None:
        """Note an idle floor."""
        self.idle.append(idle)

    def add(self, trial: Trial) -> None:
        """Note a trial and save, so that it is never lost."""
        self.trials.append(trial)
        if trial.phase == "measured":
            self._save(self.result())

    def close(
        self, status: Status, stop: Stop | None = None, failure: Failure | None = None
    ) -> Result:
        """End the run, save it, and give the record."""
        self._status, self._stop, self._failure = status, stop, failure
        final = self.result()
        self._save(final)
        return final

    @property
    def measured(self) -> list[Trial]:
        """The trials that count."""
        return [trial for trial in self.trials if trial.phase == "measured"]

    def summary(self) -> Summary:
        """What the trials so far say."""
        unit = self._workload.task.unit
        return stats.summarize(self.trials, self.boundary, self.idle, unit)

    def result(self) -> Result:
        """The record as it stands."""
        draft = Result(
            run_id=self._run_id,
            created_at=self._created,
            joulebench_version=__version__,
            status=self._status,
            failure=self._failure,
            profile=self._profile,
            stop_reason=self._stop,
            task=task_info(self._workload),
            model=self.model,
            backend=self.backend,
            machine=self._machine,
            protocol=self.protocol,
            boundary=self.boundary,
            idle=tuple(self.idle),
            trials=tuple(self.trials),
            quality=self.quality,
            summary=self.summary(),
            gain=gain(self.boundary, self._machine.sensors),
            doubts=(),
            rankable=False,
        )
        raised = doubts.raise_all(draft)
        draft = draft.model_copy(update={"doubts": raised})
        return draft.model_copy(update={"rankable": doubts.rankable(draft)})


def task_info(workload: Workload) -> TaskInfo:
    """Which work, exactly, as it is written into a result."""
    return TaskInfo(
        id=workload.task.id,
        version=workload.task.version,
        fingerprint=workload.fingerprint,
        dataset=workload.dataset,
        dataset_revision=workload.dataset_revision,
        request_count=len(workload.requests),
        unit=workload.task.unit,
        parameters=dict(workload.parameters),
    )


def boundary(machine: Machine) -> Boundary:
    """What a run is billed for: every GPU that it uses, read or not, and what else is measured.

    A model of the CPU is billed only where nothing is measured and no GPU is used.
    """
    gpus = [d.domain for d in machine.devices if d.used and d.domain.startswith("gpu:")]
    sensed = _domains(machine.sensors, modelled=False)
    unused = {d.domain for d in machine.devices if not d.used}
    others = [domain for domain in sensed if domain not in gpus and domain not in unused]
    if gpus or others:
        return Boundary(domains=(*gpus, *others), kind="measured")
    return Boundary(domains=tuple(_domains(machine.sensors, modelled=True)), kind="modelled")


def gain(boundary: Boundary, sensors: Sequence[Sensor]) -> Gain | None:
    """The largest scale error of the sensors behind a boundary; None where there is no sensor."""
    behind = [s for s in sensors if s.usable and set(s.domains) & set(boundary.domains)]
    if not behind:
        return None
    kinds = [
        Gain(
            relative_half_width=s.gain_relative_half_width
            if s.gain_relative_half_width is not None
            else SENSOR_GAIN,
            source=s.gain_source or SENSOR_GAIN_SOURCE,
        )
        for s in behind
        if (s.method == "modelled") == (boundary.kind == "modelled")
    ]
    return max(kinds, key=lambda item: item.relative_half_width, default=None)


def _domains(sensors: Sequence[Sensor], modelled: bool) -> list[str]:
    usable = [s for s in sensors if s.usable and (s.method == "modelled") == modelled]
    return [domain for sensor in usable for domain in sensor.domains]
