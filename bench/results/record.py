"""The schema of a result, version 2: `Result` and its parts."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bench.results.fields import Added, Count, Method, Name, Record, Seconds, Setting, Text
from bench.results.interval import NORMAL_95, Interval
from bench.results.machine_record import DeviceState, Machine
from bench.results.versions import ANALYSIS_VERSION

Phase = Literal["warmup", "measured", "profile"]
IdlePhase = Literal["cold", "resident", "after"]
Status = Literal["done", "failed", "interrupted"]
Stop = Literal["target", "trials", "budget"]


class MeasurementWarning(Record):
    """A limitation of a figure, with its remedy."""

    code: Name
    message: Text
    remedy: Text
    blocks_ranking: bool


class Reading(Record):
    """The energy of one domain over one window.

    `energy_joules` is None, never 0, where nothing could be read; a warning then says why.
    `standard_uncertainty_joules` holds what is random from window to window, or, for a modelled
    reading, what the model may be off by. `tail_joules_below` and `tail_joules_above` bound, below
    and above the energy, what is the same in every window of a run: what power does right after a
    window, which its sensor did not show.
    """

    domain: Name
    meter: Name
    method: Method
    energy_joules: float | None
    standard_uncertainty_joules: Annotated[float, Field(ge=0)] | None
    duration_seconds: Seconds
    tail_joules_below: Annotated[float, Field(ge=0), Added] = 0.0
    tail_joules_above: Annotated[float, Field(ge=0), Added] = 0.0
    warnings: tuple[MeasurementWarning, ...] = ()

    @property
    def low_joules(self) -> float | None:
        """The lower end of the 95 % interval, or None."""
        return self._end(-1)

    @property
    def high_joules(self) -> float | None:
        """The upper end of the 95 % interval, or None."""
        return self._end(+1)

    def _end(self, sign: int) -> float | None:
        if self.energy_joules is None or self.standard_uncertainty_joules is None:
            return None
        tail = self.tail_joules_below if sign < 0 else self.tail_joules_above
        return self.energy_joules + sign * (NORMAL_95 * self.standard_uncertainty_joules + tail)


class Work(Record):
    """Work counted from the outputs. None: this kind of work does not apply."""

    inference_count: Count
    failure_count: Count = 0
    input_token_count: Count | None = None
    output_token_count: Count | None = None
    image_count: Count | None = None
    pixel_count: Count | None = None
    step_count: Count | None = None
    audio_seconds: Seconds | None = None
    video_seconds: Seconds | None = None


class PowerTrace(Record):
    """Power over time in one domain, from a profile trial; seconds count from its start."""

    domain: Name
    seconds: tuple[Seconds, ...]
    watts: tuple[float, ...]


class Trial(Record):
    """One window: the work served in it, its duration, and the readings of the meters.

    `process` counts the worker processes of the run, each of which loads the model anew.
    """

    index: Count
    phase: Phase
    process: Annotated[Count, Added] = 0
    block_ids: tuple[Count, ...]
    started_seconds: Seconds
    duration_seconds: Seconds
    work: Work
    readings: tuple[Reading, ...]
    device_states: tuple[DeviceState, ...] = ()
    power_trace: tuple[PowerTrace, ...] = ()


class IdleFloor(Record):
    """Energy of every domain while nothing is served, with or without the model in memory."""

    when: IdlePhase
    duration_seconds: Seconds
    readings: tuple[Reading, ...]
    device_states: tuple[DeviceState, ...] = ()


class Estimate(Record, Interval):
    """An interval with its confidence level and the number of samples behind it.

    Calibration uncertainty is not included: see `Result.calibration`. Unlike a plain interval it
    may reach below zero (net energy); arithmetic gives a plain interval, which starts at zero.
    """

    value: float
    low: float
    high: float
    confidence_level: Annotated[float, Field(gt=0, lt=1)]
    sample_count: Count

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.value <= self.high:
            raise ValueError("an estimate needs low <= value <= high")
        return self


class Summary(Record):
    """Figures of a run. A figure is None where it is missing; a warning says why.

    The intervals are those of repeatability within the run. `between_runs_half_width` is what
    variation between runs adds to the energy in quadrature, relative, at 95 %; None before analysis
    version 2.
    """

    energy_kwh_per_1000: Estimate | None
    net_energy_kwh_per_1000: Estimate | None
    modelled_energy_kwh_per_1000: Estimate | None
    energy_joules_per_unit: Estimate | None
    duration_seconds_per_inference: Estimate | None
    between_runs_half_width: Annotated[float | None, Field(ge=0), Added] = None


class Quality(Record):
    """How well the model did on the requests it served; the interval is 95 %."""

    metric: Name
    value: float
    low: float
    high: float
    sample_count: Count


class Calibration(Record):
    """The scale error that repeats with every window: all of a run's figures move with it."""

    relative_half_width: Annotated[float, Field(ge=0)]
    source: Text


class Boundary(Record):
    """Which domains are in the figure, and whether they were measured."""

    domains: tuple[Name, ...]
    kind: Literal["measured", "modelled"]


class TaskInfo(Record):
    """Which work, exactly: the fingerprint covers id, version, parameters and every request."""

    id: Name
    version: Count
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None
    dataset: Name
    dataset_revision: Name | None = None
    request_count: Count | None = None
    unit: Name
    parameters: dict[Name, Setting]


class Model(Record):
    """Which model, and how it was loaded."""

    id: Name
    revision: Name | None
    weights: Literal["pretrained", "random"]
    dtype: Name | None
    parameter_count: Count | None
    active_parameter_count: Count | None = None
    settings: dict[Name, Setting]


class Backend(Record):
    """What ran the model, with the versions of all that matters."""

    name: Name
    versions: dict[Name, Name]
    numerics: dict[Name, Setting] = Field(default_factory=dict)


class RunProtocol(Record):
    """The rules that the run followed, so that its stopping can be understood."""

    budget_seconds: Seconds
    target_relative_half_width: float
    confidence_level: float
    min_trials: Count
    max_trials: Count
    window_seconds: Seconds
    blocks_per_trial: Count | None
    max_inferences: Count | None = None


class Failure(Record):
    """Why a run has no result: at which stage, a code to group by, and a sentence."""

    stage: Name
    code: Name
    message: Text


class Result(Record):
    """One run, complete: raw trials first, everything else can be recomputed from them."""

    schema_version: Literal[2] = 2
    analysis_version: Annotated[int, Field(ge=1)] = ANALYSIS_VERSION
    run_id: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    created_at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    joulebench_version: Name
    status: Status
    failure: Failure | None
    profile: Literal["standard", "strict", "quick"]
    stop_reason: Stop | None
    task: TaskInfo
    model: Model
    backend: Backend
    machine: Machine
    protocol: RunProtocol
    boundary: Boundary
    idle: tuple[IdleFloor, ...]
    trials: tuple[Trial, ...]
    quality: Quality | None
    summary: Summary | None
    calibration: Calibration | None
    warnings: tuple[MeasurementWarning, ...]
    rankable: bool

    @model_validator(mode="after")
    def _failure_matches_status(self) -> Self:
        if (self.status == "failed") != (self.failure is not None):
            raise ValueError("a failed run needs a failure, and only a failed run has one")
        if self.status == "done" and (self.summary is None or self.stop_reason is None):
            raise ValueError("a finished run needs a summary and a stop reason")
        return self

    def measured(self) -> tuple[Trial, ...]:
        """The trials that count."""
        return tuple([trial for trial in self.trials if trial.phase == "measured"])
