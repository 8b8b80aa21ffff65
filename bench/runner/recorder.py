"""The record of one run as it grows: complete and valid after every step, saved at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.backends import Session
from bench.results import statistics, warning_rules
from bench.results.calibration import boundary_calibration
from bench.results.fields import Setting
from bench.results.machine_record import Machine
from bench.results.record import Backend, Model, Result, Summary, TaskInfo, Trial
from bench.results.versions import __version__
from bench.results.views import measurement_boundary
from bench.runner.config import RunConfig, torch_devices
from bench.runner.protocol import run_protocol
from bench.workloads.workload import Workload

Save = Callable[[Result], Any]


class RunRecorder:
    """Collects the parts of a run in `draft`; `result` is the whole record at any moment.

    Until it is closed, the status is "interrupted", so that the record of a killed process is true.
    `path` is what `save` returned last, such as the file of the record.
    """

    def __init__(
        self, config: RunConfig, workload: Workload, machine: Machine, now: datetime, save: Save
    ) -> None:
        self._save = save
        self.path: Any = None
        task, boundary = workload.task, measurement_boundary(machine)
        devices = ",".join(torch_devices(config.device, machine))
        self.draft = Result(
            run_id=uuid.uuid4().hex[:12],
            created_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            joulebench_version=__version__,
            status="interrupted",
            failure=None,
            profile=config.profile,
            stop_reason=None,
            task=TaskInfo(
                id=task.id,
                version=task.version,
                fingerprint=workload.fingerprint,
                dataset=workload.dataset,
                dataset_revision=workload.dataset_revision,
                request_count=len(workload.requests),
                unit=task.unit,
                parameters=dict(workload.parameters),
            ),
            model=Model(
                id=Path(config.model).name if Path(config.model).is_dir() else config.model,
                revision=config.revision,
                weights=config.weights,
                dtype=None,
                parameter_count=None,
                settings={**config.recorded_settings(), "device": devices},
            ),
            backend=Backend(name="none", versions={}),
            machine=machine,
            protocol=run_protocol(
                config.profile, machine, config.budget_seconds, config.max_inferences
            ),
            boundary=boundary,
            idle=(),
            trials=(),
            quality=None,
            summary=None,
            calibration=boundary_calibration(boundary, machine.sensors),
            warnings=(),
            rankable=False,
        )

    def update(self, **parts: Any) -> None:
        """Replace parts of the record, by the names of the fields of `Result`."""
        self.draft = self.draft.model_copy(update=parts)

    def set_session(self, session: Session) -> None:
        """Record the model that was loaded, with the options of the run and those it resolved."""
        settings = {**self.draft.model.settings, **session.model.settings}
        model = session.model.model_copy(update={"settings": settings})
        self.update(model=model, backend=session.backend)

    def add_settings(self, **settings: Setting) -> None:
        """Record settings of the model that are known only after it was used."""
        model = self.draft.model
        update = {"settings": {**model.settings, **settings}}
        self.update(model=model.model_copy(update=update))

    def update_protocol(self, **rules: int) -> None:
        """Record rules of the protocol that are known only after the warm-up."""
        self.update(protocol=self.draft.protocol.model_copy(update=rules))

    def add_trial(self, trial: Trial) -> None:
        """Record a trial, and save where it is measured, so that it is never lost."""
        self.update(trials=(*self.draft.trials, trial))
        if trial.phase == "measured":
            self.save()

    def save(self) -> Result:
        """Save the record as it stands, and return it."""
        result = self.result()
        self.path = self._save(result)
        return result

    def summary(self) -> Summary:
        """The summary of the trials so far."""
        draft = self.draft
        return statistics.summarize(draft.trials, draft.boundary, draft.idle, draft.task.unit)

    def result(self) -> Result:
        """The record as it stands, with its summary and warnings. Raises ValidationError."""
        result = Result(**{**dict(self.draft), "summary": self.summary()})
        warnings = warning_rules.derive_warnings(result)
        rankable = warning_rules.is_rankable(result, warnings)
        return result.model_copy(update={"warnings": warnings, "rankable": rankable})
