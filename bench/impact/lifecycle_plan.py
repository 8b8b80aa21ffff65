"""The plan of a training and its deployment: the schema of the TOML file, and its reader."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.impact import hardware

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Pue = Annotated[float, Field(ge=1, le=5)]
HOURS_PER_YEAR = 8760
# Fields that only published studies set: a file may not state that it was measured.
RESERVED = {"kind", "notes"}


class PlanSection(BaseModel):
    """A table of a plan; unknown keys, infinite numbers and numbers as text are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class TrainingPlan(PlanSection):
    """The energy of training: in kWh, or as device-hours at a power in watts."""

    energy_kwh: Positive | None = None
    hardware: str | None = None
    count: Positive | None = None
    hours: Positive | None = None
    device_hours: Positive | None = None
    watts: Positive | None = None

    @model_validator(mode="after")
    def _has_an_energy(self) -> Self:
        if self.hardware is not None:
            hardware.find(self.hardware)
        computable = self.total_device_hours is not None and (self.watts or self.hardware)
        if self.energy_kwh is None and not computable:
            raise ValueError(
                "training needs energy_kwh, or device_hours (or count and hours) with hardware or "
                "watts"
            )
        return self

    @property
    def total_device_hours(self) -> float | None:
        """Device-hours, or None where they are not known."""
        if self.device_hours is not None:
            return self.device_hours
        return self.count * self.hours if self.count and self.hours else None

    @property
    def elapsed_hours(self) -> float | None:
        """Wall-clock hours, or None where they are not known."""
        if self.hours is not None:
            return self.hours
        return self.device_hours / self.count if self.device_hours and self.count else None


class IdlePlan(PlanSection):
    """Power of idle machines and infrastructure; `least_kilowatts` is its low end, if uncertain."""

    kilowatts: Positive
    least_kilowatts: Positive | None = None
    hours: Positive | None = None


class EmbodiedPlan(PlanSection):
    """Emissions of manufacturing the machines; an omitted field is a range over all sources."""

    device_kg: Positive | None = None
    server_kg: Positive | None = None
    devices_per_server: Positive = 8.0  # HGX and DGX boards
    lifetime_years: Positive | None = None
    utilisation: Share | None = None


class DeploymentPlan(PlanSection):
    """Inferences per day, their energy, the number of days, and the idle power of the service.

    `wh_per_inference` is gross where `idle_watts` is omitted; `count` devices of type `hardware`
    serve the inferences.
    """

    inferences_per_day: Positive
    wh_per_inference: Positive
    days: Positive
    idle_watts: Positive | None = None
    hardware: str | None = None
    count: Positive | None = None
    region: str | None = None
    grid_gco2e_per_kwh: Positive | None = None

    @model_validator(mode="after")
    def _hardware_is_known(self) -> Self:
        if self.hardware is not None:
            hardware.find(self.hardware)
        return self

    @property
    def inference_count(self) -> float:
        """Number of inferences over all days."""
        return self.inferences_per_day * self.days


class ModelSize(PlanSection):
    """Size of the model and of its training, the functional units of the provider's score."""

    parameters: Positive | None = None
    training_tokens: Positive | None = None
    training_flop: Positive | None = None


class LifeCyclePlan(PlanSection):
    """The inputs of a life cycle; with neither region nor intensity, a range over all countries."""

    name: str
    region: str | None = None
    grid_gco2e_per_kwh: Positive | None = None
    grid_source: str = "as the plan states it"
    pue: Pue | None = None
    training: TrainingPlan
    idle: IdlePlan | None = None
    embodied: EmbodiedPlan | None = None
    deployment: DeploymentPlan | None = None
    model: ModelSize | None = None
    kind: str = "a plan, NOT measured"
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_grid(self) -> Self:
        for section, name in ((self, "a plan"), (self.deployment, "deployment")):
            if section and section.region is not None and section.grid_gco2e_per_kwh is not None:
                raise ValueError(f"{name} has region or grid_gco2e_per_kwh, not both")
        idle_hours_missing = self.idle is not None and self.idle.hours is None
        if idle_hours_missing and self.training.elapsed_hours is None:
            raise ValueError("idle needs hours, since those of the training are not known")
        return self


def load(path: Path) -> LifeCyclePlan:
    """Read a plan from a TOML file. Raises ValueError with one sentence if it is not a plan."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ValueError(f"{path} cannot be read: {reason}") from error
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    for key in RESERVED & content.keys():
        raise ValueError(f"{path}: there is no key {key} in a plan")
    try:
        return LifeCyclePlan.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"{path}: {_sentence(error)}") from error


def with_location(plan: LifeCyclePlan, region: str | None, pue: float | None) -> LifeCyclePlan:
    """The plan in another region or data centre. Raises ValueError for a PUE outside 1 to 5."""
    if pue is not None and not 1 <= pue <= 5:
        raise ValueError(f"a PUE is 1 to 5, not {pue:g}")
    grid = {} if region is None else {"region": region, "grid_gco2e_per_kwh": None}
    return plan.model_copy(update=grid if pue is None else {**grid, "pue": pue})


def _sentence(error: ValidationError) -> str:
    errors = error.errors(include_url=False, include_input=False)
    # A misspelt key explains more than the missing key that follows from it.
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    path = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        section: Any = LifeCyclePlan
        if path[:-1]:
            section = LifeCyclePlan.model_fields[path[0]].annotation
        section, *_ = get_args(section) or (section,)  # without the None of an optional section
        known = list(section.model_fields)
        near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5) or known
        return f"there is no key {'.'.join(path)} in a plan; did you mean {', '.join(near)}?"
    message = first["msg"].removeprefix("Value error, ")
    return f"{'.'.join(path)}: {message}" if path else message
