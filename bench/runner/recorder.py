"""The record of one run as it grows: kept complete and valid after every step, saved at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from bench.backends import Session
from bench.results import statistics, warning_rules
from bench.results.calibration import boundary_calibration
from bench.results.fields import Setting
from bench.results.machine_record import Machine
from bench.results.record import (
    Backend,
    Failure,
    IdleFloor,
    Model,
    Quality,
    Result,
    RunProtocol,
    Status,
    Stop,
    Summary,
    TaskInfo,
    Trial,
)
from bench.results.versions import __version__
from bench.results.views import measurement_boundary
from bench.workloads.workload import Workload


class RunRecorder:
    """Collects what happens in a run; `result` is the whole record at any moment.

    Until it is closed a run counts as interrupted, so that a killed process leaves the truth.
    """

    def __init__(
        self,
        workload: Workload,
        machine: Machine,
        protocol: RunProtocol,
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
        self.boundary = measurement_boundary(machine)
        self.model = model
        self.backend = Backend(name="none", versions={})
        self.idle: list[IdleFloor] = []
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

    def add_idle(self, idle: IdleFloor) -> None:
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
        return statistics.summarize(self.trials, self.boundary, self.idle, unit)

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
            calibration=boundary_calibration(self.boundary, self._machine.sensors),
            warnings=(),
            rankable=False,
        )
        raised = warning_rules.derive_warnings(draft)
        draft = draft.model_copy(update={"warnings": raised})
        return draft.model_copy(update={"rankable": warning_rules.is_rankable(draft)})


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
