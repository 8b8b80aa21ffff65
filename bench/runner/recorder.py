"""The record of one run as it grows: complete and valid after every step, saved at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

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
    Status,
    Stop,
    Summary,
    TaskInfo,
    Trial,
)
from bench.results.versions import __version__
from bench.results.views import measurement_boundary
from bench.runner.config import RunConfig, torch_devices
from bench.runner.protocol import run_protocol
from bench.workloads.workload import Workload


class RunRecorder:
    """Collects the parts of a run; `result` is the whole record at any moment.

    Until it is closed, the status is "interrupted", so that the record of a killed process is true.
    """

    def __init__(
        self,
        config: RunConfig,
        workload: Workload,
        machine: Machine,
        now: datetime,
        save: Callable[[Result], None],
    ) -> None:
        self._save = save
        self._created = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._run_id = uuid.uuid4().hex[:12]
        self._config, self._workload, self._machine = config, workload, machine
        self.protocol = run_protocol(
            config.profile, machine, config.budget_seconds, config.max_inferences
        )
        self.boundary = measurement_boundary(machine)
        self.model = self._model_before_loading()
        self.backend = Backend(name="none", versions={})
        self.idle: list[IdleFloor] = []
        self.trials: list[Trial] = []
        self.quality: Quality | None = None
        self._status: Status = "interrupted"
        self._stop: Stop | None = None
        self._failure: Failure | None = None

    def set_session(self, session: Session) -> None:
        """Record the model that was loaded, with the options of the run and those it resolved."""
        settings = {**self.model.settings, **session.model.settings}
        self.model = session.model.model_copy(update={"settings": settings})
        self.backend = session.backend

    def add_settings(self, **settings: Setting) -> None:
        """Record settings of the model that are known only after it was used."""
        update = {"settings": {**self.model.settings, **settings}}
        self.model = self.model.model_copy(update=update)

    def add_idle(self, idle: IdleFloor) -> None:
        """Record an idle floor."""
        self.idle.append(idle)

    def add_trial(self, trial: Trial) -> None:
        """Record a trial, and save where it is measured, so that it is never lost."""
        self.trials.append(trial)
        if trial.phase == "measured":
            self._save(self.result())

    def close(
        self, status: Status, stop: Stop | None = None, failure: Failure | None = None
    ) -> Result:
        """End the run, save its record, and return it."""
        self._status, self._stop, self._failure = status, stop, failure
        final = self.result()
        self._save(final)
        return final

    @property
    def measured(self) -> list[Trial]:
        """The trials that count."""
        return [trial for trial in self.trials if trial.phase == "measured"]

    def summary(self) -> Summary:
        """The summary of the trials so far."""
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
            profile=self._config.profile,
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
        draft = draft.model_copy(update={"warnings": warning_rules.derive_warnings(draft)})
        return draft.model_copy(update={"rankable": warning_rules.is_rankable(draft)})

    def _model_before_loading(self) -> Model:
        config = self._config
        devices = ",".join(torch_devices(config.device, self._machine))
        return Model(
            id=Path(config.model).name if Path(config.model).is_dir() else config.model,
            revision=config.revision,
            weights=config.weights,
            dtype=None,
            parameter_count=None,
            settings={**config.recorded_settings(), "device": devices},
        )


def task_info(workload: Workload) -> TaskInfo:
    """The description of a workload in a record."""
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
