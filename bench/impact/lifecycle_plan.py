"""A plan: what a training and its deployment take, as a TOML file says it, or a published study."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.impact import hardware

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Pue = Annotated[float, Field(ge=1, le=5)]
HOURS_PER_YEAR = 8760

# What a study says of itself; a file may not call itself measured.
RESERVED = {"kind", "notes"}


class PlanSection(BaseModel):
    """A table of a plan: closed, finite, and numbers only where numbers belong."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class TrainingPlan(PlanSection):
    """The energy that training took: in kWh, or as hours of devices at a power."""

    energy_kwh: Positive | None = None
    hardware: str | None = None
    count: Positive | None = None
    hours: Positive | None = None
    device_hours: Positive | None = None
    watts: Positive | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.hardware is not None:
            hardware.find(self.hardware)
        worked = self.worked_hours is not None and (self.watts or self.hardware)
        if self.energy_kwh is None and not worked:
            raise ValueError(
                "training needs energy_kwh, or device_hours (or count and hours) with hardware or "
                "watts"
            )
        return self

    @property
    def worked_hours(self) -> float | None:
        """Device-hours, or None where they are not known."""
        if self.device_hours is not None:
            return self.device_hours
        return self.count * self.hours if self.count and self.hours else None

    @property
    def elapsed_hours(self) -> float | None:
        """Hours on the clock, or None where they are not known."""
        if self.hours is not None:
            return self.hours
        return self.device_hours / self.count if self.device_hours and self.count else None


class IdlePlan(PlanSection):
    """What machines draw that wait, with the hall; `least_kilowatts` where it is unsure."""

    kilowatts: Positive
    least_kilowatts: Positive | None = None
    hours: Positive | None = None


class EmbodiedPlan(PlanSection):
    """What making the machines emitted; what is left out is taken over all sources."""

    device_kg: Positive | None = None
    server_kg: Positive | None = None
    devices_per_server: Positive = float(hardware.SERVER_GPUS)
    lifetime_years: Positive | None = None
    utilisation: Share | None = None


class DeploymentPlan(PlanSection):
    """Use: so many inferences a day of so much energy, for so many days, and what waits for them.

    `wh_per_inference` is gross where `idle_watts` is left out; `count` of `hardware` serve it.
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
    def _known(self) -> Self:
        if self.hardware is not None:
            hardware.find(self.hardware)
        return self

    @property
    def served(self) -> float:
        """How many inferences in all."""
        return self.inferences_per_day * self.days


class ModelSize(PlanSection):
    """What training made of the model, for the provider's score."""

    parameters: Positive | None = None
    training_tokens: Positive | None = None
    training_flop: Positive | None = None


class LifeCyclePlan(PlanSection):
    """A life cycle to compute. `region` or `grid_gco2e_per_kwh`; without either, the range."""

    name: str
    region: str | None = None
    grid_gco2e_per_kwh: Positive | None = None
    grid_source: str = "as the plan gives it"
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
        for part, where in ((self, "a plan"), (self.deployment, "deployment")):
            if part and part.region is not None and part.grid_gco2e_per_kwh is not None:
                raise ValueError(f"{where} has region or grid_gco2e_per_kwh, not both")
        waits = self.idle is not None and self.idle.hours is None
        if waits and self.training.elapsed_hours is None:
            raise ValueError("idle needs hours, since those of the training are not known")
        return self


def load(path: Path) -> LifeCyclePlan:
    """Read a plan. Raises ValueError with one sentence where the file is not one."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ValueError(f"{path} can't be read: {reason}") from error
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    for key in RESERVED & content.keys():
        raise ValueError(f"{path}: there is no key {key} in a plan")
    try:
        return LifeCyclePlan.model_validate(_floats(content))
    except ValidationError as error:
        raise ValueError(f"{path}: {_sentence(error)}") from error


def changed(plan: LifeCyclePlan, region: str | None, pue: float | None) -> LifeCyclePlan:
    """The plan in another region or data centre. Raises ValueError for a PUE that can't be."""
    if pue is not None and not 1 <= pue <= 5:
        raise ValueError(f"a PUE is 1 to 5, not {pue:g}")
    grid = {} if region is None else {"region": region, "grid_gco2e_per_kwh": None}
    return plan.model_copy(update=grid if pue is None else {**grid, "pue": pue})


def _floats(value: Any) -> Any:
    """Whole numbers as decimal ones, since TOML tells 8 from 8.0; true and false stay."""
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _sentence(error: ValidationError) -> str:
    errors = error.errors(include_url=False, include_input=False)
    # A misspelt key says more than the missing key that follows from it.
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    where = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        known = list(_table(where[:-1]).model_fields)
        near = difflib.get_close_matches(where[-1], known, n=1, cutoff=0.5) or known
        return f"there is no key {'.'.join(where)} in a plan; did you mean {', '.join(near)}?"
    message = first["msg"].removeprefix("Value error, ")
    return f"{'.'.join(where)}: {message}" if where else message


def _table(path: list[str]) -> type[PlanSection]:
    tables: dict[str, type[PlanSection]] = {
        "training": TrainingPlan,
        "idle": IdlePlan,
        "embodied": EmbodiedPlan,
        "deployment": DeploymentPlan,
        "model": ModelSize,
    }
    return tables.get(path[0], LifeCyclePlan) if path else LifeCyclePlan
